// Windows that slide over planes.
#include <array>

#include "bindings.hpp"

namespace {

using Sizes = std::array<std::size_t, 12>;

// Sizes: height and width of a plane, of the windows, of a kernel, of a stride, of the padding before, of a dilation.
Windows windows_of(const Sizes &s, std::size_t wide, std::size_t narrow, std::size_t kernels) {
    for (std::size_t i = 0; i < s.size(); ++i)
        if (s[i] >= std::size_t(1) << 24 || (!s[i] && i != 8 && i != 9))
            throw std::invalid_argument("there are no such windows");
    const std::size_t planes = divided(wide, s[0] * s[1]), channels = divided(kernels, s[4] * s[5]);
    same(planes * s[2] * s[3], narrow);
    divided(planes, channels);
    return {planes, channels, s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9], s[10], s[11]};
}

template <class T> void depthwise(In<T> x, In<T> weight, Out<T> value, Sizes sizes) {
    const Windows windows = windows_of(sizes, x.size(), value.size(), weight.size());
    const Unlocked unlocked(x.size());
    kernels<T>().depthwise(x.data(), weight.data(), value.data(), windows);
}

template <class T> void depthwise_delta(In<T> weight, In<T> above, Out<T> below, Sizes sizes) {
    const Windows windows = windows_of(sizes, below.size(), above.size(), weight.size());
    const Unlocked unlocked(below.size());
    kernels<T>().depthwise_delta(weight.data(), above.data(), below.data(), windows);
}

// Of the channels from `first` to `stop`.
template <class T>
void depthwise_gradient(In<T> x, In<T> above, Out<T> gradient, Sizes sizes, std::size_t first, std::size_t stop) {
    const Windows windows = windows_of(sizes, x.size(), above.size(), gradient.size());
    if (first > stop || stop > windows.channels) throw std::invalid_argument("there are no such channels");
    const Unlocked unlocked(x.size());
    kernels<T>().depthwise_gradient(x.data(), above.data(), gradient.data(), windows, first, stop);
}

Windows windows_of(const Sizes &s, std::size_t wide, std::size_t narrow) {
    return windows_of(s, wide, narrow, s[4] * s[5]);
}

template <class T> void max_pool(In<T> x, Out<T> y, Sizes sizes) {
    const Windows windows = windows_of(sizes, x.size(), y.size());
    const Unlocked unlocked(x.size());
    kernels<T>().max_pool(x.data(), y.data(), windows);
}

template <class T> void max_pool_delta(In<T> x, In<T> y, In<T> above, Out<T> below, Sizes sizes) {
    const Windows windows = windows_of(sizes, x.size(), y.size());
    same(above.size(), y.size()), same(below.size(), x.size());
    const Unlocked unlocked(x.size());
    kernels<T>().max_pool_delta(x.data(), y.data(), above.data(), below.data(), windows);
}

// `share` is the same for all planes.
template <class T> void avg_pool(In<T> x, In<T> share, Out<T> y, Sizes sizes) {
    const Windows windows = windows_of(sizes, x.size(), y.size());
    same(share.size(), windows.out_height * windows.out_width);
    const Unlocked unlocked(x.size());
    kernels<T>().avg_pool(x.data(), share.data(), y.data(), windows);
}

template <class T> void avg_pool_delta(In<T> share, In<T> above, Out<T> below, Sizes sizes) {
    const Windows windows = windows_of(sizes, below.size(), above.size());
    same(share.size(), windows.out_height * windows.out_width);
    const Unlocked unlocked(below.size());
    kernels<T>().avg_pool_delta(share.data(), above.data(), below.data(), windows);
}

using Places = std::array<std::ptrdiff_t, 14>;

// Sizes: channels, examples, height and width of a plane, of the windows, of a kernel, of a stride, how far the first
// window begins before the plane, and a dilation.
Columns columns_of(const Places &s, std::size_t planes) {
    for (std::size_t i = 0; i < s.size(); ++i)
        if (s[i] >= std::ptrdiff_t(1) << 31 || s[i] <= -(std::ptrdiff_t(1) << 31) || (s[i] < 1 && i != 10 && i != 11))
            throw std::invalid_argument("there are no such windows");
    const std::size_t size[] = {std::size_t(s[0]), std::size_t(s[1]), std::size_t(s[2]), std::size_t(s[3])};
    same(size[0] * size[1] * size[2] * size[3], planes);
    return {size[0], size[1], size[2], size[3], std::size_t(s[4]), std::size_t(s[5]), std::size_t(s[6]),
            std::size_t(s[7]), std::size_t(s[8]), std::size_t(s[9]), s[10], s[11], std::size_t(s[12]),
            std::size_t(s[13])};
}

Columns columns_of(const Places &s, std::size_t planes, std::size_t columns) {
    const Columns shape = columns_of(s, planes);
    same(divided(divided(divided(divided(columns, s[0]), s[1]), s[4] * s[5]), s[6] * s[7]), 1);
    return shape;
}

template <class T> void gather(In<T> x, Out<T> columns, Places sizes) {
    const Columns shape = columns_of(sizes, x.size(), columns.size());
    const Unlocked unlocked(columns.size());
    kernels<T>().gather(x.data(), columns.data(), shape);
}

// The rows of windows from `first` to `stop`, of those of all examples.
template <class T>
void correlate(In<T> x, In<T> weight, Out<T> value, Places sizes, std::size_t groups, std::size_t first,
               std::size_t stop) {
    const Columns shape = columns_of(sizes, x.size());
    const std::size_t places = shape.kernel_height * shape.kernel_width;
    const std::size_t rows = divided(divided(weight.size(), divided(shape.channels, groups)), places);
    divided(rows, groups);
    same(divided(divided(divided(value.size(), rows), shape.examples), shape.out_height), shape.out_width);
    if (first > stop || stop > shape.examples * shape.out_height)
        throw std::invalid_argument("there are no such rows of windows");
    const Unlocked unlocked(value.size());
    kernels<T>().correlate(x.data(), weight.data(), value.data(), shape, rows, groups, first, stop);
}

template <class T> void spread(In<T> columns, Out<T> x, Places sizes) {
    const Columns shape = columns_of(sizes, x.size(), columns.size());
    const Unlocked unlocked(columns.size());
    kernels<T>().spread(columns.data(), x.data(), shape);
}

template <class T> void bind(nb::module_ &m) {
    m.def("depthwise", depthwise<T>, "x"_a.noconvert(), "weight"_a.noconvert(), "value"_a.noconvert(), "sizes"_a);
    m.def("depthwise_delta", depthwise_delta<T>, "weight"_a.noconvert(), "above"_a.noconvert(), "below"_a.noconvert(),
          "sizes"_a);
    m.def("depthwise_gradient", depthwise_gradient<T>, "x"_a.noconvert(), "above"_a.noconvert(),
          "gradient"_a.noconvert(), "sizes"_a, "first"_a, "stop"_a);
    m.def("max_pool", max_pool<T>, "x"_a.noconvert(), "y"_a.noconvert(), "sizes"_a);
    m.def("max_pool_delta", max_pool_delta<T>, "x"_a.noconvert(), "y"_a.noconvert(), "above"_a.noconvert(),
          "below"_a.noconvert(), "sizes"_a);
    m.def("avg_pool", avg_pool<T>, "x"_a.noconvert(), "share"_a.noconvert(), "y"_a.noconvert(), "sizes"_a);
    m.def("avg_pool_delta", avg_pool_delta<T>, "share"_a.noconvert(), "above"_a.noconvert(), "below"_a.noconvert(),
          "sizes"_a);
    m.def("gather", gather<T>, "x"_a.noconvert(), "columns"_a.noconvert(), "sizes"_a);
    m.def("correlate", correlate<T>, "x"_a.noconvert(), "weight"_a.noconvert(), "value"_a.noconvert(), "sizes"_a,
          "groups"_a, "first"_a, "stop"_a);
    m.def("spread", spread<T>, "columns"_a.noconvert(), "x"_a.noconvert(), "sizes"_a);
}

}  // namespace

void bind_planes(nb::module_ &m) {
    bind<float>(m);
    bind<double>(m);
}
