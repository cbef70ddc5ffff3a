// Depthwise convolution: each plane of an example is correlated with a kernel of its channel.
//
// Planes are (batch, channels, height, width), kernels (channels, kernel height, kernel width). A plane is copied
// with its padding, so that no window needs a look at where the plane ends.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "blocks.hpp"
#include "lanes.hpp"
#include "variant.hpp"

namespace VARIANT {

// A plane with its padding. Columns that are a stride apart follow each other: windows read them side by side.
template <class T> class Padded {
  public:
    explicit Padded(const Windows &windows)
        : w(windows), rows(std::max(w.top + w.height, w.reach_y())),
          run((std::max(w.left + w.width, w.reach_x()) + w.stride_x - 1) / w.stride_x + 4 * Block<T>::size),
          numbers(rows * run * w.stride_x) {
        for (std::size_t y = 0; y < w.kernel_height; ++y)
            for (std::size_t x = 0; x < w.kernel_width; ++x)
                offsets.push_back(at(y * w.dilation_y, x * w.dilation_x) - numbers.data());
    }

    T *at(std::size_t row, std::size_t column) {
        return numbers.data() + (row * w.stride_x + column % w.stride_x) * run + column / w.stride_x;
    }
    // The numbers that a row of windows has at the first place of the kernel; at the others, they are `offsets` away.
    T *windows(std::size_t row) { return at(row * w.stride_y, 0); }
    void clear() { std::fill(numbers.begin(), numbers.end(), T(0)); }
    void take(const T *plane) {
        if (w.stride_x == 1)
            for (std::size_t row = 0; row < w.height; ++row)
                std::copy_n(plane + row * w.width, w.width, at(row + w.top, w.left));
        else
            each([=](T &number, std::size_t i) { number = plane[i]; });
    }
    void give(T *plane) {
        each([=](T &number, std::size_t i) { plane[i] = number; });
    }

    std::vector<std::size_t> offsets;

  private:
    template <class Move> void each(Move move) {
        if (w.stride_x == 1)  // a loop that the compiler makes vectors of
            for (std::size_t row = 0; row < w.height; ++row) {
                T *target = at(row + w.top, w.left);
                for (std::size_t i = 0; i < w.width; ++i) move(target[i], row * w.width + i);
            }
        else
            each_phase(move);
    }
    template <class Move> void each_phase(Move move) {
        for (std::size_t row = 0; row < w.height; ++row)
            for (std::size_t phase = 0; phase < w.stride_x; ++phase) {
                T *target = at(row + w.top, w.left + phase);
                for (std::size_t i = 0, column = phase; column < w.width; ++i, column += w.stride_x)
                    move(target[i], row * w.width + column);
            }
    }

    const Windows w;
    const std::size_t rows, run;
    std::vector<T> numbers;
};

// Writes `count` sums of a row of windows, of `blocks` blocks at once: the kernel's numbers are read once for all.
// Where there is room for whole blocks, what follows is written too; the rows behind are written later.
template <std::size_t blocks, class T>
inline void correlate(const T *read, const T *kernel, const std::vector<std::size_t> &offsets, T *value,
                      std::size_t count, std::size_t room) {
    using Blocks = Block<T>;
    typename Blocks::Numbers sums[blocks] = {};  // in registers, as no address of theirs is taken
    for (std::size_t place = 0; place < offsets.size(); ++place) {
        const T *from = read + offsets[place];
#pragma GCC unroll 4
        for (std::size_t i = 0; i < blocks; ++i) sums[i] += kernel[place] * Blocks::load(from + i * Blocks::size);
    }
    T rest[blocks * Blocks::size];
    T *to = room < blocks * Blocks::size ? rest : value;
#pragma GCC unroll 4
    for (std::size_t i = 0; i < blocks; ++i) Blocks::store(to + i * Blocks::size, sums[i]);
    if (to == rest) std::copy_n(rest, count, value);
}

template <class T> void depthwise(const T *x, const T *kernels, T *value, Windows w) {
    constexpr std::size_t block = Block<T>::size, most = 4 * block;
    Padded<T> padded(w);
    const T *end = value + w.planes * w.out_height * w.out_width;
    for (std::size_t plane = 0; plane < w.planes; ++plane, x += w.height * w.width) {
        const T *kernel = kernels + plane % w.channels * w.places();
        padded.take(x);
        for (std::size_t row = 0; row < w.out_height; ++row, value += w.out_width)
            for (std::size_t first = 0; first < w.out_width; first += most) {
                const T *read = padded.windows(row) + first;
                const std::size_t count = std::min(most, w.out_width - first), room = end - value - first;
                if (count > 2 * block)
                    correlate<4>(read, kernel, padded.offsets, value + first, count, room);
                else if (count > block)
                    correlate<2>(read, kernel, padded.offsets, value + first, count, room);
                else
                    correlate<1>(read, kernel, padded.offsets, value + first, count, room);
            }
    }
}

// Rows of windows, each filled up with zeros to whole blocks.
template <class T> class Filled {
  public:
    explicit Filled(const Windows &windows)
        : w(windows), length((w.out_width + Block<T>::size - 1) / Block<T>::size * Block<T>::size),
          numbers(w.out_height * length) {}

    void take(const T *plane) {
        for (std::size_t row = 0; row < w.out_height; ++row)
            std::copy_n(plane + row * w.out_width, w.out_width, numbers.data() + row * length);
    }
    const T *at(std::size_t row) const { return numbers.data() + row * length; }
    std::size_t run() const { return length; }

  private:
    const Windows w;
    const std::size_t length;
    std::vector<T> numbers;
};

// δ of windows one number apart: a correlation of δ with the kernels from end to start.
template <class T> void correlated_delta(const T *kernels, const T *delta, T *below, const Windows &w) {
    std::vector<T> turned(kernels, kernels + w.channels * w.places());
    for (std::size_t first = 0; first < turned.size(); first += w.places())
        std::reverse(turned.begin() + first, turned.begin() + first + w.places());
    Windows back = w;
    std::swap(back.height, back.out_height), std::swap(back.width, back.out_width);
    back.top = (w.kernel_height - 1) * w.dilation_y - w.top;
    back.left = (w.kernel_width - 1) * w.dilation_x - w.left;
    depthwise(delta, turned.data(), below, back);
}

template <class T> void depthwise_delta(const T *kernels, const T *delta, T *below, Windows w) {
    using Blocks = Block<T>;
    const bool beside = w.top <= (w.kernel_height - 1) * w.dilation_y && w.left <= (w.kernel_width - 1) * w.dilation_x;
    if (w.stride_y == 1 && w.stride_x == 1 && beside) return correlated_delta(kernels, delta, below, w);
    Padded<T> padded(w);
    Filled<T> above(w);
    for (std::size_t plane = 0; plane < w.planes; ++plane, below += w.height * w.width) {
        const T *kernel = kernels + plane % w.channels * w.places();
        padded.clear();
        above.take(delta + plane * w.out_height * w.out_width);
        // A row is read again only after all others: what was just written would be waited for.
        for (std::size_t place = 0; place < w.places(); ++place)
            for (std::size_t row = 0; row < w.out_height; ++row) {
                T *target = padded.windows(row) + padded.offsets[place];
                const T *above_row = above.at(row);
                for (std::size_t i = 0; i < w.out_width; i += Blocks::size)
                    Blocks::store(target + i, Blocks::load(target + i) + kernel[place] * Blocks::load(above_row + i));
            }
        padded.give(below);
    }
}

// Adds Σ δ · x of some rows of windows, for `many` places of a kernel, to the sums of each column, (many, run). Rows of
// δ are `width` apart.
template <std::size_t many, class T>
inline void add_products(Padded<T> &padded, const T *above, std::size_t width, std::size_t start, std::size_t stop,
                         const std::size_t *offsets, double *totals, std::size_t run) {
    using Blocks = Block<T>;
    for (std::size_t first = 0; first < run; first += Blocks::size) {
        typename Blocks::Numbers sums[many] = {};
        for (std::size_t row = start; row < stop; ++row) {
            const T *read = padded.windows(row) + first;
            const auto d = Blocks::load(above + row * width + first);
#pragma GCC unroll 9
            for (std::size_t i = 0; i < many; ++i) sums[i] += d * Blocks::load(read + offsets[i]);
        }
#pragma GCC unroll 9
        for (std::size_t i = 0; i < many; ++i) {
            T each[Blocks::size];
            Blocks::store(each, sums[i]);
            for (std::size_t lane = 0; lane < Blocks::size; ++lane)
                totals[i * run + first + lane] += double(each[lane]);
        }
    }
}

// Σ δ · x over windows and examples, for each place of the kernels of some channels: a few rows in the format of the
// numbers, then in double precision.
template <class T>
void depthwise_gradient(const T *x, const T *delta, T *gradient, Windows w, std::size_t first, std::size_t stop) {
    Padded<T> padded(w);
    Filled<T> filled(w);
    const std::size_t run = filled.run(), places = w.places(), size = w.out_height * w.out_width;
    std::vector<double> totals(places * run);  // of each column; those behind the last window are not used
    for (std::size_t channel = first; channel < stop; ++channel) {
        std::fill(totals.begin(), totals.end(), 0.0);
        for (std::size_t plane = channel; plane < w.planes; plane += w.channels) {
            padded.take(x + plane * w.height * w.width);
            const T *above = delta + plane * size;
            std::size_t width = w.out_width;
            if ((plane + 1) * size + run > w.planes * size + width) {  // whole blocks would reach beyond the last plane
                filled.take(above);
                above = filled.at(0), width = run;
            }
            for (std::size_t row = 0; row < w.out_height; row += RUN) {
                const std::size_t end = std::min(row + RUN, w.out_height);
                std::size_t place = 0;  // nine sums and what makes them fit the registers
                for (; place + 9 <= places; place += 9)
                    add_products<9>(padded, above, width, row, end, &padded.offsets[place], &totals[place * run], run);
                for (; place < places; ++place)
                    add_products<1>(padded, above, width, row, end, &padded.offsets[place], &totals[place * run], run);
            }
        }
        for (std::size_t place = 0; place < places; ++place)
            gradient[channel * places + place] = static_cast<T>(sum(totals.data() + place * run, w.out_width));
    }
}

}  // namespace VARIANT
