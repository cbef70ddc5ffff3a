"""Layers that go through a sequence step by step; before the first step, their state is zero.

Parameters lie as in torch's cells: one matrix for the input and one for the previous state, with the rows of
all gates below each other. The signal runs back through time once and computes δ of both preactivations at
every step, u = W_ih xₜ + b_ih and s = W_hh hₜ₋₁ + b_hh. Every equation is a product with one of the two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, NamedTuple

import numpy as np
from marshmallow import Schema, validate

from deltawire_layers.deadlines import check_deadline
from deltawire_layers.initializers import Scaled, fan_in, scale_field
from deltawire_layers.layer import (
    CALL,
    Activation,
    Array,
    Formula,
    Layer,
    LayerError,
    Parameter,
    Shape,
    Work,
)
from deltawire_layers.numeric import analytic
from deltawire_layers.numeric.products import matmul, outer, project
from deltawire_layers.numeric.sums import sum_rows
from deltawire_plugins import config


class PreactivationDeltas(NamedTuple):
    """δ of u and δ of s at every step: (batch, steps, gates · units) each."""

    u: Array
    s: Array


GRADIENT_FORMULAS = {
    "weight_ih": r"\textstyle\sum_t u_t\,{x0}_t^{\top}",
    "weight_hh": r"\textstyle\sum_t s_t\,h_{t-1}^{\top}",
    "bias_ih": r"\textstyle\sum_t u_t",
    "bias_hh": r"\textstyle\sum_t s_t",
}
INIT = dict.fromkeys(GRADIENT_FORMULAS, "uniform within ±1/√units")
"""The gradients in LaTeX; u and s stand for their δ."""


def previous_states(h: Array) -> Array:
    """Return the state before each step: (batch, steps, units)."""
    return np.concatenate([initial_state(h)[:, None], h[:, :-1]], axis=1)


def initial_state(h: Array) -> Array:
    """Return zeros (batch, units): the state before the first step, and δ of the state behind the last."""
    return np.zeros((len(h), h.shape[2]), h.dtype)


class Recurrent(Layer):
    """h = the states (steps, units), each made from x (steps, n) at its step and from the state before."""

    class Config(Schema):
        units = config.Integer(
            required=True,
            validate=validate.Range(min=1),
            metadata={"description": "size of the state"},
        )
        init_scale = scale_field()

    units: int
    init_scale: float

    gates: ClassVar[int]
    """Rows of each matrix, in multiples of `units`."""

    saved_per_unit: ClassVar[int]
    """Numbers saved for each unit and step: by the equations, and by the signal."""

    calls_per_step: ClassVar[int]
    """Calls of numpy at each step, in either direction."""

    def output_shape(self, x: Shape) -> Shape:
        if len(x) != 2:
            raise LayerError(f"expected a sequence of shape (steps, n), got shape {list(x)}", input=0)
        return (x[0], self.units)

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        height, init = self.gates * self.units, Scaled(fan_in(self.units), self.init_scale)
        return {
            "weight_ih": Parameter((height, x[1]), init),
            "weight_hh": Parameter((height, self.units), init),
            "bias_ih": Parameter((height,), init),
            "bias_hh": Parameter((height,), init),
        }

    def saved(self, x: Shape) -> int:
        return self.saved_per_unit * x[0] * self.units

    def work(self, x: Shape) -> Work:
        products = self.gates * self.units * (x[1] + self.units)
        return Work(each=x[0] * products, once=x[0] * self.calls_per_step * CALL)

    def _activation(
        self, params: Mapping[str, Array], x: Array, h: Array, signal: Callable[[Array], PreactivationDeltas]
    ) -> Activation:
        """Return the activation; the equations are the same for every kind of state.

        Args:
            params: the four parameters.
            x: the sequence (batch, steps, n).
            h: the states (batch, steps, units).
            signal: δ of the states -> δ of both preactivations.
        """
        W_ih = params["weight_ih"]
        return Activation(
            h,
            deltas=(lambda deltas: project(deltas.u, W_ih),),
            grads={
                "weight_ih": lambda deltas: outer(deltas.u, x),
                "weight_hh": lambda deltas: outer(deltas.s, previous_states(h)),
                "bias_ih": lambda deltas: sum_rows(deltas.u),
                "bias_hh": lambda deltas: sum_rows(deltas.s),
            },
            signal=signal,
        )


class Elman(Recurrent):
    """hₜ = tanh(W_ih xₜ + b_ih + W_hh hₜ₋₁ + b_hh) with x (steps, n), W_ih (units, n), h (steps, units).

    Source: Elman, "Finding Structure in Time", Cognitive Science 14, 1990.
    """

    gates, saved_per_unit, calls_per_step = 1, 0 + 1, 3

    formula = Formula(
        r"h_t = \tanh({weight_ih}\,{x0}_t + {bias_ih} + {weight_hh}\,h_{t-1} + {bias_hh})",
        (
            r"{weight_ih}^{\top} u_t,\quad"
            r" u_t = s_t = (1 - h_t^2) \circ ({delta}_t + {weight_hh}^{\top} s_{t+1})",
        ),
        GRADIENT_FORMULAS,
        INIT,
    )

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        W_hh = params["weight_hh"]
        h = project(x, params["weight_ih"].T) + (params["bias_ih"] + params["bias_hh"])
        state = initial_state(h)
        for t in range(h.shape[1]):
            check_deadline()
            h[:, t] = state = analytic.tanh(h[:, t] + matmul(state, W_hh.T))

        def signal(delta: Array) -> PreactivationDeltas:
            u = np.empty_like(h)
            back = initial_state(h)
            for t in reversed(range(h.shape[1])):
                check_deadline()
                u[:, t] = (1 - h[:, t] * h[:, t]) * (delta[:, t] + back)
                back = matmul(u[:, t], W_hh)
            return PreactivationDeltas(u, u)

        return self._activation(params, x, h, signal)


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

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        W_hh, b_hh = params["weight_hh"], params["bias_hh"]
        batch, steps, units = (*x.shape[:2], self.units)
        gates = (project(x, params["weight_ih"].T) + params["bias_ih"]).reshape(batch, steps, 3, units)
        inner = np.empty((batch, steps, units), gates.dtype)  # s₃
        h = np.empty_like(inner)
        state = initial_state(h)
        for t in range(steps):
            check_deadline()
            r, z, n = gates[:, t].swapaxes(0, 1)
            s = (matmul(state, W_hh.T) + b_hh).reshape(batch, 3, units)
            gates[:, t, :2] = analytic.sigmoid(gates[:, t, :2] + s[:, :2])
            inner[:, t] = s[:, 2]
            n[...] = analytic.tanh(n + r * inner[:, t])
            h[:, t] = state = n + z * (state - n)

        def signal(delta: Array) -> PreactivationDeltas:
            u = np.empty_like(gates)
            s = np.empty_like(gates)
            back = initial_state(h)
            for t in reversed(range(steps)):
                check_deadline()
                r, z, n = gates[:, t].swapaxes(0, 1)
                last = h[:, t - 1] if t else initial_state(h)
                e = delta[:, t] + back
                u[:, t, 2] = e * (1 - z) * (1 - n * n)
                u[:, t, 1] = e * (last - n) * z * (1 - z)
                u[:, t, 0] = u[:, t, 2] * inner[:, t] * r * (1 - r)
                s[:, t, :2] = u[:, t, :2]
                s[:, t, 2] = u[:, t, 2] * r
                back = e * z + matmul(s[:, t].reshape(batch, -1), W_hh)
            return PreactivationDeltas(u.reshape(batch, steps, -1), s.reshape(batch, steps, -1))

        return self._activation(params, x, h, signal)


class Lstm(Recurrent):
    """hₜ = o ∘ tanh cₜ, cₜ = f ∘ cₜ₋₁ + i ∘ g with x (steps, n), W_ih (4 units, n), h (steps, units).

    With a = W_ih xₜ + b_ih + W_hh hₜ₋₁ + b_hh, in parts of `units` numbers: i = σ(a₁), f = σ(a₂),
    g = tanh a₃, o = σ(a₄).

    Source: Hochreiter & Schmidhuber, "Long Short-Term Memory", Neural Computation 9, 1997; forget gate f:
    Gers, Schmidhuber & Cummins, "Learning to Forget", Neural Computation 12, 2000.
    """

    gates, saved_per_unit, calls_per_step = 4, 5 + 4, 12

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

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        W_hh = params["weight_hh"]
        batch, steps, units = (*x.shape[:2], self.units)
        gates = project(x, params["weight_ih"].T) + (params["bias_ih"] + params["bias_hh"])
        gates = gates.reshape(batch, steps, 4, units)
        cells = np.empty((batch, steps, units), gates.dtype)
        h = np.empty_like(cells)
        state, cell = initial_state(h), initial_state(h)
        for t in range(steps):
            check_deadline()
            i, f, g, o = gates[:, t].swapaxes(0, 1)
            gates[:, t] += matmul(state, W_hh.T).reshape(batch, 4, units)
            gates[:, t, :2] = analytic.sigmoid(gates[:, t, :2])
            g[...] = analytic.tanh(g)
            o[...] = analytic.sigmoid(o)
            cells[:, t] = cell = f * cell + i * g
            h[:, t] = state = o * analytic.tanh(cell)

        def signal(delta: Array) -> PreactivationDeltas:
            u = np.empty_like(gates)
            back, cell_back = initial_state(h), initial_state(h)
            for t in reversed(range(steps)):
                check_deadline()
                i, f, g, o = gates[:, t].swapaxes(0, 1)
                last = cells[:, t - 1] if t else initial_state(h)
                squashed = analytic.tanh(cells[:, t])
                d = delta[:, t] + back
                e = cell_back + d * o * (1 - squashed * squashed)
                u[:, t, 0] = e * g * i * (1 - i)
                u[:, t, 1] = e * last * f * (1 - f)
                u[:, t, 2] = e * i * (1 - g * g)
                u[:, t, 3] = d * squashed * o * (1 - o)
                back = matmul(u[:, t].reshape(batch, -1), W_hh)
                cell_back = e * f
            flat = u.reshape(batch, steps, -1)
            return PreactivationDeltas(flat, flat)

        return self._activation(params, x, h, signal)
