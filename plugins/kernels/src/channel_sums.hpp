// Sums over examples and places, one for each channel: gradients of factors and summands.
#pragma once

#include <cstdint>

#include "lanes.hpp"
#include "norms.hpp"

namespace VARIANT {

constexpr std::size_t WIDTH = 256;  // columns whose sums stay in the nearest cache
constexpr std::size_t RUN = 16;     // rows that are summed in the format of the numbers, before double precision

// Σ term(row, column) over rows, for every column.
template <class T, class Term> inline void column_sums(T *sums, std::size_t rows, std::size_t columns, Term term) {
    for (std::size_t first = 0; first < columns; first += WIDTH) {
        const std::size_t many = columns - first < WIDTH ? columns - first : WIDTH;
        double totals[WIDTH] = {};
        for (std::size_t start = 0; start < rows; start += RUN) {
            const std::size_t stop = rows - start < RUN ? rows : start + RUN;
            T run[WIDTH] = {};
            for (std::size_t row = start; row < stop; ++row)
                for (std::size_t i = 0; i < many; ++i) run[i] += term(row, first + i);
            for (std::size_t i = 0; i < many; ++i) totals[i] += double(run[i]);
        }
        for (std::size_t i = 0; i < many; ++i) sums[first + i] = static_cast<T>(totals[i]);
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
            column_sums(sums, many, width,
                        [=](std::size_t i, std::size_t column) { return delta[from[i] * width + column]; });
            continue;
        }
        for (std::size_t column = 0; column < width; ++column) sums[column] = T(0);
        for (std::size_t i = 0; i < many; ++i) {
            const T *added = delta + from[i] * width;
            for (std::size_t column = 0; column < width; ++column) sums[column] += added[column];
        }
    }
}

// Σ part(example, channel), each part the sum of an example's places, for every channel.
template <class T, class Part>
inline void example_sums(T *sums, std::size_t examples, std::size_t channels, Part part) {
    for (std::size_t channel = 0; channel < channels; ++channel) {
        double total = 0;
        for (std::size_t example = 0; example < examples; ++example) total += part(example, channel);
        sums[channel] = static_cast<T>(total);
    }
}

// Σ δ over examples and places, for δ (examples, channels, places).
template <class T>
void channel_sums(const T *delta, T *sums, std::size_t examples, std::size_t channels, std::size_t places) {
    if (places == 1)
        column_sums(sums, examples, channels,
                    [=](std::size_t row, std::size_t column) { return delta[row * channels + column]; });
    else
        example_sums(sums, examples, channels, [=](std::size_t example, std::size_t channel) {
            return sum(delta + (example * channels + channel) * places, places);
        });
}

// Σ δ ∘ y over examples and places, with y the normalised x.
template <class T> void norm_gradient(const T *x, Saved<T> saved, const T *delta, T *sums, Groups shape) {
    const std::size_t channels = shape.groups * shape.channels, examples = shape.rows / shape.groups;
    const std::size_t groups = shape.groups, each = shape.channels, places = shape.places;
    if (places == 1 && groups == 1)
        column_sums(sums, examples, channels, [=](std::size_t row, std::size_t column) {
            const std::size_t at = row * channels + column;
            return delta[at] * moments(saved, row)(x[at]);
        });
    else
        example_sums(sums, examples, channels, [=](std::size_t example, std::size_t channel) {
            const Moments<T> unit = moments(saved, example * groups + channel / each);
            const std::size_t at = (example * channels + channel) * places;
            const double mean = double(unit.high) + double(unit.low);
            return sum_scaled_products(delta + at, x + at, places, mean, double(unit.factor));
        });
}

}  // namespace VARIANT
