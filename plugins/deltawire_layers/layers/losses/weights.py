"""Weights of examples: the one rule of all losses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from deltawire_layers.layer import Activation, Array, Equation, LayerError, Shape


def check_weight(weight: tuple[Shape, ...], position: int) -> None:
    """Check that there is one weight for each example at most.

    Args:
        weight: the shapes of the inputs behind those of the loss.
        position: the position of the first of them.

    Raises:
        LayerError: there are several, or it is no single number.
    """
    if len(weight) > 1:
        raise LayerError(f"expected one weight for each example at most, got {len(weight)} more inputs")
    if weight and weight[0] != ():
        raise LayerError(
            f"expected one weight for each example, shape [], got {list(weight[0])}", input=position
        )


def weighted(loss: Activation, weight: tuple[Array, ...]) -> Activation:
    """Return a loss times the weight of each example.

    Args:
        loss: the loss without weights, whose signal is δ itself.
        weight: nothing, or one weight for each example: (batch,).
    """
    if not weight:
        return loss
    (w,) = weight

    def through(equation: Equation, delta: Array) -> Array:
        return equation(delta * w)

    deltas: list[Callable[[Any], Array] | None] = [
        equation and partial(through, equation) for equation in loss.deltas
    ]
    return Activation(loss.value * w, deltas=(*deltas, lambda delta: delta * loss.value))
