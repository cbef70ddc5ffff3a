// Sums of the rows of δ that go to each row of a table.
#pragma once

#include <cstdint>

#include "lanes.hpp"

namespace VARIANT {

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
    for (std::size_t row = 0; row < rows; ++row, sums += width) {
        const std::uint32_t *from = order + starts[row];
        const std::size_t many = starts[row + 1] - starts[row];
        if (many > RUN) {
            add_many(from, delta, sums, many, width);
            continue;
        }
        for (std::size_t column = 0; column < width; ++column) sums[column] = T(0);
        for (std::size_t i = 0; i < many; ++i) {
            const T *added = delta + from[i] * width;
            for (std::size_t column = 0; column < width; ++column) sums[column] += added[column];
        }
    }
}

}  // namespace VARIANT
