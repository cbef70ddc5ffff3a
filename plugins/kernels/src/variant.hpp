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

// What is saved of the rows of a norm: their means as a sum of two numbers, and their factors.
template <class T> struct Saved {
    T *high, *low, *factor;
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

enum Pointwise { SIGMOID, TANH, SILU, SOFTPLUS, GELU, GELU_TANH, ERF, POINTWISE };

inline constexpr const char *POINTWISE_NAMES[] = {"sigmoid", "tanh", "silu", "softplus", "gelu", "gelu_tanh", "erf"};

template <class T> struct Kernels {
    void (*values[POINTWISE])(const T *x, T *y, std::size_t count);
    void (*deltas[POINTWISE])(const T *x, const T *delta, T *below, std::size_t count);
    void (*softmax)(const T *x, T *y, T *most, T *log_total, std::size_t rows, std::size_t count, T floor);
    void (*softmax_delta)(const T *y, const T *delta, T *below, std::size_t rows, std::size_t count);
    bool (*norm)(const T *x, const T *weight, const T *bias, T *value, Saved<T> saved, Groups shape, double eps,
                 bool centred);
    void (*norm_delta)(const T *x, Saved<T> saved, const T *weight, const T *delta, T *below, Groups shape,
                       bool centred);
    void (*standardise)(const T *x, const T *weight, const T *bias, T *value, Saved<T> saved, Groups shape);
    void (*standardise_delta)(const T *weight, const T *delta, T *below, Saved<T> saved, Groups shape);
    void (*norm_gradient)(const T *x, Saved<T> saved, const T *delta, T *sums, Groups shape);
    void (*depthwise)(const T *x, const T *kernels, T *value, Windows windows);
    void (*depthwise_delta)(const T *kernels, const T *delta, T *below, Windows windows);
    void (*depthwise_gradient)(const T *x, const T *delta, T *gradient, Windows windows);
    void (*scatter)(const std::uint32_t *starts, const std::uint32_t *order, const T *delta, T *sums,
                    std::size_t rows, std::size_t width);
    void (*channel_sums)(const T *delta, T *sums, std::size_t examples, std::size_t channels, std::size_t places);
};

struct Variant {
    const char *instructions;
    Kernels<float> singles;
    Kernels<double> doubles;
};

// Null where this processor has none of the sets of instructions.
const Variant *best_variant();
