// Norms over rows, each followed by a factor and a summand per channel.
//
// A row is a group of channels with all their places: layer norm has one group and one place, group norm some
// of both. Rows are summed in double precision, so that the square of no float overflows. Only the moments of
// the rows are saved: the normalised numbers are computed again, which takes less time than to read them.
#pragma once

#include "lanes.hpp"
#include "variant.hpp"

namespace VARIANT {

// Normalises a number: the mean is high + low, so that no digit of it is lost.
template <class T> struct Moments {
    T high, low, factor;
    T operator()(T x) const { return ((x - high) - low) * factor; }
};

template <class T> inline Moments<T> moments(const Saved<T> &saved, std::size_t row) {
    return {saved.high[row], saved.low[row], saved.factor[row]};
}

// to = each(place, channel) for all places of a row.
template <class T, class Each> inline void each_place(const Groups &shape, Each each) {
    if (shape.places == 1)
        for (std::size_t i = 0; i < shape.channels; ++i) each(i, i);
    else
        for (std::size_t channel = 0; channel < shape.channels; ++channel)
            for (std::size_t i = 0; i < shape.places; ++i) each(channel * shape.places + i, channel);
}

// value = weight ∘ unit(x) + bias over a row; weight and bias may be null.
template <class T>
inline void place(const T *x, const T *weight, const T *bias, T *value, const Moments<T> &unit, const Groups &shape) {
    if (bias)
        each_place<T>(shape, [=](std::size_t i, std::size_t channel) { value[i] = weight[channel] * unit(x[i]) + bias[channel]; });
    else if (weight)
        each_place<T>(shape, [=](std::size_t i, std::size_t channel) { value[i] = weight[channel] * unit(x[i]); });
    else
        for (std::size_t i = 0; i < shape.count(); ++i) value[i] = unit(x[i]);
}

// value = weight ∘ (x - mean) / √(mean of squares + eps) + bias; weight and bias may be null.
// Returns whether every mean of squares was finite.
template <class T>
bool norm(const T *x, const T *weight, const T *bias, T *value, Saved<T> saved, Groups shape, double eps,
          bool centred) {
    const std::size_t count = shape.count();
    bool finite = true;
    for (std::size_t row = 0; row < shape.rows; ++row, x += count, value += count) {
        const double mean = centred ? sum(x, count) / double(count) : 0;
        const T high = static_cast<T>(mean);
        // In double precision, rounding leaves a rest of a mean that is much greater than the differences.
        const double rest = !centred             ? 0
                            : sizeof(T) < sizeof(double) ? mean - double(high)
                                                         : sum_differences(x, count, mean) / double(count);
        const double squares = sum_squares(x, count, mean + rest * (sizeof(T) == sizeof(double))) / double(count);
        finite = finite && __builtin_isfinite(squares);
        const Moments<T> unit = {high, static_cast<T>(rest), static_cast<T>(1 / __builtin_sqrt(squares + eps))};
        saved.high[row] = unit.high, saved.low[row] = unit.low, saved.factor[row] = unit.factor;
        const T *w = weight ? weight + shape.first(row) : nullptr, *b = bias ? bias + shape.first(row) : nullptr;
        place(x, w, b, value, unit, shape);
    }
    return finite;
}

// The same with given moments, those of a batch norm whose statistics are fixed: value and δx = weight ∘ δ · factor.
template <class T>
void standardise(const T *x, const T *weight, const T *bias, T *value, Saved<T> saved, Groups shape) {
    const std::size_t count = shape.count();
    for (std::size_t row = 0; row < shape.rows; ++row, x += count, value += count) {
        const T *w = weight ? weight + shape.first(row) : nullptr, *b = bias ? bias + shape.first(row) : nullptr;
        place(x, w, b, value, moments(saved, row), shape);
    }
}

template <class T>
void standardise_delta(const T *weight, const T *delta, T *below, Saved<T> saved, Groups shape) {
    const std::size_t count = shape.count();
    for (std::size_t row = 0; row < shape.rows; ++row, delta += count, below += count) {
        const T factor = saved.factor[row], *w = weight ? weight + shape.first(row) : nullptr;
        if (w)
            each_place<T>(shape, [=](std::size_t i, std::size_t channel) { below[i] = w[channel] * delta[i] * factor; });
        else
            for (std::size_t i = 0; i < count; ++i) below[i] = delta[i] * factor;
    }
}

// δx = (g - mean g - y ∘ mean (g ∘ y)) · factor with g = weight ∘ δ, y = (x - mean) · factor, and mean g only
// where the norm is centred. Of the part along y, eps · factor² stays; in double precision rounding leaves more of it.
template <class T>
void norm_delta(const T *x, Saved<T> saved, const T *weight, const T *delta, T *below, Groups shape, double eps,
                bool centred) {
    const std::size_t count = shape.count();
    for (std::size_t row = 0; row < shape.rows; ++row, x += count, delta += count, below += count) {
        const Moments<T> unit = moments(saved, row);
        const T *g = delta;
        if (weight) {
            const T *w = weight + shape.first(row);
            each_place<T>(shape, [=](std::size_t i, std::size_t channel) { below[i] = w[channel] * delta[i]; });
            g = below;
        }
        const double level = sum(g, count) / double(count);
        // Σ g (x - mean) in double precision.
        const double mean = double(unit.high) + double(unit.low);
        const double along = (sum_moved_products(g, x, count, mean)) / double(count) * double(unit.factor);
        const T low = centred ? static_cast<T>(level) : T(0), slope = static_cast<T>(along);
        if constexpr (sizeof(T) < sizeof(double)) {
            for (std::size_t i = 0; i < count; ++i) below[i] = ((g[i] - low) - unit(x[i]) * slope) * unit.factor;
        } else {
            for (std::size_t i = 0; i < count; ++i) below[i] = (g[i] - low) - unit(x[i]) * slope;
            const double left = sum_scaled_products(below, x, count, mean, unit.factor) / double(count);
            const T more = left - along * eps * unit.factor * unit.factor;
            for (std::size_t i = 0; i < count; ++i) below[i] = (below[i] - unit(x[i]) * more) * unit.factor;
        }
    }
}

}  // namespace VARIANT
