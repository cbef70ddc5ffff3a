// Products with a matrix that is packed once: panels (panels, rows, numbers of a row), as `panel` bytes hold.
#include "bindings.hpp"

namespace {

template <class T> using Strides = nb::ndarray<const T, nb::ndim<2>, nb::device::cpu>;
template <class T> using Panels = nb::ndarray<T, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

template <class T> Matrix<T> matrix_of(const Strides<T> &array) {
    return {array.data(), array.shape(0), array.shape(1), array.stride(0), array.stride(1)};
}

template <class Array> void fits(const Array &panels, std::size_t rows, std::size_t columns) {
    const std::size_t width = PANEL / sizeof(typename Array::Scalar);
    if (panels.shape(0) != (columns + width - 1) / width || panels.shape(1) != rows || panels.shape(2) != width)
        throw std::invalid_argument("the panels are not those of the matrix");
}

template <class T> void pack(Strides<T> b, Panels<T> panels) {
    fits(panels, b.shape(0), b.shape(1));
    const Unlocked unlocked(panels.size());
    kernels<T>().pack(matrix_of(b), panels.data());
}

// The columns of some panels of value (rows, columns) = a b + plus; a (rows, k), plus (columns,) or (rows, columns).
template <class T>
void packed_product(Strides<T> a, Panels<const T> panels, MaybeIn<T> plus, Out<T> value, std::size_t first,
                    std::size_t stop) {
    const std::size_t columns = divided(value.size(), a.shape(0));
    fits(panels, a.shape(1), columns);
    if (a.stride(1) != 1 && a.shape(1) > 1) throw std::invalid_argument("the rows are not contiguous");
    if (stop > panels.shape(0)) throw std::invalid_argument("there are no such panels");
    const bool each = plus && plus->ndim() == 2;
    size_of(plus, each ? value.size() : columns);
    const Unlocked unlocked(panels.size());
    kernels<T>().packed_product(matrix_of(a), panels.data(), {data_of(plus), each ? columns : 0}, value.data(),
                                columns, columns, first, stop);
}

template <class T> void bind(nb::module_ &m) {
    m.def("pack", pack<T>, "b"_a.noconvert(), "panels"_a.noconvert());
    m.def("packed_product", packed_product<T>, "a"_a.noconvert(), "panels"_a.noconvert(),
          "plus"_a.noconvert().none(), "value"_a.noconvert(), "first"_a, "stop"_a);
}

}  // namespace

void bind_panels(nb::module_ &m) {
    m.attr("panel") = PANEL;
    bind<float>(m);
    bind<double>(m);
}
