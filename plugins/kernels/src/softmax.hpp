// Softmax over rows.
#pragma once

#include "elementary.hpp"
#include "lanes.hpp"
#include "variant.hpp"

namespace VARIANT {

constexpr std::size_t AT_ONCE = 16;

template <class T> inline T greatest(const T *x, std::size_t count, T floor) {
    T lanes[AT_ONCE];
    for (T &lane : lanes) lane = floor;
    std::size_t i = 0;
    for (; i + AT_ONCE <= count; i += AT_ONCE)
        for (std::size_t lane = 0; lane < AT_ONCE; ++lane)
            lanes[lane] = lanes[lane] < x[i + lane] ? x[i + lane] : lanes[lane];
    for (; i < count; ++i) lanes[0] = lanes[0] < x[i] ? x[i] : lanes[0];
    T most = lanes[0];
    for (const T lane : lanes) most = most < lane ? lane : most;
    return most;
}

// The first place of a number that stands in the row; the last place if it does not.
template <class T> inline std::size_t place_of(T number, const T *x, std::size_t count) {
    std::size_t i = 0;
    for (int found = 0; i + AT_ONCE < count; i += AT_ONCE) {
        for (std::size_t lane = 0; lane < AT_ONCE; ++lane) found |= x[i + lane] == number;
        if (found) break;
    }
    while (i + 1 < count && x[i] != number) ++i;
    return i;
}

// y = eˢ⁽ˣ⁻ᵐ⁾ / Σ eˢ⁽ˣ⁻ᵐ⁾, m and log Σ eˢ⁽ˣ⁻ᵐ⁾ of each row, with m its greatest number, but at least `floor`, and s the
// scale. Numbers that are not seen count as -∞. A row of -∞ alone becomes 0 if the floor is finite. A row with NaN
// becomes NaN.
template <class T>
void softmax(const T *x, T *y, T *most, T *log_total, std::size_t rows, std::size_t count, T floor, T scale, Seen seen) {
    for (std::size_t row = 0; row < rows; ++row, x += count, y += count) {
        const T *given = x;
        if (seen.mask) {
            const unsigned char *mask = seen.mask + seen.row(row) * count;
            for (std::size_t i = 0; i < count; ++i) y[i] = mask[i] ? x[i] : -std::numeric_limits<T>::infinity();
            given = y;
        }
        const T greatest_number = greatest(given, count, floor);
        if (scale == 1)
            for (std::size_t i = 0; i < count; ++i) y[i] = exponential(given[i] - greatest_number);
        else
            for (std::size_t i = 0; i < count; ++i) y[i] = exponential(scale * (given[i] - greatest_number));
        const double total = sum(y, count);
        const T divisor = total == 0 ? T(1) : static_cast<T>(total);
        for (std::size_t i = 0; i < count; ++i) y[i] /= divisor;
        most[row] = greatest_number;
        log_total[row] = static_cast<T>(__builtin_log(total));
    }
}

// s y ∘ (δ - Σ y ∘ δ) of each row. δ of the likeliest place is subtracted first, since Σ y is not exactly 1.
template <class T>
void softmax_delta(const T *y, const T *delta, T *below, std::size_t rows, std::size_t count, T scale) {
    for (std::size_t row = 0; row < rows; ++row, y += count, delta += count, below += count) {
        const T level = delta[place_of(greatest(y, count, T(0)), y, count)];
        const T mean = static_cast<T>(sum_moved_products(y, delta, count, level));
        for (std::size_t i = 0; i < count; ++i) below[i] = scale * (y[i] * ((delta[i] - level) - mean));
    }
}

}  // namespace VARIANT
