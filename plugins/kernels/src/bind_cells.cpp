// Steps of recurrent layers. Arrays of all steps are (examples, steps, ...), others (examples, ...).
#include "bindings.hpp"

namespace {

// A step, and where its numbers begin.
template <class T> struct Step {
    Cell<T> cell;
    std::size_t place;

    template <class Array> auto *at(const Array &array, std::size_t gates = 1) const {
        return array.data() + place * gates * cell.units;
    }
};

// first (examples, units): the state before the first step; states (examples, steps, units): those behind each.
template <class T, class States> Step<T> step_of(In<T> first, const States &states, std::size_t place) {
    const std::size_t examples = first.shape(0), units = divided(first.size(), examples);
    const std::size_t steps = divided(divided(states.size(), examples), units);
    if (first.ndim() != 2 || place >= steps) throw std::invalid_argument("there is no such step");
    const T *last = place ? states.data() + (place - 1) * units : first.data();
    return {{examples, steps, units, last, place ? steps * units : units}, place};
}

template <class T> Strided<T> row_of(const MaybeIn<T> &array, const Step<T> &step) {
    size_of(array, step.cell.examples * step.cell.steps * step.cell.units);
    return {array ? step.at(*array) : nullptr, step.cell.steps * step.cell.units};
}

template <class T>
void lstm(Out<T> gates, In<T> sums, In<T> first, Out<T> cells, Out<T> states, std::size_t place) {
    const Step<T> step = step_of(first, cells, place);
    same(cells.size(), states.size());
    same(4 * cells.size(), gates.size());
    same(4 * first.size(), sums.size());
    const Unlocked unlocked(sums.size());
    kernels<T>().lstm(step.cell, step.at(gates, 4), sums.data(), step.at(cells), step.at(states));
}

template <class T>
void lstm_delta(In<T> gates, In<T> cells, In<T> first, MaybeIn<T> to_state, MaybeIn<T> to_cell, In<T> state_back,
                Out<T> cell_back, Out<T> below, std::size_t place) {
    const Step<T> step = step_of(first, cells, place);
    same(4 * cells.size(), gates.size());
    same(gates.size(), below.size());
    same(first.size(), state_back.size());
    same(first.size(), cell_back.size());
    const auto state = row_of(to_state, step), cell = row_of(to_cell, step);
    const Unlocked unlocked(4 * first.size());
    kernels<T>().lstm_delta(step.cell, step.at(gates, 4), step.at(cells), state, cell, state_back.data(),
                            cell_back.data(), step.at(below, 4));
}

template <class T>
void gru(Out<T> gates, In<T> sums, In<T> first, Out<T> inner, Out<T> states, std::size_t place) {
    const Step<T> step = step_of(first, states, place);
    same(states.size(), inner.size());
    same(3 * states.size(), gates.size());
    same(3 * first.size(), sums.size());
    const Unlocked unlocked(sums.size());
    kernels<T>().gru(step.cell, step.at(gates, 3), sums.data(), step.at(inner), step.at(states));
}

template <class T>
void gru_delta(In<T> gates, In<T> inner, In<T> states, In<T> first, In<T> delta, In<T> state_back, Out<T> below,
               Out<T> beside, Out<T> past, std::size_t place) {
    const Step<T> step = step_of(first, states, place);
    same(states.size(), inner.size());
    same(states.size(), delta.size());
    same(3 * states.size(), gates.size());
    same(gates.size(), below.size());
    same(gates.size(), beside.size());
    same(first.size(), state_back.size());
    same(first.size(), past.size());
    const Strided<T> above = {step.at(delta), step.cell.steps * step.cell.units};
    const Unlocked unlocked(3 * first.size());
    kernels<T>().gru_delta(step.cell, step.at(gates, 3), step.at(inner), above, state_back.data(), step.at(below, 3),
                           step.at(beside, 3), past.data());
}

template <class T> void bind(nb::module_ &m) {
    m.def("lstm", lstm<T>, "gates"_a.noconvert(), "sums"_a.noconvert(), "first"_a.noconvert(), "cells"_a.noconvert(),
          "states"_a.noconvert(), "place"_a);
    m.def("lstm_delta", lstm_delta<T>, "gates"_a.noconvert(), "cells"_a.noconvert(), "first"_a.noconvert(),
          "to_state"_a.noconvert().none(), "to_cell"_a.noconvert().none(), "state_back"_a.noconvert(),
          "cell_back"_a.noconvert(), "below"_a.noconvert(), "place"_a);
    m.def("gru", gru<T>, "gates"_a.noconvert(), "sums"_a.noconvert(), "first"_a.noconvert(), "inner"_a.noconvert(),
          "states"_a.noconvert(), "place"_a);
    m.def("gru_delta", gru_delta<T>, "gates"_a.noconvert(), "inner"_a.noconvert(), "states"_a.noconvert(),
          "first"_a.noconvert(), "delta"_a.noconvert(), "state_back"_a.noconvert(), "below"_a.noconvert(),
          "beside"_a.noconvert(), "past"_a.noconvert(), "place"_a);
}

}  // namespace

void bind_cells(nb::module_ &m) {
    bind<float>(m);
    bind<double>(m);
}
