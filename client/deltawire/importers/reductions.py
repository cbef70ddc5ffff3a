"""Outputs that a whole batch has: the mean or the sum of a number of each example, such as a loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltawire.importers.operands import Reduced, Value
from deltawire.importers.site import Site, described
from deltawire.network import Network
from deltawire.wire import Array


def over_batch(at: Site, reduction: str, x: Value) -> Reduced:
    """Reduce all numbers of a batch.

    Args:
        at: The operation.
        reduction: "mean" or "sum".
        x: The numbers of each example, (...).
    """
    if x.shape == () and not x.whole:
        return Reduced(x, reduction)
    return Reduced(at.layer(reduction, x, out=()), reduction)


def combined(at: Site, kind: str, a: Any, b: Any) -> Reduced:
    """Combine an output of the batch with another one, or with a number.

    Args:
        at: The operation.
        kind: The kind of the layer, such as `add`.
        a, b: The operands; one of them is an output of the batch at least.

    Raises:
        Refused: The result is no mean and no sum of numbers of the examples.
    """
    if isinstance(a, Reduced) and isinstance(b, Reduced):
        if a.reduction != b.reduction or kind not in ("add", "subtract"):
            at.refuse(f"combines a {a.reduction} and a {b.reduction} over the batch: no layer does this")
        return Reduced(at.layer(kind, a.value, b.value, out=()), a.reduction)
    output, other = (a, b) if isinstance(a, Reduced) else (b, a)
    number, mean = at.number(other, "the other operand"), output.reduction == "mean"
    scale, shift = 1.0, 0.0
    if kind == "multiply" or (kind == "divide" and output is a and number):
        scale = number if kind == "multiply" else 1 / number
    elif mean and kind in ("add", "subtract"):
        scale = 1.0 if kind == "add" or output is a else -1.0
        shift = -number if kind == "subtract" and output is a else number
    else:
        at.refuse(f"combines {described(a)} and {described(b)}: no layer does this")
    return Reduced(at.layer("affine", output.value, out=(), scale=scale, shift=shift), output.reduction)


def remember(network: Network, output: Reduced) -> None:
    """Record in the metadata how an output is reduced."""
    network.metadata[f"reduction/{output.value.name}"] = output.reduction


def reduction_of(network: Network, node: str) -> str:
    """Return how an output is reduced: "mean", "sum", or "" for one with a leading batch axis."""
    return network.metadata.get(f"reduction/{node}", "")


def reduced(numbers: Array, reduction: str) -> Array:
    """Return an output of the model, given that of the network, (batch, ...)."""
    if not reduction:
        return numbers
    return np.asarray(numbers.mean(axis=0) if reduction == "mean" else numbers.sum(axis=0))


def spread(cotangent: Array, reduction: str, batch: int) -> Array:
    """Return the cotangent of an output of the network, given that of the model's output.

    Args:
        cotangent: An array of the shape of the model's output.
        reduction: How the output is reduced.
        batch: The number of examples.
    """
    if not reduction:
        return cotangent
    return np.full(batch, cotangent / batch if reduction == "mean" else cotangent, cotangent.dtype)
