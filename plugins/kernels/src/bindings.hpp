// What the bindings share: arrays as Python gives them, the checks of their sizes, and the variant for this processor.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>

#include <optional>
#include <stdexcept>

#include "variant.hpp"

namespace nb = nanobind;
using namespace nb::literals;

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

inline const Variant &variant() {
    static const Variant *const best = best_variant();
    if (!best) throw std::runtime_error("this processor has none of the instructions of the kernels");
    return *best;
}

template <class T> const Kernels<T> &kernels();
template <> inline const Kernels<float> &kernels() { return variant().singles; }
template <> inline const Kernels<double> &kernels() { return variant().doubles; }

inline void same(std::size_t a, std::size_t b) {
    if (a != b) throw std::invalid_argument("the arrays differ in size");
}

template <class T> void size_of(const std::optional<T> &array, std::size_t numbers) {
    if (array) same(array->size(), numbers);
}

template <class Array> auto *data_of(const std::optional<Array> &array) {
    return array ? array->data() : nullptr;
}

// An array of a tuple, as it is.
template <class Array> Array array_of(nb::handle each) {
    Array array;
    if (!nb::try_cast<Array>(each, array, false)) throw nb::type_error("an array is not contiguous, or of another dtype");
    return array;
}

inline std::size_t divided(std::size_t numbers, std::size_t rows) {
    if (!rows || numbers % rows) throw std::invalid_argument("the numbers do not fill the rows");
    return numbers / rows;
}

// Each adds its functions to the module.
void bind_rows(nb::module_ &m);
void bind_losses(nb::module_ &m);
void bind_planes(nb::module_ &m);
void bind_cells(nb::module_ &m);
void bind_panels(nb::module_ &m);
void bind_tapes(nb::module_ &m);
void bind_routines(nb::module_ &m);
void bind_team(nb::module_ &m);
void bind_updates(nb::module_ &m);
