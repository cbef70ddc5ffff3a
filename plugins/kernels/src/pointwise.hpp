// Functions of one number: the value of a layer, its derivative (slope), and the second one (bend).
#pragma once

#include "elementary.hpp"

namespace VARIANT {

// A function at one number, and its derivative there.
template <class T> struct Point { T value, slope; };

struct Sigmoid {
    template <class T> static T power(T x) { return exponential(-absolute(x)); }
    // With n = e^x below 0 and 1 above: n / (1 + power) = n - n · power / (1 + power), where a rounding of the ratio
    // weighs less.
    template <class T> static T value(T x, T power) {
        const T n = x < 0 ? power : T(1);
        return fused(-power, n / (1 + power), n);
    }
    template <class T> static T slope_at(T power) { return power / fused(power, 2 + power, T(1)); }
    template <class T> static Point<T> point(T x) {
        const T e = power(x);
        return {value(x, e), slope_at(e)};
    }
    template <class T> static T value(T x) { return value(x, power(x)); }
    template <class T> static T slope(T x) { return slope_at(power(x)); }  // σ(x) σ(-x), precise in both tails
    template <class T> static T bend(T x);
};

struct Tanh {
    template <class T> static T value(T x) {
        const T size = absolute(x), most = T(40);
        const T p = one_less_exponential(-2 * (size > most ? most : size)), half = T(0.5) * p;
        return with_sign(fused(half, p / (2 - p), half), x);  // p / (2 - p), where a rounding of the ratio weighs less
    }
    template <class T> static T slope(T x) {  // 1 / cosh² x
        const Power<T> power = power_of_e(-2 * absolute(x));
        const T e = power.number();
        return power.raised() * (4 * power.lowered) / fused(e, 2 + e, T(1));
    }
    template <class T> static T bend(T x) { return -2 * value(x) * slope(x); }
};

// σ'' = σ' (σ(-x) - σ(x)), and the difference is -tanh(x / 2).
template <class T> T Sigmoid::bend(T x) { return -slope(x) * Tanh::value(T(0.5) * x); }

// x σ(t) for a t with the sign of x, σ(t), and its derivative σ(t) σ(-t).
//
// Well below 0 it takes e^t, and else e^-t.
template <class T> struct Gated {
    T value, share, rise;

    static bool deep(T x) { return x < T(-0.375); }

    // power: e^t where x is deep, and else e^-t; near: x, bounded below.
    static Gated at(T x, T near, Power<T> power) {
        const T e = power.number(), above = 1 + e, below = power.raised(near);
        const T ratio = (deep(x) ? e : x) / above, rest = e / above;
        // x e / (1 + e) is x e - x e · e / (1 + e), where a rounding of the ratio weighs less.
        return {deep(x) ? fused(-below, ratio, below) * power.lowered : ratio, deep(x) ? rest : 1 - rest,
                fused(-rest, rest, rest)};
    }
};

struct Silu {
    template <class T> static Point<T> point(T x) {
        const T falling = bounded_below(Gated<T>::deep(x) ? x : -x, Format<T>::lowest);
        const auto [value, share, rise] = Gated<T>::at(x, falling, power_of_e(falling, T(0)));
        return {value, fused(bounded(x), rise, share)};
    }
    template <class T> static T value(T x) { return point(x).value; }
    template <class T> static T slope(T x) { return point(x).slope; }
    template <class T> static T bend(T x) {
        const T near = bounded(x);
        return Sigmoid::slope(x) * fused(-near, Tanh::value(T(0.5) * near), T(2));
    }
};

struct Softplus {
    template <class T> static T value(T x) {
        return (x < 0 ? T(0) : x) + log_one_plus(exponential(-absolute(x)));
    }
    template <class T> static T slope(T x) { return Sigmoid::value(x); }
    template <class T> static T bend(T x) { return Sigmoid::slope(x); }
};

struct Gelu {
    template <class T> static Point<T> point(T x) {
        const auto [below, moment, density, size] = normal(x);
        const T value = x > 0 ? x - moment : moment == 0 ? with_sign(moment, x) : -moment;
        return {value, fused(with_sign(size, x), density, x < 0 ? below : 1 - below)};
    }
    template <class T> static T value(T x) { return point(x).value; }
    template <class T> static T slope(T x) { return point(x).slope; }
    template <class T> static T bend(T x) {  // Φ'(x) (2 - x²)
        const auto [below, moment, density, size] = normal(x);
        return density * fused(-size, size, T(2));
    }
};

struct GeluTanh {
    // 2 √(2/π) and 0.044715 times that, in two numbers each. The first root is so short that its difference to the
    // factor below is exact.
    static constexpr double whole_root = 0x1.9884533d43651p+0, short_root = 0x1.988p+0;
    static constexpr double root_behind = 0x1.14cf50d942344p-14;
    static constexpr double whole_cubic = 0x1.2444f2a4d8b4bp-4, cubic_behind = -0x1.6c843a29d1c70p-61;

    // x σ(t) in parts, with x and t of the sign that makes e^t fall, and x² of a bounded x.
    template <class T> struct Parts { Gated<T> gated; T falling, near, square, t; };

    // The argument of σ is computed with its rounding error, which the exponential would multiply.
    template <class T> static Parts<T> parts(T x) {
        constexpr T root = T(short_root), root_rest = T(root_behind), cubic = T(whole_cubic);
        constexpr T cubic_rest = T(whole_cubic - double(cubic) + cubic_behind);
        const T falling = bounded_below(Gated<T>::deep(x) ? x : -x, Format<T>::gelu_tanh_end);
        const T square = falling * falling, square_error = fused(falling, falling, -square);
        const T factor = fused(cubic, square, root);
        const T factor_error = fused(cubic, square, root - factor) +
            fused(cubic, square_error, fused(cubic_rest, square, root_rest));
        const T t = falling * factor, small = fused(falling, factor_error, fused(falling, factor, -t));
        const T near = Gated<T>::deep(x) ? falling : -falling;
        return {Gated<T>::at(x, falling, power_of_e(t, small)), falling, near, square, t + small};
    }
    template <class T> static T steepness(T square) { return fused(3 * T(whole_cubic), square, T(whole_root)); }  // t'

    template <class T> static Point<T> point(T x) {
        const Parts<T> at = parts(x);
        return {at.gated.value, fused(at.near * at.gated.rise, steepness(at.square), at.gated.share)};
    }
    template <class T> static T value(T x) { return point(x).value; }
    template <class T> static T slope(T x) { return point(x).slope; }
    template <class T> static T bend(T x) {  // σ'(t) (2 t' + x t'' - x t'² tanh(t / 2))
        const Parts<T> at = parts(x);
        const T steep = steepness(at.square), turn = 6 * T(whole_cubic) * at.square;
        return at.gated.rise * fused(T(2), steep, fused(-at.falling * steep * steep, Tanh::value(T(0.5) * at.t), turn));
    }
};

struct Erf {
    template <class T> static T value(T x) {
        using F = Format<T>;
        const T size = absolute(x), close = size > 1 ? T(1) : size, far = size > 1 ? size : T(1);
        const T centre = close * polynomial(F::erf_centre, fused(2 * close, close, T(-1)));
        const T tail = squared_bell(far).number() * polynomial(F::erf_tail, 1 - 8 / (far + 3)) / far;
        return with_sign(size > 1 ? 1 - tail : centre, x);
    }
    template <class T> static T slope(T x) { return T(1.12837916709551257390) * squared_bell(x).number(); }
    template <class T> static T bend(T x) { return -2 * bounded(x) * slope(x); }
    template <class T> static Power<T> squared_bell(T x) {  // e^(-x x)
        const T size = bounded_above(absolute(x)), square = size * size;
        return power_of_square(square, fused(size, size, -square));
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
