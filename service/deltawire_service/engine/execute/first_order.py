"""Layers of `orders` 1 in a run of complex numbers: they compute with real numbers all the same.

Where a step does not move the inputs and parameters of such a layer, its value is real. Its equations are
linear in the delta that arrives, so they take its real and its imaginary part one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from deltawire.errors import Refused
from deltawire_layers import Activation, Array, Equation, Shape, lock
from deltawire_service.engine.execute import layer_calls
from deltawire_service.engine.graph import Arrays, Node
from deltawire_service.engine.plan.first_order import first_order_only
from deltawire_service.engine.plan.program import ArrayRole

FLOAT = np.dtype(np.float64)


class SignalParts(NamedTuple):
    """The signals that equations share, of both parts of a complex delta."""

    real: Any
    imaginary: Any
    """Of the imaginary part, times 2 to the power of `-exponent`."""
    exponent: int


def forward(
    node: Node, params: Arrays, inputs: Sequence[Array], dtype: np.dtype[Any]
) -> tuple[Array, Activation]:
    """Compute the value of a layer of `orders` 1 in a run of complex numbers.

    Args:
        node: the node.
        params: arrays by the layer's names, complex128.
        inputs: (batch, *shape) each, complex128 or integers, read-only.
        dtype: complex128.

    Returns:
        The value, (batch, *shape), locked, and the activation, whose equations take complex deltas.

    Raises:
        Refused: an argument is moved by the step.
        PluginError: the layer breaks its contract.
    """
    if any(_is_moved(array) for array in (*params.values(), *inputs)):
        raise Refused([first_order_only(node, "no complex step goes through it")])
    real_params = {local: array.real for local, array in params.items()}
    value, activation = layer_calls.forward(node, real_params, [array.real for array in inputs], FLOAT)

    def signal(delta: Array) -> SignalParts:
        largest = float(np.abs(delta.imag).max(initial=0))
        exponent = int(np.frexp(largest)[1]) if np.isfinite(largest) else 0
        # Scaled to size 1: a step of 1e-200 would be 0 in the float32 of a simulator.
        parts = delta.real, np.ldexp(delta.imag, -exponent)
        for part in parts:
            lock(part)
        real, imaginary = (layer_calls.signal(node, activation, part) for part in parts)
        return SignalParts(real, imaginary, exponent)

    def by_parts(role: ArrayRole, equation: Equation, shape: Shape) -> Callable[[SignalParts], Array]:
        def compute(signals: SignalParts) -> Array:
            delta = np.empty(shape, dtype)
            delta.real = layer_calls.equation(node, role, equation, signals.real, shape, FLOAT)
            imaginary = layer_calls.equation(node, role, equation, signals.imaginary, shape, FLOAT)
            delta.imag = np.ldexp(imaginary, signals.exponent)
            return delta

        return compute

    deltas = tuple(
        equation
        and by_parts(ArrayRole("sent", source, place), equation, (len(value), *node.input_shapes[place]))
        for place, (source, equation) in enumerate(zip(node.inputs, activation.deltas, strict=True))
    )
    grads = {
        local: by_parts(ArrayRole("gradient", local), equation, params[local].shape)
        for local, equation in activation.grads.items()
    }
    whole = value.astype(dtype)
    lock(whole)
    return whole.view(), Activation(whole, deltas, grads, signal)


def _is_moved(array: Array) -> bool:
    """Return whether an array has imaginary parts; NaN is none, for it comes of numbers not finite."""
    return array.dtype == np.complex128 and bool(np.any(np.nan_to_num(array.imag)))
