// Softmax over rows.
#pragma once

#include "elementary.hpp"
#include "lanes.hpp"

namespace VARIANT {

template <class T> inline T greatest(const T *x, std::size_t count, T floor) {
    constexpr std::size_t width = 16;
    T lanes[width];
    for (T &lane : lanes) lane = floor;
    std::size_t i = 0;
    for (; i + width <= count; i += width)
        for (std::size_t lane = 0; lane < width; ++lane)
            lanes[lane] = lanes[lane] < x[i + lane] ? x[i + lane] : lanes[lane];
    for (; i < count; ++i) lanes[0] = lanes[0] < x[i] ? x[i] : lanes[0];
    T most = lanes[0];
    for (const T lane : lanes) most = most < lane ? lane : most;
    return most;
}

// y = eˣ⁻ᵐ / Σ eˣ⁻ᵐ, m and log Σ eˣ⁻ᵐ of each row, with m its greatest number, but at least `floor`.
// A row of -∞ alone becomes 0 if the floor is finite. A row with NaN becomes NaN.
template <class T>
void softmax(const T *x, T *y, T *most, T *log_total, std::size_t rows, std::size_t count, T floor) {
    for (std::size_t row = 0; row < rows; ++row, x += count, y += count) {
        const T greatest_number = greatest(x, count, floor);
        for (std::size_t i = 0; i < count; ++i) y[i] = exponential(x[i] - greatest_number);
        const double total = sum(y, count);
        const T divisor = total == 0 ? T(1) : static_cast<T>(total);
        for (std::size_t i = 0; i < count; ++i) y[i] /= divisor;
        most[row] = greatest_number;
        log_total[row] = static_cast<T>(__builtin_log(total));
    }
}

// y ∘ (δ - Σ y ∘ δ) of each row. δ of the likeliest place is subtracted first, since Σ y is not exactly 1.
template <class T> void softmax_delta(const T *y, const T *delta, T *below, std::size_t rows, std::size_t count) {
    for (std::size_t row = 0; row < rows; ++row, y += count, delta += count, below += count) {
        const T most = greatest(y, count, T(0));
        std::size_t likeliest = 0;
        while (likeliest + 1 < count && y[likeliest] != most) ++likeliest;
        const T level = delta[likeliest];
        const T mean = static_cast<T>(sum_moved_products(y, delta, count, level));
        for (std::size_t i = 0; i < count; ++i) below[i] = y[i] * ((delta[i] - level) - mean);
    }
}

}  // namespace VARIANT
