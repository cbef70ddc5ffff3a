// One step of recurrent layers, and its way back, for all examples.
//
// Arrays of all steps are (examples, steps, ...); pointers lead to the numbers of the first example at this step.
// Arrays of one step are (examples, ...). The sums of the gates are kept, and their functions computed anew on the
// way back: that is as precise as it gets, also far out.
#pragma once

#include <vector>

#include "pointwise.hpp"
#include "variant.hpp"

namespace VARIANT {

// gates (4 units): i, f, g, o before their functions, to which `sums` is added; cells and states (units).
template <class T> void lstm(Cell<T> c, T *gates, const T *sums, T *cells, T *states) {
    const std::size_t n = c.units;
    for (std::size_t row = 0; row < c.examples; ++row) {
        T *a = gates + row * c.steps * 4 * n, *cell = cells + row * c.steps * n, *state = states + row * c.steps * n;
        const T *s = sums + row * 4 * n, *last = c.before(row);
#pragma GCC ivdep
        for (std::size_t k = 0; k < 4 * n; ++k) a[k] += s[k];
#pragma GCC ivdep
        for (std::size_t k = 0; k < n; ++k) {
            const T kept = Sigmoid::value(a[n + k]) * last[k];
            cell[k] = kept + Sigmoid::value(a[k]) * Tanh::value(a[2 * n + k]);
            state[k] = Sigmoid::value(a[3 * n + k]) * Tanh::value(cell[k]);
        }
    }
}

// to_state and to_cell (units) have strides of their own between examples; null for 0.
template <class T>
void lstm_delta(Cell<T> c, const T *gates, const T *cells, Strided<T> to_state, Strided<T> to_cell, const T *state_back,
                T *cell_back, T *below) {
    const std::size_t n = c.units;
    const std::vector<T> zeros(n);
    for (std::size_t row = 0; row < c.examples; ++row) {
        const T *a = gates + row * c.steps * 4 * n, *cell = cells + row * c.steps * n, *last = c.before(row);
        const T *above = to_state.at(row, zeros.data()), *beside = to_cell.at(row, zeros.data());
        const T *back = state_back + row * n;
        T *u = below + row * c.steps * 4 * n, *rest = cell_back + row * n;
#pragma GCC ivdep
        for (std::size_t k = 0; k < n; ++k) {
            const T i = Sigmoid::value(a[k]), f = Sigmoid::value(a[n + k]), g = Tanh::value(a[2 * n + k]);
            const T o = Sigmoid::value(a[3 * n + k]), d = above[k] + back[k];
            const T e = beside[k] + rest[k] + d * o * Tanh::slope(cell[k]);
            u[k] = e * g * Sigmoid::slope(a[k]);
            u[n + k] = e * last[k] * Sigmoid::slope(a[n + k]);
            u[2 * n + k] = e * i * Tanh::slope(a[2 * n + k]);
            u[3 * n + k] = d * Tanh::value(cell[k]) * Sigmoid::slope(a[3 * n + k]);
            rest[k] = e * f;
        }
    }
}

// gates (3 units): r, z, n before their functions, to which `sums` is added; inner (units): the third part of `sums`.
template <class T> void gru(Cell<T> c, T *gates, const T *sums, T *inner, T *states) {
    const std::size_t n = c.units;
    for (std::size_t row = 0; row < c.examples; ++row) {
        T *a = gates + row * c.steps * 3 * n, *in = inner + row * c.steps * n, *state = states + row * c.steps * n;
        const T *s = sums + row * 3 * n, *last = c.before(row);
#pragma GCC ivdep
        for (std::size_t k = 0; k < 2 * n; ++k) a[k] += s[k];
#pragma GCC ivdep
        for (std::size_t k = 0; k < n; ++k) {
            in[k] = s[2 * n + k];
            a[2 * n + k] += Sigmoid::value(a[k]) * in[k];
            const T fresh = Tanh::value(a[2 * n + k]);
            state[k] = fresh + Sigmoid::value(a[n + k]) * (last[k] - fresh);
        }
    }
}

// below: δ of `gates`; beside: δ of `sums`; past (units): the part of δ that goes straight to the state before.
template <class T>
void gru_delta(Cell<T> c, const T *gates, const T *inner, Strided<T> delta, const T *state_back, T *below, T *beside,
               T *past) {
    const std::size_t n = c.units;
    for (std::size_t row = 0; row < c.examples; ++row) {
        const T *a = gates + row * c.steps * 3 * n, *in = inner + row * c.steps * n, *last = c.before(row);
        const T *above = delta.at(row, nullptr), *back = state_back + row * n;
        T *u = below + row * c.steps * 3 * n, *s = beside + row * c.steps * 3 * n, *straight = past + row * n;
#pragma GCC ivdep
        for (std::size_t k = 0; k < n; ++k) {
            const T z = a[n + k], fresh = Tanh::value(a[2 * n + k]), e = above[k] + back[k];
            const T third = e * Sigmoid::value(-z) * Tanh::slope(a[2 * n + k]);
            u[2 * n + k] = third;
            u[n + k] = s[n + k] = e * (last[k] - fresh) * Sigmoid::slope(z);
            u[k] = s[k] = third * in[k] * Sigmoid::slope(a[k]);
            s[2 * n + k] = third * Sigmoid::value(a[k]);
            straight[k] = e * Sigmoid::value(z);
        }
    }
}

}  // namespace VARIANT
