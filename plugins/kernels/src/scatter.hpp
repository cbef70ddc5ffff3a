// Sums of the rows of δ that go to each row of a table.
#pragma once

#include <algorithm>
#include <cstdint>

#include "lanes.hpp"

namespace VARIANT {

constexpr std::size_t LINE = 64, MOST_LINES = 64;  // bytes of a line of the cache, and lines to ask for early
constexpr std::size_t NEXT = 2;                   // rows to ask for early: they lie anywhere

// Σ of many rows of δ: a few in the format of the numbers, then in double precision.
template <class T>
inline void add_many(const std::uint32_t *from, const T *delta, T *sums, std::size_t rows, std::size_t width) {
    for (std::size_t begin = 0; begin < width; begin += WIDTH) {
        const std::size_t many = width - begin < WIDTH ? width - begin : WIDTH;
        double totals[WIDTH] = {};
        for (std::size_t start = 0; start < rows; start += RUN) {
            const std::size_t stop = rows - start < RUN ? rows : start + RUN;
            T run[WIDTH] = {};
            for (std::size_t i = start; i < stop; ++i)
                for (std::size_t column = 0; column < many; ++column) run[column] += delta[from[i] * width + begin + column];
            for (std::size_t column = 0; column < many; ++column) totals[column] += double(run[column]);
        }
        for (std::size_t column = 0; column < many; ++column) sums[begin + column] = static_cast<T>(totals[column]);
    }
}

// Σ of the rows of δ (rows, width) that go to each row of a table. Those of row i are order[starts[i]] to
// order[starts[i + 1] - 1].
template <class T>
void scatter(const std::uint32_t *starts, const std::uint32_t *order, const T *delta, T *sums, std::size_t rows,
             std::size_t width) {
    const std::size_t lines = std::min(MOST_LINES, width * sizeof(T) / LINE);
    for (std::size_t row = 0; row < rows; ++row, sums += width) {
        const std::uint32_t *from = order + starts[row];
        const std::size_t many = starts[row + 1] - starts[row];
        if (many > RUN) {
            add_many(from, delta, sums, many, width);
            continue;
        }
        // Up to three at once, so that the sums are written once.
        const auto row_of = [=](std::size_t i) { return delta + from[i] * width; };
        std::size_t i = std::min<std::size_t>(many, 3);
        const T *a = i > 0 ? row_of(0) : nullptr, *b = i > 1 ? row_of(1) : nullptr, *c = i > 2 ? row_of(2) : nullptr;
        const std::size_t left = starts[rows] - starts[row + 1];
        for (std::size_t next = many; next < many + std::min(NEXT, left); ++next)
            for (std::size_t line = 0; line < lines; ++line)
                __builtin_prefetch(reinterpret_cast<const char *>(row_of(next)) + line * LINE);
        if (i == 3)
            for (std::size_t column = 0; column < width; ++column)
                sums[column] = ((T(0) + a[column]) + b[column]) + c[column];
        else if (i == 2)
            for (std::size_t column = 0; column < width; ++column) sums[column] = (T(0) + a[column]) + b[column];
        else if (i == 1)
            for (std::size_t column = 0; column < width; ++column) sums[column] = T(0) + a[column];
        else
            std::fill_n(sums, width, T(0));
        for (; i < many; ++i) {
            const T *added = row_of(i);
            for (std::size_t column = 0; column < width; ++column) sums[column] += added[column];
        }
    }
}

}  // namespace VARIANT
