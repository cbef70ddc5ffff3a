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
template <std::size_t blocks, class T>
inline void correlate(const T *read, const T *kernel, const std::vector<std::size_t> &offsets, T *value, std::size_t count) {
    using Blocks = Block<T>;
    typename Blocks::Numbers sums[blocks] = {};
    for (std::size_t place = 0; place < offsets.size(); ++place) {
        const T *from = read + offsets[place];
#pragma GCC unroll 4
        for (std::size_t i = 0; i < blocks; ++i) sums[i] += kernel[place] * Blocks::load(from + i * Blocks::size);
    }
    if (count == blocks * Blocks::size)
        std::memcpy(value, sums, sizeof sums);
    else
        std::memcpy(value, sums, count * sizeof(T));
}

template <class T> void depthwise(const T *x, const T *kernels, T *value, Windows w) {
    constexpr std::size_t block = Block<T>::size, most = 4 * block;
    Padded<T> padded(w);
    for (std::size_t plane = 0; plane < w.planes; ++plane, x += w.height * w.width) {
        const T *kernel = kernels + plane % w.channels * w.places();
        padded.take(x);
        for (std::size_t row = 0; row < w.out_height; ++row, value += w.out_width)
            for (std::size_t first = 0; first < w.out_width; first += most) {
                const T *read = padded.windows(row) + first;
                const std::size_t count = std::min(most, w.out_width - first);
                if (count > 2 * block)
                    correlate<4>(read, kernel, padded.offsets, value + first, count);
                else if (count > block)
                    correlate<2>(read, kernel, padded.offsets, value + first, count);
                else
                    correlate<1>(read, kernel, padded.offsets, value + first, count);
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

template <class T> void depthwise_delta(const T *kernels, const T *delta, T *below, Windows w) {
    using Blocks = Block<T>;
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

// Σ δ · x over windows and examples, for each place of each kernel: a few rows in the format of the numbers, then in
// double precision.
template <class T> void depthwise_gradient(const T *x, const T *delta, T *gradient, Windows w) {
    using Blocks = Block<T>;
    Padded<T> padded(w);
    Filled<T> above(w);
    const std::size_t run = above.run();
    std::vector<double> totals(w.places() * run);  // of each column; those behind the last window are not used
    for (std::size_t channel = 0; channel < w.channels; ++channel) {
        std::fill(totals.begin(), totals.end(), 0.0);
        for (std::size_t plane = channel; plane < w.planes; plane += w.channels) {
            padded.take(x + plane * w.height * w.width);
            above.take(delta + plane * w.out_height * w.out_width);
            for (std::size_t start = 0; start < w.out_height; start += RUN) {
                const std::size_t stop = std::min(start + RUN, w.out_height);
                for (std::size_t place = 0; place < w.places(); ++place)
                    for (std::size_t first = 0; first < run; first += Blocks::size) {
                        typename Blocks::Numbers sums = {};
                        for (std::size_t row = start; row < stop; ++row)
                            sums += Blocks::load(above.at(row) + first) *
                                    Blocks::load(padded.windows(row) + padded.offsets[place] + first);
                        double *added = totals.data() + place * run + first;
                        for (std::size_t i = 0; i < Blocks::size; ++i) added[i] += double(sums[i]);
                    }
            }
        }
        for (std::size_t place = 0; place < w.places(); ++place)
            gradient[channel * w.places() + place] = static_cast<T>(sum(totals.data() + place * run, w.out_width));
    }
}

}  // namespace VARIANT
