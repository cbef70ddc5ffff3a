// Softmax over rows.
#pragma once

#include <type_traits>

#include "blocks.hpp"
#include "elementary.hpp"
#include "lanes.hpp"
#include "variant.hpp"

namespace VARIANT {

// The greater of two numbers; NaN is not greater than any.
constexpr auto greater = [](auto a, auto b) __attribute__((always_inline)) { return b > a ? b : a; };
constexpr auto smaller = [](auto a, auto b) __attribute__((always_inline)) { return b < a ? b : a; };

template <class T> struct Greatest {
    T number;
    std::size_t place;
};

// The greatest number of a row, and the first place where it stands. NaN is not greater than any number.
template <class T> inline Greatest<T> greatest(const T *x, std::size_t count, T floor) {
    using Blocks = Block<T>;
    using Bits = typename Format<T>::Bits;
    using Place = std::make_signed_t<Bits>;
    typedef Place Places __attribute__((vector_size(VECTOR)));
    typename Blocks::Numbers most = floor - typename Blocks::Numbers{};
    Places places = {};
    std::size_t i = 0;
    for (; i + Blocks::size <= count; i += Blocks::size) {
        const auto numbers = Blocks::load(x + i);
        const Places more = numbers > most;
        most = more ? numbers : most;
        places = more ? Places{} + Place(i) : places;
    }
    Greatest<T> best = {fold(most, greater), 0};
    const Places others = Places{} + std::numeric_limits<Place>::max();
    Places lanes;
    for (std::size_t lane = 0; lane < Blocks::size; ++lane) lanes[lane] = Place(lane);
    const Places first = most == best.number - typename Blocks::Numbers{} ? places + lanes : others;
    if (i) best.place = std::size_t(fold(first, smaller));
    for (; i < count; ++i)
        if (x[i] > best.number) best = {x[i], i};
    return best;
}

// The greatest number of a row, at least `floor`. NaN is not greater than any number.
template <class T> inline T greatest_number(const T *x, std::size_t count, T floor) {
    using Blocks = Block<T>;
    typename Blocks::Numbers even = floor - typename Blocks::Numbers{}, odd = even;
    std::size_t i = 0;
    for (; i + 2 * Blocks::size <= count; i += 2 * Blocks::size) {
        const auto here = Blocks::load(x + i), there = Blocks::load(x + i + Blocks::size);
        even = here > even ? here : even;
        odd = there > odd ? there : odd;
    }
    T best = fold(odd > even ? odd : even, greater);
    for (; i < count; ++i) best = x[i] > best ? x[i] : best;
    return best;
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
        const T m = greatest_number(given, count, floor);
        if (scale == 1)
            for (std::size_t i = 0; i < count; ++i) y[i] = exponential(given[i] - m);
        else
            for (std::size_t i = 0; i < count; ++i) y[i] = exponential(scale * (given[i] - m));
        const double total = sum(y, count);
        const T factor = total == 0 ? T(1) : static_cast<T>(1 / total);
        for (std::size_t i = 0; i < count; ++i) y[i] *= factor;
        most[row] = m;
        log_total[row] = static_cast<T>(__builtin_log(total));
    }
}

// s y ∘ (δ - Σ y ∘ δ) of each row. δ of the likeliest place is subtracted first, since Σ y is not exactly 1.
template <class T>
void softmax_delta(const T *y, const T *delta, T *below, std::size_t rows, std::size_t count, T scale) {
    for (std::size_t row = 0; row < rows; ++row, y += count, delta += count, below += count) {
        const T level = delta[greatest(y, count, T(0)).place];
        const T mean = static_cast<T>(sum_moved_products(y, delta, count, level));
        for (std::size_t i = 0; i < count; ++i) below[i] = scale * (y[i] * ((delta[i] - level) - mean));
    }
}

}  // namespace VARIANT
