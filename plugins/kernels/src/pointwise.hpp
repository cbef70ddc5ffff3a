// Functions of one number: the value of a layer, and its derivative.
#pragma once

#include "elementary.hpp"

namespace VARIANT {

// A function at one number, and its derivative there.
template <class T> struct Point { T value, slope; };

struct Sigmoid {
    template <class T> static T power(T x) { return exponential(-absolute(x)); }
    template <class T> static T value(T x, T power) { return (x < 0 ? power : T(1)) / (1 + power); }
    template <class T> static T slope_at(T power) { return power / fused(power, 2 + power, T(1)); }
    template <class T> static T value(T x) { return value(x, power(x)); }
    template <class T> static T slope(T x) { return slope_at(power(x)); }  // σ(x) σ(-x), precise in both tails
};

struct Tanh {
    template <class T> static T value(T x) {
        const T size = absolute(x), most = T(40);
        const T q = exponential_less_one(2 * (size > most ? most : size));
        return with_sign(q / (q + 2), x);
    }
    template <class T> static T slope(T x) {  // 1 / cosh² x
        const T e = exponential(-2 * absolute(x));
        return 4 * e / fused(e, 2 + e, T(1));
    }
};

struct Silu {
    template <class T> static Point<T> point(T x) {
        const T e = exponential(-absolute(x)), above = 1 + e, s = (x < 0 ? e : T(1)) / above;
        return {bounded_below(x) * s, s + bounded(x) * (e / (above * above))};
    }
    template <class T> static T value(T x) { return point(x).value; }
    template <class T> static T slope(T x) { return point(x).slope; }
};

struct Softplus {
    template <class T> static T value(T x) {
        return (x < 0 ? T(0) : x) + log_one_plus(exponential(-absolute(x)));
    }
    template <class T> static T slope(T x) { return Sigmoid::value(x); }
};

struct Gelu {
    template <class T> static Point<T> point(T x) {
        const auto [below, moment, density, size] = normal(x);
        const T value = x > 0 ? x - moment : moment == 0 ? with_sign(moment, x) : -moment;
        return {value, fused(with_sign(size, x), density, x < 0 ? below : 1 - below)};
    }
    template <class T> static T value(T x) { return point(x).value; }
    template <class T> static T slope(T x) { return point(x).slope; }
};

struct GeluTanh {
    static constexpr double cubic = 0.044715, root = 1.5957691216057307117;  // 2 √(2/π)
    template <class T> static Point<T> point(T x) {
        const T t = argument(x), e = exponential(-absolute(t)), near = bounded(x);
        const T share = (t < 0 ? e : T(1)) / (1 + e), rise = e / fused(e, 2 + e, T(1));
        const T inner = T(root) * fused(T(3 * cubic), near * near, T(1));
        return {bounded_below(x) * share, fused(near * rise, inner, share)};
    }
    template <class T> static T value(T x) { return point(x).value; }
    template <class T> static T slope(T x) { return point(x).slope; }
    template <class T> static T argument(T x) { return T(root) * x * fused(T(cubic), x * x, T(1)); }
};

struct Erf {
    template <class T> static T value(T x) {
        using F = Format<T>;
        const T size = absolute(x), close = size > 1 ? T(1) : size, far = size > 1 ? size : T(1);
        const T centre = close * polynomial(F::erf_centre, fused(2 * close, close, T(-1)));
        const T tail = squared_bell(far) * polynomial(F::erf_tail, 1 - 8 / (far + 3)) / far;
        return with_sign(size > 1 ? 1 - tail : centre, x);
    }
    template <class T> static T slope(T x) { return T(1.12837916709551257390) * squared_bell(x); }
    template <class T> static T squared_bell(T x) {  // e^(-x x)
        const T size = bounded_above(absolute(x)), square = size * size;
        return exponential_of_square(square, fused(size, size, -square));
    }
};

// A call within a loop would keep it from SIMD instructions: everything that it calls is inlined.
#define FLAT __attribute__((flatten))

template <class Function, class T> FLAT void values(const T *x, T *y, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) y[i] = Function::value(x[i]);
}

template <class Function, class T> FLAT void deltas(const T *x, const T *delta, T *below, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) below[i] = Function::slope(x[i]) * delta[i];
}

// What `values` gives, and `deltas` for δ = 1, in one pass, for a function that has a point.
template <class Function, class T> FLAT void points(const T *x, T *y, T *slopes, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const Point<T> at = Function::point(x[i]);
        y[i] = at.value, slopes[i] = at.slope;
    }
}

// Null where value and derivative share nothing.
template <class Function, class T> constexpr auto points_of() -> void (*)(const T *, T *, T *, std::size_t) {
    if constexpr (requires(T x) { Function::point(x); })
        return points<Function, T>;
    else
        return nullptr;
}

}  // namespace VARIANT
