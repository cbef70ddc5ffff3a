// One variant of the kernels: compiled with VARIANT as its name, and the flags of its instructions.
#include "variant.hpp"

#include "cells.hpp"
#include "columns.hpp"
#include "correlation.hpp"
#include "depthwise.hpp"
#include "losses.hpp"
#include "matrices.hpp"
#include "moved.hpp"
#include "norms.hpp"
#include "operations.hpp"
#include "panels.hpp"
#include "pointwise.hpp"
#include "pooling.hpp"
#include "scatter.hpp"
#include "softmax.hpp"
#include "updates.hpp"

namespace VARIANT {

template <class T, class... Functions> constexpr Kernels<T> kernels() {
    return {{values<Functions, T>...},
            {deltas<Functions, T>...},
            {operate<Add, T>, operate<Subtract, T>, operate<Multiply, T>, operate<Divide, T>, operate<Negate, T>,
             operate<Halve, T>, operate<Reciprocal, T>, operate<Root, T>, operate<Absolute, T>,
             operate<AbsoluteDelta, T>, operate<SigmoidPower, T>, operate<SigmoidValue, T>, operate<SigmoidDelta, T>,
             operate<Value<Functions>, T>..., operate<Delta<Functions>, T>...},
            {points_of<Functions, T>()...},
            softmax<T>,           softmax_delta<T>,     softmax_nll<T>,       softmax_nll_delta<T>,
            norm<T>,              norm_delta<T>,        norm_sums<T>,         standardise<T>,
            standardise_delta<T>, depthwise<T>,         depthwise_delta<T>,   depthwise_gradient<T>,
            max_pool<T>,          max_pool_delta<T>,    avg_pool<T>,          avg_pool_delta<T>,
            scatter<T>,           gather<T>,            correlate<T>,         spread<T>,
            lstm<T>,              lstm_delta<T>,        gru<T>,               gru_delta<T>,
            pack<T>,              packed_product<T>,    add_row<T>,           sum_rows<T>,
            finite<T>,            squared_norm<T>,      adam<T>,              sgd<T>,
            rms<T>,               lion<T>};
}

template <class... Functions> struct Pointwises {
    template <class T> static constexpr Kernels<T> all() { return kernels<T, Functions...>(); }
    static constexpr MovedKernels moved() { return {{moved_values<Functions>...}, {moved_deltas<Functions>...}}; }
};

using Each = Pointwises<Sigmoid, Tanh, Silu, Softplus, Gelu, GeluTanh, Erf>;

#define TEXT_OF(name) #name
#define TEXT(name) TEXT_OF(name)

extern const Variant variant;
const Variant variant = {TEXT(VARIANT), Each::all<float>(), Each::all<double>(), Each::moved()};

}  // namespace VARIANT
