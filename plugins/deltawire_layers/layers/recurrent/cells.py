"""Recurrent layers by the kind of their state."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from marshmallow import fields, validate

from deltawire_layers.deadlines import check_deadline
from deltawire_layers.layer import Array, Formula
from deltawire_layers.layers.recurrent.recurrent import (
    GRADIENT_FORMULAS,
    INIT,
    PreactivationDeltas,
    Recurrent,
    Run,
    States,
    no_delta,
)
from deltawire_layers.numeric import analytic, branches
from deltawire_layers.numeric.compiled import cells as compiled_cells
from deltawire_layers.numeric.products import project
from deltawire_layers.numeric.repeated import repeated
from deltawire_plugins import config


class Elman(Recurrent):
    """hₜ = tanh(W_ih xₜ + b_ih + W_hh hₜ₋₁ + b_hh) with x (steps, n), W_ih (units, n), h (steps, units).

    With `nonlinearity` relu, max(0, ·) stands for tanh.

    Source: Elman, "Finding Structure in Time", Cognitive Science 14, 1990.
    """

    class Config(Recurrent.Config):
        nonlinearity = fields.String(
            load_default="tanh",
            validate=validate.OneOf(["tanh", "relu"]),
            metadata={"description": "the function that makes a state of the sums"},
        )

    nonlinearity: str

    gates, saved_per_unit, saved_states, calls_per_step = 1, 1 + 1, 0, 3

    formula = Formula(
        r"h_t = \tanh({weight_ih}\,{x0}_t + {bias_ih} + {weight_hh}\,h_{t-1} + {bias_hh})",
        (
            r"{weight_ih}^{\top} u_t,\quad"
            r" u_t = s_t = (1 - h_t^2) \circ ({delta}_t + {weight_hh}^{\top} s_{t+1})",
        ),
        GRADIENT_FORMULAS,
        INIT,
    )

    def run(self, params: Mapping[str, Array], x: Array, states: States) -> Run:
        W_hh, relu = params["weight_hh"], self.nonlinearity == "relu"
        bias = params["bias_ih"] + params["bias_hh"]
        sums = project(x, params["weight_ih"].T)
        h = np.empty_like(sums)
        state, forward = np.ascontiguousarray(states[0]), repeated(W_hh.T, sums)
        for t in range(h.shape[1]):
            check_deadline()
            sums[:, t] += forward(state, bias)
            h[:, t] = state = branches.relu(sums[:, t]) if relu else analytic.tanh(sums[:, t])

        def signal(delta: Array) -> PreactivationDeltas:
            u = np.empty_like(h)
            back, backward = no_delta(h), repeated(W_hh, u)
            for t in reversed(range(h.shape[1])):
                check_deadline()
                whole = delta[:, t] + back
                below = sums[:, t]
                u[:, t] = branches.keep(below.real > 0, whole) if relu else analytic.tanh_slope(below) * whole
                back = backward(u[:, t])
            return PreactivationDeltas(u, u, (back,))

        return Run(h, signal, h)


class Gru(Recurrent):
    """hₜ = (1 − z) ∘ n + z ∘ hₜ₋₁ with x (steps, n), W_ih (3 units, n), h (steps, units).

    With u = W_ih xₜ + b_ih and s = W_hh hₜ₋₁ + b_hh, in parts of `units` numbers: r = σ(u₁ + s₁),
    z = σ(u₂ + s₂), n = tanh(u₃ + r ∘ s₃).

    Source: Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine
    Translation", 2014, arXiv:1406.1078; r is applied after the matrix W_hh, as in torch.
    """

    gates, saved_per_unit, calls_per_step = 3, 4 + 6, 10

    formula = Formula(
        r"h_t = (1 - z) \circ n + z \circ h_{t-1},\quad"
        r" r = \sigma(u_1 + s_1),\; z = \sigma(u_2 + s_2),\; n = \tanh(u_3 + r \circ s_3),\quad"
        r" u = {weight_ih}\,{x0}_t + {bias_ih},\; s = {weight_hh}\,h_{t-1} + {bias_hh}",
        (
            r"{weight_ih}^{\top} u_t,\quad u_t ="
            r" (r (1 - r) s_3 u_{t3},\; z (1 - z) (h_{t-1} - n) e_t,\; (1 - n^2) (1 - z) e_t),\quad"
            r" s_t = (u_{t1},\, u_{t2},\, r\,u_{t3}),\quad"
            r" e_t = {delta}_t + z_{t+1} e_{t+1} + {weight_hh}^{\top} s_{t+1}",
        ),
        GRADIENT_FORMULAS,
        INIT,
    )

    def run(self, params: Mapping[str, Array], x: Array, states: States) -> Run:
        W_hh, b_hh = params["weight_hh"], params["bias_hh"]
        batch, steps, units = (*x.shape[:2], self.units)
        gates = project(x, params["weight_ih"].T)
        gates += params["bias_ih"]
        gates = gates.reshape(batch, steps, 3, units)
        inner = np.empty((batch, steps, units), gates.dtype)  # s₃
        h = np.empty_like(inner)
        first = np.ascontiguousarray(states[0])
        state, forward = first, repeated(W_hh.T, gates)
        for t in range(steps):
            check_deadline()
            sums = forward(state, b_hh)
            if not compiled_cells.gru(gates, sums, first, inner, h, t):
                s = sums.reshape(batch, 3, units)
                gates[:, t, :2] += s[:, :2]
                r, z = analytic.sigmoid(gates[:, t, :2]).swapaxes(0, 1)
                inner[:, t] = s[:, 2]
                gates[:, t, 2] += r * inner[:, t]
                n = analytic.tanh(gates[:, t, 2])
                h[:, t] = n + z * (state - n)
            state = h[:, t]

        def signal(delta: Array) -> PreactivationDeltas:
            u, s = np.empty_like(gates), np.empty_like(gates)
            delta = np.ascontiguousarray(delta)
            back, past, backward = no_delta(h), no_delta(h), repeated(W_hh, s)
            for t in reversed(range(steps)):
                check_deadline()
                if not compiled_cells.gru_delta(gates, inner, h, first, delta, back, u, s, past, t):
                    values, slopes = analytic.gate(gates[:, t, :2])
                    (r, z), (r_slope, z_slope) = values.swapaxes(0, 1), slopes.swapaxes(0, 1)
                    n, n_slope = analytic.tanh(gates[:, t, 2]), analytic.tanh_slope(gates[:, t, 2])
                    last = h[:, t - 1] if t else first
                    e = delta[:, t] + back
                    u[:, t, 2] = e * analytic.sigmoid(-gates[:, t, 1]) * n_slope
                    u[:, t, 1] = e * (last - n) * z_slope
                    u[:, t, 0] = u[:, t, 2] * inner[:, t] * r_slope
                    s[:, t, :2] = u[:, t, :2]
                    s[:, t, 2] = u[:, t, 2] * r
                    past = e * z
                back = backward(s[:, t].reshape(batch, -1), past)
            flat_u, flat_s = (array.reshape(batch, steps, 3 * units) for array in (u, s))
            return PreactivationDeltas(flat_u, flat_s, (back,))

        return Run(h, signal, h)


class Lstm(Recurrent):
    """hₜ = o ∘ tanh cₜ, cₜ = f ∘ cₜ₋₁ + i ∘ g with x (steps, n), W_ih (4 units, n), h (steps, units).

    With a = W_ih xₜ + b_ih + W_hh hₜ₋₁ + b_hh, in parts of `units` numbers: i = σ(a₁), f = σ(a₂),
    g = tanh a₃, o = σ(a₄).

    With `cells`, the value is c in place of h.

    Source: Hochreiter & Schmidhuber, "Long Short-Term Memory", Neural Computation 9, 1997; forget gate f:
    Gers, Schmidhuber & Cummins, "Learning to Forget", Neural Computation 12, 2000.
    """

    class Config(Recurrent.Config):
        cells = config.Flag(
            load_default=False, metadata={"description": "whether the value is the cells c, in place of h"}
        )

    cells: bool

    gates, states, saved_per_unit, calls_per_step = 4, 2, 5 + 4, 12

    formula = Formula(
        r"h_t = o \circ \tanh c_t,\; c_t = f \circ c_{t-1} + i \circ g,\quad"
        r" i = \sigma(a_1),\; f = \sigma(a_2),\; g = \tanh a_3,\; o = \sigma(a_4),\quad"
        r" a = {weight_ih}\,{x0}_t + {bias_ih} + {weight_hh}\,h_{t-1} + {bias_hh}",
        (
            r"{weight_ih}^{\top} u_t,\quad u_t = s_t ="
            r" (i (1 - i) g\,e_t,\; f (1 - f) c_{t-1} e_t,\; (1 - g^2) i\,e_t,\;"
            r" o (1 - o) \tanh(c_t)\,d_t),\quad"
            r" d_t = {delta}_t + {weight_hh}^{\top} s_{t+1},\quad"
            r" e_t = o (1 - \tanh^2 c_t)\,d_t + f_{t+1} e_{t+1}",
        ),
        GRADIENT_FORMULAS,
        INIT,
    )

    def run(self, params: Mapping[str, Array], x: Array, states: States) -> Run:
        W_hh = params["weight_hh"]
        batch, steps, units = (*x.shape[:2], self.units)
        bias = params["bias_ih"] + params["bias_hh"]
        gates = project(x, params["weight_ih"].T).reshape(batch, steps, 4, units)
        cells = np.empty((batch, steps, units), gates.dtype)
        h = np.empty_like(cells)
        state, first = (np.ascontiguousarray(each) for each in states)
        cell, forward = first, repeated(W_hh.T, gates)
        for t in range(steps):
            check_deadline()
            sums = forward(state, bias)
            if not compiled_cells.lstm(gates, sums, first, cells, h, t):
                gates[:, t] += sums.reshape(batch, 4, units)
                i, f = analytic.sigmoid(gates[:, t, :2]).swapaxes(0, 1)
                cells[:, t] = cell = f * cell + i * analytic.tanh(gates[:, t, 2])
                h[:, t] = analytic.sigmoid(gates[:, t, 3]) * analytic.tanh(cell)
            state, cell = h[:, t], cells[:, t]

        def signal(delta: Array) -> PreactivationDeltas:
            u, delta = np.empty_like(gates), np.ascontiguousarray(delta)
            to_state, to_cell = (None, delta) if self.cells else (delta, None)
            back, cell_back, backward = no_delta(h), no_delta(h), repeated(W_hh, u)
            for t in reversed(range(steps)):
                check_deadline()
                if not compiled_cells.lstm_delta(
                    gates, cells, first, to_state, to_cell, back, cell_back, u, t
                ):
                    values, slopes = analytic.gate(gates[:, t, :2])
                    (i, f), (i_slope, f_slope) = values.swapaxes(0, 1), slopes.swapaxes(0, 1)
                    o, o_slope = analytic.gate(gates[:, t, 3])
                    g, g_slope = analytic.tanh(gates[:, t, 2]), analytic.tanh_slope(gates[:, t, 2])
                    last = cells[:, t - 1] if t else first
                    d = back if to_state is None else to_state[:, t] + back
                    beside = cell_back if to_cell is None else to_cell[:, t] + cell_back
                    e = beside + d * o * analytic.tanh_slope(cells[:, t])
                    u[:, t, 0] = e * g * i_slope
                    u[:, t, 1] = e * last * f_slope
                    u[:, t, 2] = e * i * g_slope
                    u[:, t, 3] = d * analytic.tanh(cells[:, t]) * o_slope
                    cell_back = e * f
                back = backward(u[:, t].reshape(batch, -1))
            flat = u.reshape(batch, steps, 4 * units)
            return PreactivationDeltas(flat, flat, (back, cell_back))

        return Run(h, signal, cells if self.cells else h)
