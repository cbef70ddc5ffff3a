// The numbers that windows read, as columns of a matrix, and the way back.
//
// Planes are (examples, channels, height, width), columns (channels, kernel height, kernel width, examples, windows).
#pragma once

#include <algorithm>
#include <cstring>

#include "variant.hpp"

namespace VARIANT {

// For one place of the kernel: the windows that have a number there, and the first of these numbers.
struct Span {
    std::ptrdiff_t first, stop, start;

    Span(std::ptrdiff_t offset, std::size_t stride, std::size_t size, std::size_t windows) {
        const std::ptrdiff_t step = stride, last = std::ptrdiff_t(size) - 1 - offset;
        first = offset < 0 ? (-offset + step - 1) / step : 0;
        stop = last < 0 ? 0 : std::min<std::ptrdiff_t>(windows, last / step + 1);
        first = std::min(first, stop);
        start = first * step + offset;
    }
};

// Calls row(columns, span): `columns` is a row of windows at one place of the kernel, `row` the numbers of its plane.
template <class T, class Plane, class Row> inline void each_row(const Columns &s, Plane *x, T *columns, Row move) {
    const std::size_t windows = s.out_height * s.out_width;
    for (std::size_t channel = 0; channel < s.channels; ++channel)
        for (std::size_t y = 0; y < s.kernel_height; ++y) {
            const Span rows(std::ptrdiff_t(y * s.dilation_y) - s.top, s.stride_y, s.height, s.out_height);
            for (std::size_t place = 0; place < s.kernel_width; ++place) {
                const Span along(std::ptrdiff_t(place * s.dilation_x) - s.left, s.stride_x, s.width, s.out_width);
                for (std::size_t example = 0; example < s.examples; ++example, columns += windows)
                    move(x + (example * s.channels + channel) * s.height * s.width, columns, rows, along);
            }
        }
}

// Calls move(i, i * stride): a stride that the compiler knows becomes vectors.
template <class Move> inline void each_number(std::ptrdiff_t count, std::size_t stride, Move move) {
    if (stride == 1)
        for (std::ptrdiff_t i = 0; i < count; ++i) move(i, i);
    else if (stride == 2)
        for (std::ptrdiff_t i = 0; i < count; ++i) move(i, 2 * i);
    else
        for (std::ptrdiff_t i = 0; i < count; ++i) move(i, i * std::ptrdiff_t(stride));
}

template <class T> void gather(const T *x, T *columns, Columns s) {
    each_row(s, x, columns, [&s](const T *plane, T *to, Span rows, Span along) {
        std::fill_n(to, rows.first * s.out_width, T(0));
        for (std::ptrdiff_t row = rows.first; row < rows.stop; ++row) {
            const T *from = plane + (rows.start + (row - rows.first) * s.stride_y) * s.width + along.start;
            T *target = to + row * s.out_width;
            std::fill_n(target, along.first, T(0));
            const std::ptrdiff_t count = along.stop - along.first;
            T *seen = target + along.first;
            each_number(count, s.stride_x, [=](std::ptrdiff_t i, std::ptrdiff_t at) { seen[i] = from[at]; });
            std::fill_n(target + along.stop, s.out_width - along.stop, T(0));
        }
        std::fill_n(to + rows.stop * s.out_width, (s.out_height - rows.stop) * s.out_width, T(0));
    });
}

// Adds each number of the columns to the number of the planes that `gather` reads it from.
template <class T> void spread(const T *columns, T *x, Columns s) {
    each_row(s, x, columns, [&s](T *plane, const T *from, Span rows, Span along) {
        const std::ptrdiff_t count = along.stop - along.first;
        for (std::ptrdiff_t row = rows.first; row < rows.stop; ++row) {
            T *target = plane + (rows.start + (row - rows.first) * s.stride_y) * s.width + along.start;
            const T *source = from + row * s.out_width + along.first;
            each_number(count, s.stride_x, [=](std::ptrdiff_t i, std::ptrdiff_t at) { target[at] += source[i]; });
        }
    });
}

}  // namespace VARIANT
