// The Python module: it checks arrays, releases the GIL, and calls the variant for this processor.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <stdexcept>
#include <vector>

#include "variant.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

template <class T> using In = nb::ndarray<const T, nb::c_contig, nb::device::cpu>;
template <class T> using Out = nb::ndarray<T, nb::c_contig, nb::device::cpu>;
template <class T> using MaybeIn = std::optional<In<T>>;
template <class T> using MaybeOut = std::optional<Out<T>>;

constexpr std::size_t SMALL = 1 << 12;  // numbers below which to give up the GIL takes longer than it saves

// Another thread may run while a long kernel computes.
class Unlocked {
  public:
    explicit Unlocked(std::size_t numbers) {
        if (numbers >= SMALL) released.emplace();
    }

  private:
    std::optional<nb::gil_scoped_release> released;
};

const Variant &variant() {
    static const Variant *const best = best_variant();
    if (!best) throw std::runtime_error("this processor has none of the instructions of the kernels");
    return *best;
}

template <class T> const Kernels<T> &kernels();
template <> const Kernels<float> &kernels() { return variant().singles; }
template <> const Kernels<double> &kernels() { return variant().doubles; }

void same(std::size_t a, std::size_t b) {
    if (a != b) throw std::invalid_argument("the arrays differ in size");
}

template <class T> void size_of(const std::optional<T> &array, std::size_t numbers) {
    if (array) same(array->size(), numbers);
}

template <class Array> auto *data_of(const std::optional<Array> &array) {
    return array ? array->data() : nullptr;
}

Pointwise checked(int function) {
    if (function < 0 || function >= POINTWISE) throw std::invalid_argument("there is no such function");
    return static_cast<Pointwise>(function);
}

template <class T> void value(int function, In<T> x, Out<T> y) {
    same(x.size(), y.size());
    const auto compute = kernels<T>().values[checked(function)];
    const Unlocked unlocked(x.size());
    compute(x.data(), y.data(), x.size());
}

template <class T> void delta(int function, In<T> x, In<T> above, Out<T> below) {
    same(x.size(), above.size());
    same(x.size(), below.size());
    const auto compute = kernels<T>().deltas[checked(function)];
    const Unlocked unlocked(x.size());
    compute(x.data(), above.data(), below.data(), x.size());
}

std::size_t divided(std::size_t numbers, std::size_t rows) {
    if (!rows || numbers % rows) throw std::invalid_argument("the numbers do not fill the rows");
    return numbers / rows;
}

template <class T> void softmax(In<T> x, Out<T> y, Out<T> most, Out<T> log_total, double floor) {
    same(x.size(), y.size());
    same(most.size(), log_total.size());
    const std::size_t rows = most.size(), count = divided(x.size(), rows);
    const Unlocked unlocked(x.size());
    kernels<T>().softmax(x.data(), y.data(), most.data(), log_total.data(), rows, count, static_cast<T>(floor));
}

template <class T> void softmax_delta(In<T> y, In<T> above, Out<T> below, std::size_t rows) {
    same(y.size(), above.size());
    same(y.size(), below.size());
    const std::size_t count = divided(y.size(), rows);
    const Unlocked unlocked(y.size());
    kernels<T>().softmax_delta(y.data(), above.data(), below.data(), rows, count);
}

Groups grouped(std::size_t numbers, std::size_t rows, std::size_t groups, std::size_t channels) {
    const std::size_t count = divided(numbers, rows);
    if (!groups || rows % groups || !channels || count % channels)
        throw std::invalid_argument("the rows cannot be divided into these groups and channels");
    return {rows, groups, channels, count / channels};
}

// Moments (3, rows): what is saved of each row.
template <class T> Saved<T> saved_in(const Out<T> &moments) {
    const std::size_t rows = divided(moments.size(), 3);
    return {moments.data(), moments.data() + rows, moments.data() + 2 * rows};
}

template <class T>
bool norm(In<T> x, MaybeIn<T> weight, MaybeIn<T> bias, Out<T> value, Out<T> moments, std::size_t groups,
          std::size_t channels, double eps, bool centred) {
    const Groups shape = grouped(x.size(), divided(moments.size(), 3), groups, channels);
    same(x.size(), value.size());
    if (bias && !weight) throw std::invalid_argument("a bias goes with a weight");
    size_of(weight, groups * channels);
    size_of(bias, groups * channels);
    const Unlocked unlocked(x.size());
    return kernels<T>().norm(x.data(), data_of(weight), data_of(bias), value.data(), saved_in<T>(moments), shape,
                             eps, centred);
}

template <class T>
void norm_delta(In<T> x, Out<T> moments, MaybeIn<T> weight, In<T> above, Out<T> below, std::size_t groups,
                std::size_t channels, bool centred) {
    const Groups shape = grouped(x.size(), divided(moments.size(), 3), groups, channels);
    same(x.size(), above.size());
    same(x.size(), below.size());
    size_of(weight, groups * channels);
    const Unlocked unlocked(x.size());
    kernels<T>().norm_delta(x.data(), saved_in<T>(moments), data_of(weight), above.data(), below.data(), shape,
                            centred);
}

template <class T>
void standardise(In<T> x, MaybeIn<T> weight, MaybeIn<T> bias, Out<T> value, Out<T> moments, std::size_t groups,
                 std::size_t channels) {
    const Groups shape = grouped(x.size(), divided(moments.size(), 3), groups, channels);
    same(x.size(), value.size());
    if (bias && !weight) throw std::invalid_argument("a bias goes with a weight");
    size_of(weight, groups * channels);
    size_of(bias, groups * channels);
    const Unlocked unlocked(x.size());
    kernels<T>().standardise(x.data(), data_of(weight), data_of(bias), value.data(), saved_in<T>(moments), shape);
}

template <class T>
void standardise_delta(Out<T> moments, MaybeIn<T> weight, In<T> above, Out<T> below, std::size_t groups,
                       std::size_t channels) {
    const Groups shape = grouped(above.size(), divided(moments.size(), 3), groups, channels);
    same(above.size(), below.size());
    size_of(weight, groups * channels);
    const Unlocked unlocked(above.size());
    kernels<T>().standardise_delta(data_of(weight), above.data(), below.data(), saved_in<T>(moments), shape);
}

template <class T> void norm_gradient(In<T> x, Out<T> moments, In<T> above, Out<T> sums, std::size_t groups) {
    const std::size_t channels = divided(sums.size(), groups);
    const Groups shape = grouped(x.size(), divided(moments.size(), 3), groups, channels);
    same(x.size(), above.size());
    const Unlocked unlocked(x.size());
    kernels<T>().norm_gradient(x.data(), saved_in<T>(moments), above.data(), sums.data(), shape);
}

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

template <class T> void depthwise_gradient(In<T> x, In<T> above, Out<T> gradient, Sizes sizes) {
    const Windows windows = windows_of(sizes, x.size(), above.size(), gradient.size());
    const Unlocked unlocked(x.size());
    kernels<T>().depthwise_gradient(x.data(), above.data(), gradient.data(), windows);
}

template <class T> void scatter(In<std::int64_t> index, In<T> above, Out<T> sums, std::size_t rows) {
    const std::size_t count = index.size(), width = divided(sums.size(), rows);
    same(count * width, above.size());
    if (std::max(count, rows) >= std::numeric_limits<std::uint32_t>::max())
        throw std::invalid_argument("there are too many rows");
    const std::int64_t *to = index.data();
    const Unlocked unlocked(above.size());
    std::vector<std::uint32_t> starts(rows + 2), order(count);
    for (std::size_t i = 0; i < count; ++i) {
        if (to[i] < 0 || std::size_t(to[i]) >= rows) throw std::invalid_argument("there is no such row");
        ++starts[to[i] + 2];
    }
    for (std::size_t row = 2; row < rows + 2; ++row) starts[row] += starts[row - 1];
    for (std::size_t i = 0; i < count; ++i) order[starts[to[i] + 1]++] = std::uint32_t(i);
    kernels<T>().scatter(starts.data(), order.data(), above.data(), sums.data(), rows, width);
}

template <class T> void channel_sums(In<T> above, Out<T> sums, std::size_t examples) {
    const std::size_t places = divided(divided(above.size(), examples), sums.size());
    const Unlocked unlocked(above.size());
    kernels<T>().channel_sums(above.data(), sums.data(), examples, sums.size(), places);
}

template <class T> void bind(nb::module_ &m) {
    m.def("value", value<T>, "function"_a, "x"_a.noconvert(), "y"_a.noconvert());
    m.def("delta", delta<T>, "function"_a, "x"_a.noconvert(), "above"_a.noconvert(), "below"_a.noconvert());
    m.def("softmax", softmax<T>, "x"_a.noconvert(), "y"_a.noconvert(), "most"_a.noconvert(),
          "log_total"_a.noconvert(), "floor"_a);
    m.def("softmax_delta", softmax_delta<T>, "y"_a.noconvert(), "above"_a.noconvert(), "below"_a.noconvert(),
          "rows"_a);
    m.def("norm", norm<T>, "x"_a.noconvert(), "weight"_a.noconvert().none(), "bias"_a.noconvert().none(),
          "value"_a.noconvert(), "moments"_a.noconvert(), "groups"_a, "channels"_a, "eps"_a, "centred"_a);
    m.def("norm_delta", norm_delta<T>, "x"_a.noconvert(), "moments"_a.noconvert(), "weight"_a.noconvert().none(),
          "above"_a.noconvert(), "below"_a.noconvert(), "groups"_a, "channels"_a, "centred"_a);
    m.def("standardise", standardise<T>, "x"_a.noconvert(), "weight"_a.noconvert().none(), "bias"_a.noconvert().none(),
          "value"_a.noconvert(), "moments"_a.noconvert(), "groups"_a, "channels"_a);
    m.def("standardise_delta", standardise_delta<T>, "moments"_a.noconvert(), "weight"_a.noconvert().none(),
          "above"_a.noconvert(), "below"_a.noconvert(), "groups"_a, "channels"_a);
    m.def("norm_gradient", norm_gradient<T>, "x"_a.noconvert(), "moments"_a.noconvert(), "above"_a.noconvert(),
          "sums"_a.noconvert(), "groups"_a);
    m.def("depthwise", depthwise<T>, "x"_a.noconvert(), "weight"_a.noconvert(), "value"_a.noconvert(), "sizes"_a);
    m.def("depthwise_delta", depthwise_delta<T>, "weight"_a.noconvert(), "above"_a.noconvert(), "below"_a.noconvert(),
          "sizes"_a);
    m.def("depthwise_gradient", depthwise_gradient<T>, "x"_a.noconvert(), "above"_a.noconvert(),
          "gradient"_a.noconvert(), "sizes"_a);
    m.def("scatter", scatter<T>, "index"_a.noconvert(), "above"_a.noconvert(), "sums"_a.noconvert(), "rows"_a);
    m.def("channel_sums", channel_sums<T>, "above"_a.noconvert(), "sums"_a.noconvert(), "examples"_a);
}

}  // namespace

NB_MODULE(_kernels, m) {
    const Variant *best = best_variant();
    m.attr("instructions") = best ? nb::object(nb::str(best->instructions)) : nb::object(nb::none());
    nb::list names;
    for (const char *name : POINTWISE_NAMES) names.append(name);
    m.attr("functions") = nb::tuple(names);
    bind<float>(m);
    bind<double>(m);
}
