"""The base of recurrent layers: what does not depend on the kind of state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, NamedTuple

import numpy as np
from marshmallow import Schema, validate

from deltawire_layers.initializers import Scaled, fan_in, scale_field
from deltawire_layers.layer import CALL, Activation, Array, Layer, LayerError, Parameter, Shape, Work
from deltawire_layers.numeric.products import outer, project
from deltawire_layers.numeric.sums import sum_rows
from deltawire_plugins import config

States = tuple[Array, ...]
"""The state before the first step, (batch, units) each: h, and for an LSTM the cell c."""


class PreactivationDeltas(NamedTuple):
    """δ of u and δ of s at every step, (batch, steps, gates · units) each, and δ of the first states."""

    u: Array
    s: Array
    states: States


class Run(NamedTuple):
    """The states of a batch, (batch, steps, units), and the way back: δ of the value -> what is shared."""

    h: Array
    signal: Callable[[Array], PreactivationDeltas]
    value: Array
    """What the layer returns of all steps: the states, or the cells of an LSTM."""


GRADIENT_FORMULAS = {
    "weight_ih": r"\textstyle\sum_t u_t\,{x0}_t^{\top}",
    "weight_hh": r"\textstyle\sum_t s_t\,h_{t-1}^{\top}",
    "bias_ih": r"\textstyle\sum_t u_t",
    "bias_hh": r"\textstyle\sum_t s_t",
}
INIT = dict.fromkeys(GRADIENT_FORMULAS, "uniform within ±1/√units")
"""The gradients in LaTeX; u and s stand for their δ."""


class Recurrent(Layer):
    """h = the states (steps, units), each made from x (steps, n) at its step and from the state before."""

    class Config(Schema):
        units = config.Integer(
            required=True,
            validate=validate.Range(min=1),
            metadata={"description": "size of the state"},
        )
        bias = config.Flag(load_default=True, metadata={"description": "whether there are b_ih and b_hh"})
        reverse = config.Flag(
            load_default=False, metadata={"description": "whether it goes from the last step to the first"}
        )
        last = config.Flag(
            load_default=False,
            metadata={"description": "whether the value is the state it ends with only, (units,)"},
        )
        init_scale = scale_field()

    units: int
    bias: bool
    reverse: bool
    last: bool
    init_scale: float

    takes_one = True

    copied = ("weight_hh",)

    gates: ClassVar[int]
    """Rows of each matrix, in multiples of `units`."""

    states: ClassVar[int] = 1
    """Number of arrays in the state."""

    saved_per_unit: ClassVar[int]
    """Numbers saved for each unit and step: by the equations, and by the signal."""

    saved_states: ClassVar[int] = 1
    """Arrays of the first state that the equations save, in the order of memory."""

    calls_per_step: ClassVar[int]
    """Calls of numpy at each step, in either direction."""

    def output_shape(self, x: Shape, *initial: Shape) -> Shape:
        if len(x) != 2:
            raise LayerError(f"expected a sequence of shape (steps, n), got shape {list(x)}", input=0)
        if len(initial) not in (0, self.states):
            raise LayerError(f"expected x and {self.states} first states, or none, got {len(initial)}")
        for position, shape in enumerate(initial, start=1):
            if shape != (self.units,):
                raise LayerError(
                    f"expected a state of shape [{self.units}], got {list(shape)}", input=position
                )
        if self.last and not x[0]:
            raise LayerError(f"expected at least one step, got shape {list(x)}", input=0)
        return (self.units,) if self.last else (x[0], self.units)

    def parameters(self, x: Shape, *initial: Shape) -> dict[str, Parameter]:
        height, init = self.gates * self.units, Scaled(fan_in(self.units), self.init_scale)
        weights = {
            "weight_ih": Parameter((height, x[1]), init),
            "weight_hh": Parameter((height, self.units), init),
        }
        biases = {"bias_ih": Parameter((height,), init), "bias_hh": Parameter((height,), init)}
        return weights | biases if self.bias else weights

    def saved(self, x: Shape, *initial: Shape) -> int:
        saved = (self.saved_per_unit * x[0] + self.states + self.saved_states) * self.units
        # The states of all steps too, and their δ, where the value is the last one only; else δ turned round.
        return saved + (2 if self.last else int(self.reverse)) * x[0] * self.units

    def work(self, x: Shape, *initial: Shape) -> Work:
        products = self.gates * self.units * (x[1] + self.units)
        return Work(each=x[0] * products, once=x[0] * self.calls_per_step * CALL)

    def run(self, params: Mapping[str, Array], x: Array, states: States) -> Run:
        """Go through the sequence, from the first step to the last.

        Args:
            params: all four parameters.
            x: the sequence (batch, steps, n).
            states: the state before the first step.
        """
        raise NotImplementedError

    def forward(self, params: Mapping[str, Array], x: Array, *initial: Array) -> Activation:
        turn = slice(None, None, -1 if self.reverse else 1)
        steps = x[:, turn]
        no_state = np.broadcast_to(np.zeros((), x.dtype), (len(x), self.units))
        states = initial or (no_state,) * self.states
        no_bias = np.zeros(self.gates * self.units, x.dtype)
        run = self.run({"bias_ih": no_bias, "bias_hh": no_bias, **params}, steps, states)
        h, W_ih = run.h, params["weight_ih"]

        def signal(delta: Array) -> PreactivationDeltas:
            if not self.last:
                return run.signal(delta[:, turn])
            whole = np.zeros(h.shape, delta.dtype)
            whole[:, -1] = delta
            return run.signal(whole)

        grads: dict[str, Callable[[PreactivationDeltas], Array]] = {
            "weight_ih": lambda deltas: outer(deltas.u, steps),
            "weight_hh": lambda deltas: outer(deltas.s, previous_states(h, states[0])),
            "bias_ih": lambda deltas: sum_rows(deltas.u),
            "bias_hh": lambda deltas: sum_rows(deltas.s),
        }

        def state_delta(place: int) -> Callable[[PreactivationDeltas], Array]:
            return lambda deltas: deltas.states[place]

        return Activation(
            run.value[:, -1] if self.last else run.value[:, turn],
            deltas=(
                lambda deltas: project(deltas.u, W_ih)[:, turn],
                *(state_delta(place) for place in range(len(initial))),
            ),
            grads={name: grads[name] for name in params},
            signal=signal,
        )


def previous_states(h: Array, first: Array) -> Array:
    """Return the state before each step, (batch, steps, units), given the first of them."""
    return np.concatenate([first[:, None], h[:, :-1]], axis=1)


def no_delta(h: Array) -> Array:
    """Return zeros (batch, units): δ of the state behind the last."""
    return np.zeros((len(h), h.shape[2]), h.dtype)
