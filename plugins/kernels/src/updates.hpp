// Steps of optimizers: each number of a parameter is updated with its state in one pass.
//
// The arrays that are read are those that are written, or share no memory with them.
// Every operation is that of the rule in numpy, in its order, so that the bits are the same.
#pragma once

#include <cstddef>

#include "variant.hpp"

namespace VARIANT {

inline float square_root(float x) { return __builtin_sqrtf(x); }
inline double square_root(double x) { return __builtin_sqrt(x); }

// Σ x² in double precision, added in the order in which numpy adds the squares: halves of halves, and in the smallest
// ones eight sums side by side.
template <class T> double sum_of_squares(const T *x, std::size_t count) {
    constexpr std::size_t SIDE = 8, LEAST = 128;
    if (count > LEAST) {
        const std::size_t half = count / 2 / SIDE * SIDE;
        return sum_of_squares(x, half) + sum_of_squares(x + half, count - half);
    }
    const auto squared = [x](std::size_t i) { return static_cast<double>(x[i]) * static_cast<double>(x[i]); };
    double sums[SIDE] = {}, total = 0;
    std::size_t i = 0;
    if (count >= SIDE) {
        for (; i + SIDE <= count; i += SIDE)
            for (std::size_t side = 0; side < SIDE; ++side) sums[side] += squared(i + side);
        total = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
    }
    for (; i < count; ++i) total += squared(i);
    return total;
}

// The sum of the sums of pieces, each of `piece` numbers.
template <class T> double squared_norm(const T *x, std::size_t count, std::size_t piece) {
    double total = 0;
    for (; count > piece; x += piece, count -= piece) total += sum_of_squares(x, piece);
    return total + sum_of_squares(x, count);
}

// mean and square: of the gradient; most: the greatest mean of squares so far, read and written only if `amsgrad`.
template <bool amsgrad, class T>
void adam_step(AdamArrays<const T> old, const T *gradient, AdamArrays<T> to, std::size_t count, AdamStep<T> s) {
#pragma GCC ivdep
    for (std::size_t i = 0; i < count; ++i) {
        const T p = s.shrinks ? old.param[i] * s.kept : old.param[i];
        const T g = s.decays ? p * s.decay + gradient[i] : gradient[i];
        const T m = old.mean[i] * s.beta1 + g * s.rest1, v = old.square[i] * s.beta2 + g * g * s.rest2;
        to.mean[i] = m, to.square[i] = v;
        T under = v;
        if constexpr (amsgrad) {
            const T most = old.most[i];
            under = to.most[i] = most > v || most != most ? most : v;
        }
        to.param[i] = p - m / (square_root(under) / s.root + s.eps) * s.rate;
    }
}

template <class T>
void adam(AdamArrays<const T> old, const T *gradient, AdamArrays<T> to, std::size_t count, AdamStep<T> step) {
    (old.most ? adam_step<true, T> : adam_step<false, T>)(old, gradient, to, count, step);
}

// buffer: momentum, null where there is none.
template <bool momentum, class T>
void sgd_step(SgdArrays<const T> old, const T *gradient, SgdArrays<T> to, std::size_t count, SgdStep<T> s) {
#pragma GCC ivdep
    for (std::size_t i = 0; i < count; ++i) {
        const T p = old.param[i];
        T g = s.decays ? p * s.decay + gradient[i] : gradient[i];
        if constexpr (momentum) {
            const T b = to.buffer[i] = s.starts ? g : old.buffer[i] * s.momentum + g * s.fresh;
            g = s.nesterov ? g + b * s.momentum : b;
        }
        to.param[i] = p - g * s.rate;
    }
}

template <class T>
void sgd(SgdArrays<const T> old, const T *gradient, SgdArrays<T> to, std::size_t count, SgdStep<T> step) {
    (old.buffer ? sgd_step<true, T> : sgd_step<false, T>)(old, gradient, to, count, step);
}

// square: a mean or a sum of squares; mean: of the gradient, where its square is taken off; buffer: momentum.
template <bool centred, bool momentum, class T>
void rms_step(RmsArrays<const T> old, const T *gradient, RmsArrays<T> to, std::size_t count, RmsStep<T> s) {
#pragma GCC ivdep
    for (std::size_t i = 0; i < count; ++i) {
        const T p = old.param[i], g = s.decays ? p * s.decay + gradient[i] : gradient[i];
        const T v = to.square[i] = old.square[i] * s.kept + g * g * s.fresh;
        T under = v;
        if constexpr (centred) {
            const T m = to.mean[i] = old.mean[i] * s.kept + g * s.fresh, variance = v - m * m;
            under = variance < 0 ? T(0) : variance;  // NaN stays
        }
        T change = g / (square_root(under) + s.eps);
        if constexpr (momentum) change = to.buffer[i] = old.buffer[i] * s.momentum + change;
        to.param[i] = p - change * s.rate;
    }
}

template <class T>
void rms(RmsArrays<const T> old, const T *gradient, RmsArrays<T> to, std::size_t count, RmsStep<T> step) {
    const auto plain = old.buffer ? rms_step<false, true, T> : rms_step<false, false, T>;
    const auto centred = old.buffer ? rms_step<true, true, T> : rms_step<true, false, T>;
    (old.mean ? centred : plain)(old, gradient, to, count, step);
}

template <class T>
void lion(LionArrays<const T> old, const T *gradient, LionArrays<T> to, std::size_t count, LionStep<T> s) {
#pragma GCC ivdep
    for (std::size_t i = 0; i < count; ++i) {
        const T g = gradient[i], m = old.mean[i], way = m * s.beta1 + g * s.rest1;
        const T sign = way > 0 ? T(1) : way < 0 ? T(-1) : way == 0 ? T(0) : way;
        to.param[i] = (s.shrinks ? old.param[i] * s.kept : old.param[i]) - sign * s.rate;
        to.mean[i] = m * s.beta2 + g * s.rest2;
    }
}

}  // namespace VARIANT
