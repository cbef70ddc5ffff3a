// The kernels, compiled once for each set of instructions.
#pragma once

#include <cstddef>
#include <cstdint>

struct Groups {
    std::size_t rows;      // groups of all examples
    std::size_t groups;    // of an example
    std::size_t channels;  // of a group
    std::size_t places;    // of a channel

    std::size_t count() const { return channels * places; }
    std::size_t first(std::size_t row) const { return row % groups * channels; }
};

// What is saved of a row of a norm: its mean as a sum of two numbers, so that no digit of it is lost, and its factor.
template <class T> struct Moments {
    T high, low, factor;

    T operator()(T x) const { return ((x - high) - low) * factor; }
};

// Windows that slide over planes.
struct Windows {
    std::size_t planes;    // of all examples
    std::size_t channels;  // planes of an example
    std::size_t height, width;
    std::size_t out_height, out_width;  // windows along the axes
    std::size_t kernel_height, kernel_width;
    std::size_t stride_y, stride_x;
    std::size_t top, left;  // zeros before the plane
    std::size_t dilation_y, dilation_x;

    std::size_t places() const { return kernel_height * kernel_width; }
    std::size_t reach_y() const { return (out_height - 1) * stride_y + (kernel_height - 1) * dilation_y + 1; }
    std::size_t reach_x() const { return (out_width - 1) * stride_x + (kernel_width - 1) * dilation_x + 1; }
};

// Windows over planes whose numbers become columns of a matrix.
struct Columns {
    std::size_t channels, examples;
    std::size_t height, width;
    std::size_t out_height, out_width;
    std::size_t kernel_height, kernel_width;
    std::size_t stride_y, stride_x;
    std::ptrdiff_t top, left;  // how far the first window begins before the plane, or, below 0, behind its start
    std::size_t dilation_y, dilation_x;

    // Numbers of the columns of a channel.
    std::size_t of_channel() const { return kernel_height * kernel_width * examples * out_height * out_width; }
};

// Which numbers of a row count: bytes (examples or 1, queries, count) for rows (examples, heads, queries).
struct Seen {
    const unsigned char *mask;  // null where all do
    std::size_t heads, queries;
    bool each;  // whether each example has its own

    std::size_t row(std::size_t row) const {
        return (each ? row / (heads * queries) * queries : 0) + row % queries;
    }
};

// A step of a recurrent layer.
template <class T> struct Cell {
    std::size_t examples, steps, units;
    const T *last;           // the state (or cell) before this step, of the first example
    std::size_t last_stride;  // from an example to the next

    const T *before(std::size_t row) const { return last + row * last_stride; }
};

// A row of numbers for each example; null where they are 0.
template <class T> struct Strided {
    const T *first;
    std::size_t stride;

    const T *at(std::size_t row, const T *zeros) const { return first ? first + row * stride : zeros; }
};

// Numbers with strides of their own, between rows and between columns.
template <class T> struct Matrix {
    const T *first;
    std::size_t rows, columns;
    std::ptrdiff_t down, across;

    const T *at(std::size_t row, std::size_t column) const {
        return first + static_cast<std::ptrdiff_t>(row) * down + static_cast<std::ptrdiff_t>(column) * across;
    }
    Matrix from(std::size_t row, std::size_t column) const {
        return {at(row, column), rows - row, columns - column, down, across};
    }
};

constexpr std::size_t PANEL = 128;  // bytes of a row of a panel, on every processor

// The numbers of a step of Adam; `shrinks` (by `kept`) and `decays` (by `decay`) are the two forms of weight decay.
template <class T> struct AdamStep {
    bool shrinks, decays;
    T kept, decay;
    T beta1, rest1, beta2, rest2;  // of the means: how much stays, and how much is new
    T root, eps, rate;             // θ - m / (√v / root + eps) · rate
};

// Of a step by the gradient, or by its momentum; `starts`: this is the first.
template <class T> struct SgdStep {
    bool starts, nesterov, decays;
    T decay, momentum, fresh, rate;
};

// Of a step by the gradient over the root of its squares: how much of the means stays and is new.
template <class T> struct RmsStep {
    bool decays;
    T decay, kept, fresh, eps, momentum, rate;
};

// Of a step by the sign of a mean; `shrinks`: the parameter is multiplied by `kept` first.
template <class T> struct LionStep {
    bool shrinks;
    T kept, beta1, rest1, beta2, rest2, rate;
};

// A parameter with its state. Those that are null are no part of the step.
template <class T> struct AdamArrays {
    T *param, *mean, *square, *most;
};

template <class T> struct SgdArrays {
    T *param, *buffer;
};

template <class T> struct RmsArrays {
    T *param, *square, *mean, *buffer;
};

template <class T> struct LionArrays {
    T *param, *mean;
};

enum Pointwise { SIGMOID, TANH, SILU, SOFTPLUS, GELU, GELU_TANH, ERF, POINTWISE };

inline constexpr const char *POINTWISE_NAMES[] = {"sigmoid", "tanh", "silu", "softplus", "gelu", "gelu_tanh", "erf"};

// Operations of a tape; behind them come the value and the delta of each pointwise function.
inline constexpr const char *OPERATION_NAMES[] = {
    "add", "subtract", "multiply", "divide", "negate", "halve", "reciprocal", "root", "absolute", "absolute_delta",
    "sigmoid_power", "sigmoid_value", "sigmoid_from_power_delta"};
constexpr int OWN_OPERATIONS = sizeof(OPERATION_NAMES) / sizeof(*OPERATION_NAMES);
constexpr int OPERATIONS = OWN_OPERATIONS + 2 * POINTWISE;

template <class T> struct Kernels {
    void (*values[POINTWISE])(const T *x, T *y, std::size_t count);
    void (*deltas[POINTWISE])(const T *x, const T *delta, T *below, std::size_t count);
    void (*operations[OPERATIONS])(const T *a, const T *b, T *y, std::size_t count);
    void (*points[POINTWISE])(const T *x, T *y, T *slopes, std::size_t count);  // null where they share nothing
    void (*softmax)(const T *x, T *y, T *most, T *log_total, std::size_t rows, std::size_t count, T floor,
                    T scale, Seen seen);
    void (*softmax_delta)(const T *y, const T *delta, T *below, std::size_t rows, std::size_t count, T scale);
    void (*softmax_nll)(const T *x, const std::int64_t *labels, T *p, T *losses, std::size_t rows, std::size_t count);
    void (*softmax_nll_delta)(const T *p, const std::int64_t *labels, const T *delta, T *below, std::size_t rows,
                              std::size_t count, std::size_t rows_of_delta);
    bool (*norm)(const T *x, const T *weight, const T *bias, T *value, Moments<T> *saved, Groups shape, double eps,
                 bool centred);
    void (*norm_delta)(const T *x, const Moments<T> *saved, const T *weight, const T *delta, const double *sums,
                       T *below, Groups shape, double eps, bool centred);
    void (*norm_sums)(const T *x, const Moments<T> *saved, const T *delta, double *sums, Groups shape);
    void (*standardise)(const T *x, const T *weight, const T *bias, T *value, const Moments<T> *saved, Groups shape);
    void (*standardise_delta)(const T *weight, const T *delta, T *below, const Moments<T> *saved, Groups shape);
    void (*depthwise)(const T *x, const T *kernels, T *value, Windows windows);
    void (*depthwise_delta)(const T *kernels, const T *delta, T *below, Windows windows);
    void (*depthwise_gradient)(const T *x, const T *delta, T *gradient, Windows windows, std::size_t first,
                               std::size_t stop);
    void (*max_pool)(const T *x, T *y, Windows windows);
    void (*max_pool_delta)(const T *x, const T *y, const T *delta, T *below, Windows windows);
    void (*avg_pool)(const T *x, const T *share, T *y, Windows windows);
    void (*avg_pool_delta)(const T *share, const T *delta, T *below, Windows windows);
    void (*scatter)(const std::uint32_t *starts, const std::uint32_t *order, const T *delta, T *sums,
                    std::size_t rows, std::size_t width);
    void (*gather)(const T *x, T *columns, Columns shape);
    void (*correlate)(const T *x, const T *weight, T *value, Columns shape, std::size_t rows, std::size_t groups,
                      std::size_t first, std::size_t stop);
    void (*spread)(const T *columns, T *x, Columns shape);
    void (*lstm)(Cell<T> cell, T *gates, const T *sums, T *cells, T *states);
    void (*lstm_delta)(Cell<T> cell, const T *gates, const T *cells, Strided<T> to_state, Strided<T> to_cell,
                       const T *state_back, T *cell_back, T *below);
    void (*gru)(Cell<T> cell, T *gates, const T *sums, T *inner, T *states);
    void (*gru_delta)(Cell<T> cell, const T *gates, const T *inner, Strided<T> delta, const T *state_back, T *below,
                      T *beside, T *past);
    void (*pack)(Matrix<T> b, T *panels);
    void (*packed_product)(Matrix<T> a, const T *panels, Strided<T> plus, T *value, std::size_t stride,
                           std::size_t columns, std::size_t first, std::size_t stop);
    void (*add_row)(const T *a, const T *row, T *to, std::size_t rows, std::size_t count);
    void (*sum_rows)(const T *a, T *to, std::size_t rows, std::size_t count);
    bool (*finite)(const T *numbers, std::size_t count);
    double (*squared_norm)(const T *x, std::size_t count, std::size_t piece);
    void (*adam)(AdamArrays<const T> old, const T *gradient, AdamArrays<T> to, std::size_t count, AdamStep<T> step);
    void (*sgd)(SgdArrays<const T> old, const T *gradient, SgdArrays<T> to, std::size_t count, SgdStep<T> step);
    void (*rms)(RmsArrays<const T> old, const T *gradient, RmsArrays<T> to, std::size_t count, RmsStep<T> step);
    void (*lion)(LionArrays<const T> old, const T *gradient, LionArrays<T> to, std::size_t count, LionStep<T> step);
};

// Functions of one number under the complex step; arrays of complex numbers.
struct MovedKernels {
    void (*values[POINTWISE])(const double *x, double *y, std::size_t count);
    void (*deltas[POINTWISE])(const double *x, const double *delta, double *below, std::size_t count);
};

struct Variant {
    const char *instructions;
    Kernels<float> singles;
    Kernels<double> doubles;
    MovedKernels moved;
};

// The variant for the instructions that DELTAWIRE_KERNELS_INSTRUCTIONS names, or the fastest.
// Null where this processor has instructions of no variant; it throws where the named one is missing.
const Variant *best_variant();
