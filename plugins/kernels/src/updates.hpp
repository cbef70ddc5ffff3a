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

}  // namespace VARIANT
