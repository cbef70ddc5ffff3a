// Correlation of several channels with kernels, by bands of windows whose columns stay in a near cache.
//
// Planes are (examples, channels, height, width), weights (rows, channels of a group, kernel height, kernel width) and
// values (examples, rows, windows).
#pragma once

#include <algorithm>
#include <memory>

#include "columns.hpp"
#include "panels.hpp"

namespace VARIANT {

constexpr std::size_t BAND = 2 * SECOND, MOST_BAND = 1 << 22;  // bytes of the columns of a band
constexpr std::size_t FEW = 256;  // windows of a band that are worth more than that its columns stay in the cache

// Rows of windows of a band: of those that fit, the most that leave the fewest numbers of panels empty.
template <class T> std::size_t rows_of_band(const Columns &s) {
    constexpr std::size_t half = LEAST / sizeof(T);  // numbers that are computed at once, at least
    const std::size_t each = s.channels * s.kernel_height * s.kernel_width * sizeof(T);
    const std::size_t most = std::max(BAND, std::min(FEW * each, MOST_BAND)) / (each * s.out_width);
    const std::size_t top = std::clamp<std::size_t>(most, 1, s.out_height);
    std::size_t best = top, fewest = -1;
    for (std::size_t rows = top; rows > top / 2; --rows) {
        const auto halves = [&](std::size_t count) { return (count * s.out_width + half - 1) / half; };
        const std::size_t all = s.out_height / rows * halves(rows) + halves(s.out_height % rows);
        if (all < fewest) best = rows, fewest = all;
    }
    return best;
}

// The columns of each group of channels as panels (panels, rows, PANEL bytes), by way of those of a channel.
template <class T>
void gather_panels(const T *x, T *columns, T *panels, const Columns &s, std::size_t groups) {
    constexpr std::size_t width = PANEL / sizeof(T);
    const std::size_t places = s.kernel_height * s.kernel_width, windows = s.of_channel() / places;
    const std::size_t channels = s.channels / groups, terms = channels * places;
    const std::size_t group = (windows + width - 1) / width * width * terms;
    Gathering<T> gathering(x, s);
    for (std::size_t channel = 0; channel < s.channels; ++channel) {
        gathering.channel(channel, columns);
        const Matrix<T> rows{columns, places, windows, std::ptrdiff_t(windows), 1};
        pack_rows(rows, panels + channel / channels * group + channel % channels * places * width, terms);
    }
}

// The values of some rows of windows, of those of all examples.
template <class T>
void correlate(const T *x, const T *weight, T *value, Columns s, std::size_t rows, std::size_t groups,
               std::size_t first, std::size_t stop) {
    constexpr std::size_t width = PANEL / sizeof(T);
    const std::size_t terms = s.channels / groups * s.kernel_height * s.kernel_width, of_group = rows / groups;
    const std::size_t band = rows_of_band<T>(s), windows = s.out_height * s.out_width;
    const std::size_t most = (band * s.out_width + width - 1) / width * width;  // windows, with what fills panels
    const std::unique_ptr<T[]> columns(new T[s.kernel_height * s.kernel_width * most]);
    const std::unique_ptr<T[]> panels(new T[groups * terms * most]);
    for (std::size_t row = first; row < stop;) {
        const std::size_t example = row / s.out_height, top = row % s.out_height;
        const std::size_t count = std::min({band - top % band, s.out_height - top, stop - row});
        Columns part = s;
        part.examples = 1;
        part.out_height = count;
        part.top -= std::ptrdiff_t(top * s.stride_y);
        gather_panels(x + example * s.channels * s.height * s.width, columns.get(), panels.get(), part, groups);
        const std::size_t seen = count * s.out_width, many = (seen + width - 1) / width;
        for (std::size_t group = 0; group < groups; ++group) {
            const Matrix<T> a{weight + group * of_group * terms, of_group, terms, std::ptrdiff_t(terms), 1};
            T *to = value + (example * rows + group * of_group) * windows + top * s.out_width;
            packed_product<T>(a, panels.get() + group * many * width * terms, {nullptr, 0}, to, windows, seen, 0, many);
        }
        row += count;
    }
}

}  // namespace VARIANT
