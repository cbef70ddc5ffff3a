"""Translate ONNX's recurrent operators: a layer for each direction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from deltawire.importers import steps
from deltawire.importers.arguments import Harmless, Shown
from deltawire.importers.onnx.node_site import NodeSite
from deltawire.importers.onnx.operators.table import operator
from deltawire.importers.operands import Stored, Value

REVERSED = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}
"""Whether each direction goes from the last step to the first."""


@operator("RNN")
def rnn(
    at: NodeSite, x: Value, weights: Stored, recurrence: Stored, bias: Stored | None = None,
    lengths: Stored | None = None, first: Any = None, *, hidden_size: Shown = 0, direction: str = "forward",
    activations: list[str] | None = None, activation_alpha: Harmless = None,
    activation_beta: Harmless = None, clip: float | None = None, layout: Shown = 0,
) -> tuple[Value | None, ...]:  # fmt: skip
    """Translate h = f(W x + R h + b), with tanh or relu as f."""
    functions = {name.lower() for name in activations or ["Tanh"]}
    if functions not in ({"tanh"}, {"relu"}):
        at.refuse(f"activations={activations}: the layer elman has tanh or relu")
    _check(at, clip, lengths, x)
    more: dict[str, Any] = {"nonlinearity": "relu"} if functions == {"relu"} else {}
    return _run(at, "elman", x, [weights, recurrence, bias], [first], [0], direction, more)


@operator("GRU")
def gru(
    at: NodeSite, x: Value, weights: Stored, recurrence: Stored, bias: Stored | None = None,
    lengths: Stored | None = None, first: Any = None, *, hidden_size: Shown = 0, direction: str = "forward",
    linear_before_reset: int = 0, activations: list[str] | None = None, activation_alpha: Harmless = None,
    activation_beta: Harmless = None, clip: float | None = None, layout: Shown = 0,
) -> tuple[Value | None, ...]:  # fmt: skip
    """Translate a GRU whose reset gate multiplies what is already linear in the state, as torch's does."""
    if not linear_before_reset:
        at.refuse("linear_before_reset=0: the layer gru resets what is already multiplied")
    _check_activations(at, activations, ["Sigmoid", "Tanh"])
    _check(at, clip, lengths, x)
    return _run(at, "gru", x, [weights, recurrence, bias], [first], [1, 0, 2], direction, {})


@operator("LSTM")
def lstm(
    at: NodeSite, x: Value, weights: Stored, recurrence: Stored, bias: Stored | None = None,
    lengths: Stored | None = None, first: Any = None, first_cell: Any = None,
    peepholes: Stored | None = None, *, hidden_size: Shown = 0, direction: str = "forward",
    activations: list[str] | None = None, activation_alpha: Harmless = None,
    activation_beta: Harmless = None, clip: float | None = None, input_forget: int = 0, layout: Shown = 0,
) -> tuple[Value | None, ...]:  # fmt: skip
    if input_forget or (peepholes is not None and peepholes.array.any()):
        at.refuse("has peepholes, or a forget gate that depends on the input gate: no layer does this")
    _check_activations(at, activations, ["Sigmoid", "Tanh", "Tanh"])
    _check(at, clip, lengths, x)
    states = [first, first_cell]
    return _run(at, "lstm", x, [weights, recurrence, bias], states, [0, 2, 3, 1], direction, {})


def _check_activations(at: NodeSite, given: list[str] | None, expected: list[str]) -> None:
    names = [name.lower() for name in given or expected]
    own = [name.lower() for name in expected]
    if names not in (own, own * 2):
        at.refuse(f"activations={given}: the layer has {expected}")


def _check(at: NodeSite, clip: float | None, lengths: Stored | None, x: Value) -> None:
    """Raise Refused for states that are clipped, or sequences of different lengths."""
    if clip is not None:
        at.refuse(f"clip={clip}: no layer does this")
    if lengths is not None and (lengths.array != x.shape[0]).any():
        at.refuse("has sequences of other lengths than the data")


def _run(
    at: NodeSite, kind: str, x: Value, stored: list[Stored | None], states: list[Any], order: list[int],
    direction: str, settings: dict[str, Any],
) -> tuple[Value | None, ...]:  # fmt: skip
    """Add a layer for each direction, and join their values.

    Args:
        at: The node.
        kind: The kind of the layer.
        x: The sequences, (steps, n).
        stored: The weights of the input and of the state, and the bias or None, by direction.
        states: The states before the first step, by direction; None where they are zeros.
        order: For each gate of the layer, its index in ONNX's order.
        direction: forward, reverse or bidirectional.
        settings: Further settings of the layer.

    Returns:
        The states of all steps, those of the last ones, and for an LSTM its last cells.
    """
    count = len(at.results[0])
    steps_wanted = at.results[0][0].shape is not None
    weights, recurrence, bias = stored
    if weights is None or recurrence is None:
        at.refuse("has no weights")
    units = recurrence.array.shape[-1]
    values, ends, cells = [], [], []
    for place, reverse in enumerate(REVERSED[direction]):
        params: dict[str, Stored | None] = {
            "weight_ih": _gates(at, weights, place, order),
            "weight_hh": _gates(at, recurrence, place, order),
        }
        if bias is not None:
            params["bias_ih"], params["bias_hh"] = _biases(at, bias, place, order)
        own = {"units": units, **settings} | ({"bias": False} if bias is None else {})
        own |= {"reverse": True} if reverse else {}
        ended: dict[str, Any] = {} if steps_wanted else {"last": True}
        shape = (x.shape[0], units) if steps_wanted else (units,)
        name = at.name if len(REVERSED[direction]) == 1 else f"{at.name}_{place}"
        inputs = [x, *_first_states(at, states, place, units)]
        y = at.layer(kind, *inputs, out=shape, params=params, name=name, **own, **ended)
        values.append(y)
        last = y
        if steps_wanted and _is_wanted(at, 1):
            step = 0 if reverse else x.shape[0] - 1
            last = steps.part(at, y, 0, step, step + 1)
        ends.append(last)
        if _is_wanted(at, 2):
            own |= {"last": True, "cells": True}  # a second layer, tied to the first
            cells.append(at.layer(kind, *inputs, out=(units,), params=params, name=f"{name}_cell", **own))
    results: list[Value | None] = [None] * count
    if steps_wanted:
        results[0] = _joined(at, values, (x.shape[0], 1, units), 1)
    if _is_wanted(at, 1):
        results[1] = _joined(at, ends, (1, units), 0)
    if _is_wanted(at, 2):
        results[2] = _joined(at, cells, (1, units), 0)
    return tuple(results)


def _is_wanted(at: NodeSite, place: int) -> bool:
    """Return True when the node names this result."""
    return len(at.results[0]) > place and at.results[0][place].shape is not None


def _joined(at: NodeSite, values: list[Value], shape: tuple[int, ...], axis: int) -> Value:
    """Return the values of all directions, each of a shape, beside each other along an axis."""
    each = [at.view(value, shape) for value in values]
    if len(each) == 1:
        return each[0]
    out = (*shape[:axis], len(each), *shape[axis + 1 :])
    return at.step("concat", *each, out=out, axis=axis)


def _gates(at: NodeSite, stored: Stored, direction: int, order: list[int], part: str = "") -> Stored:
    """Return the weights of a direction, with the gates in the layer's order."""
    at.builder.use_as_constant(stored)
    parts = np.split(stored.array[direction], len(order))
    array = np.concatenate([parts[gate] for gate in order])
    layout = (f"gates {','.join(map(str, order))}",) if len(order) > 1 else ()
    return replace(
        stored, name=f"{stored.name}[{direction}]{part}", array=array, layout=(*stored.layout, *layout),
        identity=(stored.identity, direction, part),
    )  # fmt: skip


def _biases(at: NodeSite, bias: Stored, direction: int, order: list[int]) -> tuple[Stored, Stored]:
    """Return the biases of the input and of the state, which ONNX stores behind each other."""
    halves = np.split(bias.array, 2, axis=1)
    first, second = (
        _gates(at, replace(bias, array=half), direction, order, part)
        for half, part in zip(halves, ("[input]", "[state]"), strict=True)
    )
    return first, second


def _first_states(at: NodeSite, states: list[Any], direction: int, units: int) -> list[Value]:
    """Return the states before the first step of a direction; none when all are zeros."""
    if all(one is None or (isinstance(one, Stored) and not one.array.any()) for one in states):
        return []
    return [_first_state(at, one, direction, units) for one in states]


def _first_state(at: NodeSite, state: Any, direction: int, units: int) -> Value:
    if state is None:
        return at.constant(np.zeros(units), (units,))
    if isinstance(state, Value):
        return at.view(steps.part(at, state, 0, direction, direction + 1), (units,))
    if not isinstance(state, Stored) or state.array.shape[at.batch_axis] != 1:
        at.refuse("has first states of each example that are stored")
    numbers = state.array.squeeze(at.batch_axis)[direction]
    at.builder.use_as_constant(state)
    return at.constant(numbers, (units,), f"{at.name}_state")
