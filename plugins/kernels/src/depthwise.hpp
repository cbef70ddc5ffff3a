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
          run((std::max(w.left + w.width, w.reach_x()) + w.stride_x - 1) / w.stride_x + Block<T>::size),
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

template <class T> void depthwise(const T *x, const T *kernels, T *value, Windows w) {
    using Blocks = Block<T>;
    Padded<T> padded(w);
    for (std::size_t plane = 0; plane < w.planes; ++plane, x += w.height * w.width) {
        const T *kernel = kernels + plane % w.channels * w.places();
        padded.take(x);
        for (std::size_t row = 0; row < w.out_height; ++row, value += w.out_width)
            for (std::size_t first = 0; first < w.out_width; first += Blocks::size) {
                const T *read = padded.windows(row) + first;
                typename Blocks::Numbers sums = {};
                for (std::size_t place = 0; place < w.places(); ++place)
                    sums += kernel[place] * Blocks::load(read + padded.offsets[place]);
                const std::size_t many = std::min(Blocks::size, w.out_width - first);
                std::memcpy(value + first, &sums, many * sizeof(T));
            }
    }
}

// Rows of windows, each filled up with zeros to whole blocks.
template <class T> class Filled {
  public:
    explicit Filled(const Windows &windows)
        : w(windows), run((w.out_width + Block<T>::size - 1) / Block<T>::size * Block<T>::size),
          numbers(w.out_height * run) {}

    void take(const T *plane) {
        for (std::size_t row = 0; row < w.out_height; ++row)
            std::copy_n(plane + row * w.out_width, w.out_width, numbers.data() + row * run);
    }
    const T *at(std::size_t row) const { return numbers.data() + row * run; }

  private:
    const Windows w;
    const std::size_t run;
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
        for (std::size_t row = 0; row < w.out_height; ++row)
            for (std::size_t place = 0; place < w.places(); ++place)
                for (std::size_t first = 0; first < w.out_width; first += Blocks::size) {
                    T *target = padded.windows(row) + padded.offsets[place] + first;
                    const typename Blocks::Numbers sum = Blocks::load(target) + kernel[place] * Blocks::load(above.at(row) + first);
                    std::memcpy(target, &sum, sizeof sum);
                }
        padded.give(below);
    }
}

// The first `count` lanes, and zeros in the others.
inline Lanes first_lanes(Lanes lanes, std::size_t count) {
    typedef long long Places __attribute__((vector_size(LANES * sizeof(long long))));
    const Places place = {0, 1, 2, 3, 4, 5, 6, 7};
    return place < static_cast<long long>(count) ? lanes : Lanes{};
}

// Σ δ · x over windows and examples, in double precision, for each place of each kernel.
template <class T> void depthwise_gradient(const T *x, const T *delta, T *gradient, Windows w) {
    Padded<T> padded(w);
    Filled<T> above(w);
    const std::size_t whole = w.out_width / LANES * LANES, rest = w.out_width - whole;
    std::vector<double> totals(w.places());
    for (std::size_t channel = 0; channel < w.channels; ++channel) {
        std::fill(totals.begin(), totals.end(), 0.0);
        for (std::size_t plane = channel; plane < w.planes; plane += w.channels) {
            padded.take(x + plane * w.height * w.width);
            above.take(delta + plane * w.out_height * w.out_width);
            for (std::size_t place = 0; place < w.places(); ++place) {
                Lanes sums = {};
                for (std::size_t row = 0; row < w.out_height; ++row) {
                    const T *read = padded.windows(row) + padded.offsets[place], *along = above.at(row);
                    for (std::size_t i = 0; i < whole; i += LANES) sums += load(along + i) * load(read + i);
                    if (rest) sums += load(along + whole) * first_lanes(load(read + whole), rest);
                }
                totals[place] += total(sums);
            }
        }
        for (std::size_t place = 0; place < w.places(); ++place)
            gradient[channel * w.places() + place] = static_cast<T>(totals[place]);
    }
}

}  // namespace VARIANT
