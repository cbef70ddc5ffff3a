// Norms over rows, each followed by a factor and a summand per channel.
//
// A row is a group of channels with all their places: layer norm has one group and one place, group norm some
// of both. Rows are summed in double precision, so that the square of no float overflows. Only the moments of
// the rows are saved: the normalised numbers are computed again, which takes less time than to read them.
#pragma once

#include <algorithm>

#include "lanes.hpp"
#include "variant.hpp"

namespace VARIANT {

// The normalised numbers of a row, as `Moments` gives them one by one.
template <class T> struct Normalised {
    Wide<T> high, low, factor;

    explicit Normalised(const Moments<T> &unit)
        : high(Wide<T>::filled(unit.high)), low(Wide<T>::filled(unit.low)), factor(Wide<T>::filled(unit.factor)) {}
    INLINE Wide<T> operator()(const Wide<T> &x) const { return ((x - high) - low) * factor; }
};

// each(place, channel) for all places of a row; what it writes is not read at another place.
template <class Each> inline void each_place(const Groups &shape, Each each) {
    if (shape.places == 1)
#pragma GCC ivdep
        for (std::size_t i = 0; i < shape.channels; ++i) each(i, i);
    else
        for (std::size_t channel = 0, first = 0; channel < shape.channels; ++channel, first += shape.places)
#pragma GCC ivdep
            for (std::size_t i = 0; i < shape.places; ++i) each(first + i, channel);
}

// value = weight ∘ unit(x) + bias over a row; weight and bias may be null.
template <class T>
inline void place(const T *x, const T *weight, const T *bias, T *value, const Moments<T> &unit, const Groups &shape) {
    if (bias)
        each_place(shape, [=](std::size_t i, std::size_t channel) {
            value[i] = weight[channel] * unit(x[i]) + bias[channel];
        });
    else if (weight)
        each_place(shape, [=](std::size_t i, std::size_t channel) { value[i] = weight[channel] * unit(x[i]); });
    else
        for (std::size_t i = 0; i < shape.count(); ++i) value[i] = unit(x[i]);
}

// Σ g and Σ g ∘ y of a row, y the normalised x and g made from numbers of arrays, 0 of zeros: in double precision,
// since what remains of parts that cancel may be small.
template <class T, class Made, class... Arrays>
INLINE Two<double> sums_along(const T *x, const Moments<T> &unit, std::size_t count, Made made, const Arrays *...arrays) {
    constexpr std::size_t each = Wide<T>::count;
    constexpr bool late = sizeof(T) < sizeof(double);  // doubles might overflow before they have their factor
    const Lanes mean = Lanes::filled(double(unit.high) + double(unit.low));
    const Lanes factor = Lanes::filled(unit.factor), zero = Lanes::filled(0);
    Two<Lanes> even = {zero, zero}, odd = even;
    const auto keep = [&](Two<Lanes> &to, const Lanes &g, const Lanes &numbers) __attribute__((always_inline)) {
        to += {g, g * (late ? numbers - mean : (numbers - mean) * factor)};
    };
    const auto keep_all = [&](const Wide<T> &g, const Wide<T> &numbers) __attribute__((always_inline)) {
        keep(even, lanes(g, 0), lanes(numbers, 0));
        if constexpr (each > LANES) keep(odd, lanes(g, LANES), lanes(numbers, LANES));
    };
    std::size_t i = 0;
    if constexpr (each == LANES)
        for (; i + 2 * each <= count; i += 2 * each) {
            keep(even, made(Lanes::load(arrays + i)...), Lanes::load(x + i));
            keep(odd, made(Lanes::load(arrays + i + each)...), Lanes::load(x + i + each));
        }
    for (; i + each <= count; i += each) keep_all(made(Wide<T>::load(arrays + i)...), Wide<T>::load(x + i));
    if (const std::size_t few = count - i)
        keep_all(made(Wide<T>::load(arrays + i, few, T(0))...), Wide<T>::load(x + i, few, unit.high));
    const Two<double> both = total(even + odd);
    return {both.first, late ? both.second * double(unit.factor) : both.second};
}

// The mean of a row as a sum of two numbers, and the mean of the squares of what is above it.
struct Row {
    double mean, rest, squares;
};

// The squares are those from a number near the mean: n times their mean is at least the square of its distance, so
// that the difference loses log₂ n digits at most. Doubles need these: their number is the mean, but for rounding.
template <class T> INLINE Row moments(const T *x, std::size_t count, bool centred) {
    const double share = double(count);
    if (!centred) return {0, 0, sum_squares(x, count) / share};
    const bool any = sizeof(T) < sizeof(double) && count && count < MANY;
    const double from = any ? double(x[0]) : sum(x, count) / share;
    const Two<double> both = sum_differences(x, count, from);
    const double rest = both.first / share, squares = both.second / share - rest * rest;
    return {from, rest, squares < 0 ? 0 : squares};
}

// value = weight ∘ (x - mean) / √(mean of squares + eps) + bias; weight and bias may be null.
// Returns whether every mean of squares was finite.
template <class T>
bool norm(const T *x, const T *weight, const T *bias, T *value, Moments<T> *saved, Groups shape, double eps,
          bool centred) {
    const std::size_t count = shape.count();
    bool finite = true;
    for (std::size_t row = 0; row < shape.rows; ++row, x += count, value += count) {
        const Row of = moments(x, count, centred);
        finite = finite && __builtin_isfinite(of.squares);
        const T high = static_cast<T>(of.mean + of.rest);
        const Moments<T> unit = {high, static_cast<T>((of.mean - double(high)) + of.rest),
                                 static_cast<T>(1 / __builtin_sqrt(of.squares + eps))};
        saved[row] = unit;
        const T *w = weight ? weight + shape.first(row) : nullptr, *b = bias ? bias + shape.first(row) : nullptr;
        place(x, w, b, value, unit, shape);
    }
    return finite;
}

// The same with given moments, those of a batch norm whose statistics are fixed: value and δx = weight ∘ δ · factor.
template <class T>
void standardise(const T *x, const T *weight, const T *bias, T *value, const Moments<T> *saved, Groups shape) {
    const std::size_t count = shape.count();
    for (std::size_t row = 0; row < shape.rows; ++row, x += count, value += count) {
        const T *w = weight ? weight + shape.first(row) : nullptr, *b = bias ? bias + shape.first(row) : nullptr;
        place(x, w, b, value, saved[row], shape);
    }
}

template <class T>
void standardise_delta(const T *weight, const T *delta, T *below, const Moments<T> *saved, Groups shape) {
    const std::size_t count = shape.count();
    for (std::size_t row = 0; row < shape.rows; ++row, delta += count, below += count) {
        const T factor = saved[row].factor, *w = weight ? weight + shape.first(row) : nullptr;
        if (w)
            each_place(shape, [=](std::size_t i, std::size_t channel) { below[i] = w[channel] * delta[i] * factor; });
        else
            for (std::size_t i = 0; i < count; ++i) below[i] = delta[i] * factor;
    }
}

// Σ δ and Σ δ ∘ y over the places of each channel, y the normalised x; sums (rows, 2, channels).
template <class T>
void channel_sums(const T *x, const Moments<T> *saved, const T *delta, double *sums, Groups shape) {
    for (std::size_t row = 0; row < shape.rows; ++row, sums += 2 * shape.channels)
        for (std::size_t channel = 0; channel < shape.channels; ++channel, delta += shape.places, x += shape.places) {
            const Two<double> both = sums_along(x, saved[row], shape.places, [](const Wide<T> &d) { return d; }, delta);
            sums[channel] = both.first, sums[shape.channels + channel] = both.second;
        }
}

// The same over rows, for channels that have one place each: a few rows in the format of the numbers, then in double
// precision.
template <class T> void column_sums(const T *x, const Moments<T> *saved, const T *delta, double *sums, Groups shape) {
    constexpr std::size_t block = Wide<T>::count;
    const std::size_t columns = shape.groups * shape.channels, rows = shape.rows / shape.groups;
    const std::size_t whole = shape.groups == 1 ? columns / block * block : 0;
    double *along = sums + columns;
    std::fill_n(sums, 2 * columns, 0.0);
    for (std::size_t start = 0; start < rows; start += RUN) {
        const std::size_t stop = std::min(start + RUN, rows);
        for (std::size_t first = 0; first < whole; first += WIDTH) {
            const std::size_t blocks = (std::min(first + WIDTH, whole) - first) / block;
            Two<Wide<T>> run[WIDTH / block] = {};
            for (std::size_t row = start; row < stop; ++row) {  // as they lie in memory
                const Normalised<T> unit(saved[row]);
                const T *d = delta + row * columns + first, *numbers = x + row * columns + first;
                for (std::size_t i = 0; i < blocks; ++i) {
                    const auto above = Wide<T>::load(d + i * block);
                    run[i] += {above, above * unit(Wide<T>::load(numbers + i * block))};
                }
            }
            for (std::size_t i = 0; i < blocks; ++i) {
                add(run[i].first, sums + first + i * block);
                add(run[i].second, along + first + i * block);
            }
        }
        for (std::size_t column = whole; column < columns; ++column) {
            Two<T> run = {};
            for (std::size_t row = start; row < stop; ++row) {
                const T d = delta[row * columns + column];
                const Moments<T> &unit = saved[row * shape.groups + column / shape.channels];
                run += {d, d * unit(x[row * columns + column])};
            }
            sums[column] += double(run.first), along[column] += double(run.second);
        }
    }
}

// Sums (rows, 2, channels), or (2, channels of all groups) where channels have one place each.
template <class T> void norm_sums(const T *x, const Moments<T> *saved, const T *delta, double *sums, Groups shape) {
    (shape.places == 1 ? column_sums<T> : channel_sums<T>)(x, saved, delta, sums, shape);
}

// Σ g and Σ g ∘ y of a row, from the sums of its channels, (2, channels), with g = weight ∘ δ.
template <class T> inline Two<double> row_sums(const double *sums, const T *weight, std::size_t channels) {
    Two<double> both = {};
    for (std::size_t channel = 0; channel < channels; ++channel) {
        const double w = weight ? weight[channel] : 1;
        both += {w * sums[channel], w * sums[channels + channel]};
    }
    return both;
}

// δx = (g - mean g - y ∘ mean (g ∘ y)) · factor with g = weight ∘ δ, y = (x - mean) · factor, and mean g only
// where the norm is centred. Of the part along y, eps · factor² stays; in double precision rounding leaves more of it.
// Sums are those of the channels, (rows, 2, channels); null where channels have one place each.
template <class T>
void norm_delta(const T *x, const Moments<T> *saved, const T *weight, const T *delta, const double *sums, T *below,
                Groups shape, double eps, bool centred) {
    const std::size_t count = shape.count();
    for (std::size_t row = 0; row < shape.rows; ++row, x += count, delta += count, below += count) {
        const Moments<T> unit = saved[row];
        const T *w = weight ? weight + shape.first(row) : nullptr;
        const Two<double> both =
            sums ? row_sums(sums + row * 2 * shape.channels, w, shape.channels)
            : w  ? sums_along(x, unit, count, [](const Wide<T> &by, const Wide<T> &d) { return by * d; }, w, delta)
                 : sums_along(x, unit, count, [](const Wide<T> &d) { return d; }, delta);
        const double slope = both.second / double(count);
        const T low = centred ? static_cast<T>(both.first / double(count)) : T(0);
        const auto rest = [=](T g, T number) { return (g - low) - unit(number) * T(slope); };
        constexpr bool again = sizeof(T) == sizeof(double);
        const T last = again ? T(1) : unit.factor;
        if (w)
            each_place(shape, [=](std::size_t i, std::size_t channel) {
                below[i] = rest(w[channel] * delta[i], x[i]) * last;
            });
        else
            each_place({1, 1, count, 1}, [=](std::size_t i, std::size_t) { below[i] = rest(delta[i], x[i]) * last; });
        if constexpr (again) {
            const Normalised<T> numbers(unit);
            const auto term = [=](const Lanes &each, const Lanes &number) { return each * numbers(number); };
            const T more = sum(count, term, 0, below, x) / double(count) - slope * eps * unit.factor * unit.factor;
            for (std::size_t i = 0; i < count; ++i) below[i] = (below[i] - unit(x[i]) * more) * unit.factor;
        }
    }
}

}  // namespace VARIANT
