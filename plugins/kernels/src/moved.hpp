// Functions of one number under the complex step: to first order, f(a + ib) = f(a) + i b f'(a).
//
// Complex numbers are two reals one after the other. Blocks of them are taken apart, so that the functions are
// computed with SIMD instructions, and put together again.
#pragma once

#include "pointwise.hpp"

namespace VARIANT {

// A part of 0 moves nothing, also where the slope is infinite.
inline double step(double slope, double part) { return part == 0 ? 0 : slope * part; }

constexpr std::size_t MOVED_BLOCK = 256;

// Calls compute(reals, imaginary parts, results' reals, results' imaginary parts, how many) for each block.
template <class Compute> void in_parts(const double *x, double *y, std::size_t count, Compute compute) {
    double real[MOVED_BLOCK], imag[MOVED_BLOCK], value[MOVED_BLOCK], moves[MOVED_BLOCK];
    for (std::size_t first = 0; first < count; first += MOVED_BLOCK) {
        const std::size_t many = count - first < MOVED_BLOCK ? count - first : MOVED_BLOCK;
        for (std::size_t i = 0; i < many; ++i) {
            real[i] = x[2 * (first + i)];
            imag[i] = x[2 * (first + i) + 1];
        }
        compute(real, imag, value, moves, first, many);
        for (std::size_t i = 0; i < many; ++i) {
            y[2 * (first + i)] = value[i];
            y[2 * (first + i) + 1] = moves[i];
        }
    }
}

template <class Function>
FLAT void block_values(const double *a, const double *b, double *value, double *moves, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const double at = a[i], y = Function::value(at), slope = Function::slope(at);  // they share much
        value[i] = y;
        moves[i] = step(slope, b[i]);
    }
}

template <class Function>
FLAT void block_slopes(const double *a, const double *b, double *slope, double *moves, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const double at = a[i], rise = Function::slope(at), bend = Function::bend(at);
        slope[i] = rise;
        moves[i] = step(bend, b[i]);
    }
}

// x, y: complex numbers.
template <class Function> void moved_values(const double *x, double *y, std::size_t count) {
    in_parts(x, y, count, [](auto a, auto b, auto value, auto moves, std::size_t, std::size_t many) {
        block_values<Function>(a, b, value, moves, many);
    });
}

// x, delta, below: complex numbers; to first order, f'(a + ib) δ.
template <class Function>
void moved_deltas(const double *x, const double *delta, double *below, std::size_t count) {
    in_parts(x, below, count, [=](auto a, auto b, auto slope, auto moves, std::size_t first, std::size_t many) {
        block_slopes<Function>(a, b, slope, moves, many);
        const double *above = delta + 2 * first;
        for (std::size_t i = 0; i < many; ++i) {
            const double real = above[2 * i], imag = above[2 * i + 1];
            moves[i] = slope[i] * imag + moves[i] * real;
            slope[i] *= real;
        }
    });
}

}  // namespace VARIANT
