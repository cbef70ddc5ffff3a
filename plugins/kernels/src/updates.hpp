// Steps of optimizers: each number of a parameter is updated with its state in one pass.
//
// Every operation is that of the rule in numpy, in its order, so that the bits are the same.
#pragma once

#include <cstddef>

#include "variant.hpp"

namespace VARIANT {

inline float square_root(float x) { return __builtin_sqrtf(x); }
inline double square_root(double x) { return __builtin_sqrt(x); }

// mean and square: of the gradient; most: the greatest mean of squares so far, read and written only if `amsgrad`.
template <bool amsgrad, class T>
void adam_step(T *param, const T *gradient, T *mean, T *square, T *most, std::size_t count, AdamStep<T> s) {
#pragma GCC ivdep
    for (std::size_t i = 0; i < count; ++i) {
        const T p = s.shrinks ? param[i] * s.kept : param[i];
        const T g = s.decays ? p * s.decay + gradient[i] : gradient[i];
        const T m = mean[i] * s.beta1 + g * s.rest1, v = square[i] * s.beta2 + g * g * s.rest2;
        mean[i] = m, square[i] = v;
        T under = v;
        if constexpr (amsgrad) under = most[i] = most[i] > v || most[i] != most[i] ? most[i] : v;
        param[i] = p - m / (square_root(under) / s.root + s.eps) * s.rate;
    }
}

template <class T>
void adam(T *param, const T *gradient, T *mean, T *square, T *most, std::size_t count, AdamStep<T> step) {
    (most ? adam_step<true, T> : adam_step<false, T>)(param, gradient, mean, square, most, count, step);
}

// buffer: momentum, null where there is none.
template <bool momentum, class T>
void sgd_step(T *param, const T *gradient, T *buffer, std::size_t count, SgdStep<T> s) {
#pragma GCC ivdep
    for (std::size_t i = 0; i < count; ++i) {
        T g = s.decays ? param[i] * s.decay + gradient[i] : gradient[i];
        if constexpr (momentum) {
            const T b = buffer[i] = s.starts ? g : buffer[i] * s.momentum + g * s.fresh;
            g = s.nesterov ? g + b * s.momentum : b;
        }
        param[i] -= g * s.rate;
    }
}

template <class T> void sgd(T *param, const T *gradient, T *buffer, std::size_t count, SgdStep<T> step) {
    (buffer ? sgd_step<true, T> : sgd_step<false, T>)(param, gradient, buffer, count, step);
}

// square: a mean or a sum of squares; mean: of the gradient, where its square is taken off; buffer: momentum.
template <bool centred, bool momentum, class T>
void rms_step(T *param, const T *gradient, T *square, T *mean, T *buffer, std::size_t count, RmsStep<T> s) {
#pragma GCC ivdep
    for (std::size_t i = 0; i < count; ++i) {
        const T g = s.decays ? param[i] * s.decay + gradient[i] : gradient[i];
        const T v = square[i] = square[i] * s.kept + g * g * s.fresh;
        T under = v;
        if constexpr (centred) {
            const T m = mean[i] = mean[i] * s.kept + g * s.fresh, variance = v - m * m;
            under = variance < 0 ? T(0) : variance;  // NaN stays
        }
        T change = g / (square_root(under) + s.eps);
        if constexpr (momentum) change = buffer[i] = buffer[i] * s.momentum + change;
        param[i] -= change * s.rate;
    }
}

template <class T>
void rms(T *param, const T *gradient, T *square, T *mean, T *buffer, std::size_t count, RmsStep<T> step) {
    const auto plain = buffer ? rms_step<false, true, T> : rms_step<false, false, T>;
    const auto centred = buffer ? rms_step<true, true, T> : rms_step<true, false, T>;
    (mean ? centred : plain)(param, gradient, square, mean, buffer, count, step);
}

template <class T> void lion(T *param, const T *gradient, T *mean, std::size_t count, LionStep<T> s) {
#pragma GCC ivdep
    for (std::size_t i = 0; i < count; ++i) {
        const T g = gradient[i], m = mean[i], way = m * s.beta1 + g * s.rest1;
        const T sign = way > 0 ? T(1) : way < 0 ? T(-1) : way == 0 ? T(0) : way;
        param[i] = (s.shrinks ? param[i] * s.kept : param[i]) - sign * s.rate;
        mean[i] = m * s.beta2 + g * s.rest2;
    }
}

}  // namespace VARIANT
