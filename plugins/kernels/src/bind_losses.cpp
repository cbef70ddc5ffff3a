// Losses of rows with a label each.
#include <stdexcept>

#include "bindings.hpp"

namespace {

void check(const In<std::int64_t> &labels, std::size_t count) {
    const std::int64_t *label = labels.data();
    for (std::size_t row = 0; row < labels.size(); ++row)
        if (label[row] < 0 || std::size_t(label[row]) >= count) throw std::out_of_range("a label is no place of its row");
}

template <class T> void softmax_nll(In<T> x, In<std::int64_t> labels, Out<T> p, Out<T> losses) {
    const std::size_t rows = labels.size(), count = divided(x.size(), rows);
    same(x.size(), p.size());
    same(rows, losses.size());
    check(labels, count);
    const Unlocked unlocked(x.size());
    kernels<T>().softmax_nll(x.data(), labels.data(), p.data(), losses.data(), rows, count);
}

template <class T> void softmax_nll_delta(In<T> p, In<std::int64_t> labels, In<T> above, Out<T> below) {
    const std::size_t rows = labels.size(), count = divided(p.size(), rows);
    same(p.size(), below.size());
    const std::size_t rows_of_delta = divided(rows, above.size());
    check(labels, count);
    const Unlocked unlocked(p.size());
    kernels<T>().softmax_nll_delta(p.data(), labels.data(), above.data(), below.data(), rows, count, rows_of_delta);
}

template <class T> void bind(nb::module_ &m) {
    m.def("softmax_nll", softmax_nll<T>, "x"_a.noconvert(), "labels"_a.noconvert(), "p"_a.noconvert(),
          "losses"_a.noconvert());
    m.def("softmax_nll_delta", softmax_nll_delta<T>, "p"_a.noconvert(), "labels"_a.noconvert(), "above"_a.noconvert(),
          "below"_a.noconvert());
}

}  // namespace

void bind_losses(nb::module_ &m) {
    bind<float>(m);
    bind<double>(m);
}
