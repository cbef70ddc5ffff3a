"""The equations of gates, as operations number by number that a tape records.

Each function records what the `forward` of its layer computes. It returns the value, with functions that
record the backward equations: one for each input, from δ of the value to what is sent there.

Functions that numpy alone computes, as `exp`, are no gates: other code would round otherwise. Nor are `relu`,
`maximum` and `minimum`, for the sign of a zero in numpy's maximum depends on the place in the array.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from deltawire_layers.gates.tapes import Recorder
from deltawire_layers.layer import Layer
from deltawire_layers.layers.combine import Add, Divide, Multiply, Subtract
from deltawire_layers.layers.pointwise.activations import Gelu, Sigmoid, Silu, Softplus, Tanh
from deltawire_layers.layers.pointwise.functions import Absolute, Erf, Identity, Negate, Reciprocal, Sqrt

Delta = Callable[[int], int]
"""Records a backward equation: from δ of the value to δ of an input."""


class Recorded(NamedTuple):
    """The value of a layer, and its backward equations, as they are recorded."""

    value: int
    deltas: list[Delta]
    """The equation of each input."""
    grads: Mapping[str, Delta] = {}
    """From δ of the value to the gradient, by the layer's name of the parameter."""


def _add(tape: Recorder, layer: Layer, x: int, *more: int) -> Recorded:
    y = x
    for other in more:
        y = tape.record("add", y, other)
    return Recorded(y, [lambda delta: delta] * (1 + len(more)))


def _subtract(tape: Recorder, layer: Layer, a: int, b: int) -> Recorded:
    deltas = [lambda delta: delta, lambda delta: tape.record("negate", delta)]
    return Recorded(tape.record("subtract", a, b), deltas)


def _multiply(tape: Recorder, layer: Layer, a: int, b: int) -> Recorded:
    deltas = [
        lambda delta: tape.record("multiply", delta, b),
        lambda delta: tape.record("multiply", delta, a),
    ]
    return Recorded(tape.record("multiply", a, b), deltas)


def _divide(tape: Recorder, layer: Layer, a: int, b: int) -> Recorded:
    y = tape.record("divide", a, b)

    def b_delta(delta: int) -> int:
        return tape.record("multiply", tape.record("negate", delta), tape.record("divide", y, b))

    return Recorded(y, [lambda delta: tape.record("divide", delta, b), b_delta])


def _negate(tape: Recorder, layer: Layer, x: int) -> Recorded:
    return Recorded(tape.record("negate", x), [lambda delta: tape.record("negate", delta)])


def _identity(tape: Recorder, layer: Layer, x: int) -> Recorded:
    return Recorded(x, [lambda delta: delta])


def _reciprocal(tape: Recorder, layer: Layer, x: int) -> Recorded:
    y = tape.record("reciprocal", x)

    def x_delta(delta: int) -> int:
        return tape.record("multiply", tape.record("multiply", tape.record("negate", delta), y), y)

    return Recorded(y, [x_delta])


def _sqrt(tape: Recorder, layer: Layer, x: int) -> Recorded:
    y = tape.record("root", x)
    return Recorded(y, [lambda delta: tape.record("divide", tape.record("halve", delta), y)])


def _absolute(tape: Recorder, layer: Layer, x: int) -> Recorded:
    return Recorded(tape.record("absolute", x), [lambda delta: tape.record("absolute_delta", x, delta)])


def _sigmoid(tape: Recorder, layer: Layer, x: int) -> Recorded:
    power = tape.record("sigmoid_power", x)  # kept in place of x
    value = tape.record("sigmoid_value", x, power)
    return Recorded(value, [lambda delta: tape.record("sigmoid_from_power_delta", power, delta)])


def function(tape: Recorder, layer: Any, x: int) -> Recorded:
    """Record a function that has kernels of its own for its value and its delta, which reads x.

    Args:
        tape: what records.
        layer: the layer.
        x: what it takes.
    """
    name = layer.function
    return Recorded(tape.record(name, x), [lambda delta: tape.record(f"{name}_delta", x, delta)])


GATES: dict[type[Layer], Callable[..., Recorded]] = {
    Absolute: _absolute,
    Add: _add,
    Divide: _divide,
    Erf: function,
    Gelu: function,
    Identity: _identity,
    Multiply: _multiply,
    Negate: _negate,
    Reciprocal: _reciprocal,
    Sigmoid: _sigmoid,
    Silu: function,
    Softplus: function,
    Sqrt: _sqrt,
    Subtract: _subtract,
    Tanh: function,
}
"""What records the equations of a layer, by its class: a subclass may compute something else."""

KEEPING = frozenset({Sigmoid})
"""Those that keep another number in place of what they take; `function` records them with what they take."""
