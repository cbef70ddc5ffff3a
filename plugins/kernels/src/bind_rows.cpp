// Functions of single numbers and of rows.
#include <algorithm>
#include <limits>
#include <vector>

#include "bindings.hpp"

namespace {

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

// Complex numbers, as two reals each.
void moved_value(int function, In<double> x, Out<double> y) {
    same(x.size(), y.size());
    const auto compute = variant().moved.values[checked(function)];
    const std::size_t count = divided(x.size(), 2);
    const Unlocked unlocked(x.size());
    compute(x.data(), y.data(), count);
}

void moved_delta(int function, In<double> x, In<double> above, Out<double> below) {
    same(x.size(), above.size());
    same(x.size(), below.size());
    const auto compute = variant().moved.deltas[checked(function)];
    const std::size_t count = divided(x.size(), 2);
    const Unlocked unlocked(x.size());
    compute(x.data(), above.data(), below.data(), count);
}

template <class T> void value_and_slope(int function, In<T> x, Out<T> y, Out<T> slope) {
    same(x.size(), y.size());
    same(x.size(), slope.size());
    const auto compute = kernels<T>().points[checked(function)];
    if (!compute) throw std::invalid_argument("the function and its derivative share nothing");
    const Unlocked unlocked(x.size());
    compute(x.data(), y.data(), slope.data(), x.size());
}

// seen: bytes (examples or 1, queries, count), for x (examples, heads, queries, count).
template <class T>
void softmax(In<T> x, Out<T> y, Out<T> most, Out<T> log_total, double floor, double scale, MaybeIn<std::uint8_t> seen,
             std::size_t examples, std::size_t queries) {
    same(x.size(), y.size());
    same(most.size(), log_total.size());
    const std::size_t rows = most.size(), count = divided(x.size(), rows);
    Seen mask{nullptr, 1, 1, false};
    if (seen) {
        const bool each = seen->size() != queries * count;
        same(seen->size(), (each ? examples : 1) * queries * count);
        mask = {seen->data(), divided(divided(rows, examples), queries), queries, each};
    }
    const Unlocked unlocked(x.size());
    kernels<T>().softmax(x.data(), y.data(), most.data(), log_total.data(), rows, count, static_cast<T>(floor),
                         static_cast<T>(scale), mask);
}

template <class T> void softmax_delta(In<T> y, In<T> above, Out<T> below, std::size_t rows, double scale) {
    same(y.size(), above.size());
    same(y.size(), below.size());
    const std::size_t count = divided(y.size(), rows);
    const Unlocked unlocked(y.size());
    kernels<T>().softmax_delta(y.data(), above.data(), below.data(), rows, count, static_cast<T>(scale));
}

Groups grouped(std::size_t numbers, std::size_t rows, std::size_t groups, std::size_t channels) {
    const std::size_t count = divided(numbers, rows);
    if (!groups || rows % groups || !channels || count % channels)
        throw std::invalid_argument("the rows cannot be divided into these groups and channels");
    return {rows, groups, channels, count / channels};
}

// Moments (rows, 3): what is saved of each row.
template <class T> Moments<T> *saved_in(const Out<T> &moments) {
    static_assert(sizeof(Moments<T>) == 3 * sizeof(T));
    return reinterpret_cast<Moments<T> *>(moments.data());
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
    return kernels<T>().norm(x.data(), data_of(weight), data_of(bias), value.data(), saved_in(moments), shape,
                             eps, centred);
}

// Sums (rows, 2, channels), as norm_sums writes them, where channels have several places.
template <class T>
void norm_delta(In<T> x, Out<T> moments, MaybeIn<T> weight, In<T> above, MaybeIn<double> sums, Out<T> below,
                std::size_t groups, std::size_t channels, double eps, bool centred) {
    const Groups shape = grouped(x.size(), divided(moments.size(), 3), groups, channels);
    same(x.size(), above.size());
    same(x.size(), below.size());
    size_of(weight, groups * channels);
    size_of(sums, 2 * shape.rows * channels);
    const Unlocked unlocked(x.size());
    kernels<T>().norm_delta(x.data(), saved_in(moments), data_of(weight), above.data(), data_of(sums), below.data(),
                            shape, eps, centred);
}

// Sums (rows, 2, channels), or (2, channels of all groups) where channels have one place each.
template <class T>
void norm_sums(In<T> x, Out<T> moments, In<T> above, Out<double> sums, std::size_t groups, std::size_t channels) {
    const Groups shape = grouped(x.size(), divided(moments.size(), 3), groups, channels);
    same(x.size(), above.size());
    same(sums.size(), 2 * (shape.places == 1 ? groups : shape.rows) * channels);
    const Unlocked unlocked(x.size());
    kernels<T>().norm_sums(x.data(), saved_in(moments), above.data(), sums.data(), shape);
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
    kernels<T>().standardise(x.data(), data_of(weight), data_of(bias), value.data(), saved_in(moments), shape);
}

template <class T>
void standardise_delta(Out<T> moments, MaybeIn<T> weight, In<T> above, Out<T> below, std::size_t groups,
                       std::size_t channels) {
    const Groups shape = grouped(above.size(), divided(moments.size(), 3), groups, channels);
    same(above.size(), below.size());
    size_of(weight, groups * channels);
    const Unlocked unlocked(above.size());
    kernels<T>().standardise_delta(data_of(weight), above.data(), below.data(), saved_in(moments), shape);
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

template <class T> void bind(nb::module_ &m) {
    m.def("value", value<T>, "function"_a, "x"_a.noconvert(), "y"_a.noconvert());
    m.def("delta", delta<T>, "function"_a, "x"_a.noconvert(), "above"_a.noconvert(), "below"_a.noconvert());
    m.def("value_and_slope", value_and_slope<T>, "function"_a, "x"_a.noconvert(), "y"_a.noconvert(),
          "slope"_a.noconvert());
    m.def("softmax", softmax<T>, "x"_a.noconvert(), "y"_a.noconvert(), "most"_a.noconvert(),
          "log_total"_a.noconvert(), "floor"_a, "scale"_a = 1.0, "seen"_a.noconvert().none() = nb::none(),
          "examples"_a = 1, "queries"_a = 1);
    m.def("softmax_delta", softmax_delta<T>, "y"_a.noconvert(), "above"_a.noconvert(), "below"_a.noconvert(),
          "rows"_a, "scale"_a = 1.0);
    m.def("norm", norm<T>, "x"_a.noconvert(), "weight"_a.noconvert().none(), "bias"_a.noconvert().none(),
          "value"_a.noconvert(), "moments"_a.noconvert(), "groups"_a, "channels"_a, "eps"_a, "centred"_a);
    m.def("norm_delta", norm_delta<T>, "x"_a.noconvert(), "moments"_a.noconvert(), "weight"_a.noconvert().none(),
          "above"_a.noconvert(), "sums"_a.noconvert().none(), "below"_a.noconvert(), "groups"_a, "channels"_a, "eps"_a,
          "centred"_a);
    m.def("norm_sums", norm_sums<T>, "x"_a.noconvert(), "moments"_a.noconvert(), "above"_a.noconvert(),
          "sums"_a.noconvert(), "groups"_a, "channels"_a);
    m.def("standardise", standardise<T>, "x"_a.noconvert(), "weight"_a.noconvert().none(), "bias"_a.noconvert().none(),
          "value"_a.noconvert(), "moments"_a.noconvert(), "groups"_a, "channels"_a);
    m.def("standardise_delta", standardise_delta<T>, "moments"_a.noconvert(), "weight"_a.noconvert().none(),
          "above"_a.noconvert(), "below"_a.noconvert(), "groups"_a, "channels"_a);
    m.def("scatter", scatter<T>, "index"_a.noconvert(), "above"_a.noconvert(), "sums"_a.noconvert(), "rows"_a);
}

}  // namespace

void bind_rows(nb::module_ &m) {
    bind<float>(m);
    bind<double>(m);
    m.def("moved_value", moved_value, "function"_a, "x"_a.noconvert(), "y"_a.noconvert());
    m.def("moved_delta", moved_delta, "function"_a, "x"_a.noconvert(), "above"_a.noconvert(),
          "below"_a.noconvert());
}
