// Operations of a tape: numbers of one or two arrays to those of a third. One array comes twice where it is alone.
#pragma once

#include "pointwise.hpp"

namespace VARIANT {

inline float root(float x) { return __builtin_sqrtf(x); }
inline double root(double x) { return __builtin_sqrt(x); }

struct Add { template <class T> static T of(T a, T b) { return a + b; } };
struct Subtract { template <class T> static T of(T a, T b) { return a - b; } };
struct Multiply { template <class T> static T of(T a, T b) { return a * b; } };
struct Divide { template <class T> static T of(T a, T b) { return a / b; } };
struct Negate { template <class T> static T of(T a, T) { return -a; } };
struct Halve { template <class T> static T of(T a, T) { return T(0.5) * a; } };
struct Reciprocal { template <class T> static T of(T a, T) { return 1 / a; } };
struct Root { template <class T> static T of(T a, T) { return root(a); } };
struct Absolute { template <class T> static T of(T a, T) { return absolute(a); } };

struct AbsoluteDelta {
    template <class T> static T of(T a, T delta) {
        const T turned = a < 0 ? -delta : delta;
        return a == 0 ? T(0) : turned;
    }
};

// A sigmoid in two steps, since its derivative takes the same power.
struct SigmoidPower { template <class T> static T of(T a, T) { return Sigmoid::power(a); } };
struct SigmoidValue { template <class T> static T of(T a, T power) { return Sigmoid::value(a, power); } };
struct SigmoidDelta { template <class T> static T of(T power, T delta) { return Sigmoid::slope_at(power) * delta; } };

template <class Function> struct Value { template <class T> static T of(T a, T) { return Function::value(a); } };
template <class Function> struct Delta {
    template <class T> static T of(T a, T delta) { return Function::slope(a) * delta; }
};

template <class Operation, class T> void operate(const T *a, const T *b, T *y, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) y[i] = Operation::of(a[i], b[i]);
}

}  // namespace VARIANT
