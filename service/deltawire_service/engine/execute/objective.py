"""The number that gradients are of: weighted losses, reduced over the batch, and the regularization."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import add
from typing import Any, NamedTuple, Protocol, Self

import numpy as np

from deltawire_layers import Array
from deltawire_service.engine.graph import Arrays, Graph
from deltawire_service.engine.plan.cuts import segment_rows


class Starts(Protocol):
    """The deltas that backprop begins with, as data: another process can have them."""

    @property
    def cotangents(self) -> Arrays:
        """The arrays among them, (batch, *shape) by node."""

    def with_cotangents(self, cotangents: Arrays) -> Self:
        """Return the starts of other rows, which have these cotangents."""

    def __call__(self, start: int, stop: int, dtype: np.dtype[Any]) -> dict[str, Array]:
        """Return the deltas by node, (stop - start, *shape).

        Args:
            start: the first row.
            stop: the row after the last.
            dtype: the dtype of the deltas.
        """


class LossStarts(NamedTuple):
    """Starts at the loss nodes: ∂(reduced loss)/∂loss, the same for each row."""

    weights: Mapping[str, float]
    divisor: int
    """The number of examples for the mean of their losses, 1 for the sum."""

    @property
    def cotangents(self) -> Arrays:
        return {}

    def with_cotangents(self, cotangents: Arrays) -> Self:
        return self

    def __call__(self, start: int, stop: int, dtype: np.dtype[Any]) -> dict[str, Array]:
        scale, starts = 1 / self.divisor, {}
        for name, weight in self.weights.items():
            starts[name] = delta = np.empty(stop - start, dtype)
            delta.fill(weight * scale)
        return starts


class CotangentStarts(NamedTuple):
    """Starts at any nodes: the rows of their cotangents."""

    cotangents: Arrays

    def with_cotangents(self, cotangents: Arrays) -> Self:
        return self._replace(cotangents=cotangents)

    def __call__(self, start: int, stop: int, dtype: np.dtype[Any]) -> dict[str, Array]:
        return {name: np.array(array[start:stop], dtype) for name, array in self.cotangents.items()}


class Objective(NamedTuple):
    """The reduced loss of a network on a batch."""

    network: Graph
    divisor: int
    """The number of examples for the mean of their losses, 1 for the sum."""

    @property
    def starts(self) -> LossStarts:
        """The deltas that backprop from this loss begins with."""
        return LossStarts(self.network.loss, self.divisor)

    def losses(self, values: Arrays) -> Array:
        """Return each example's weighted loss, (batch,), from the values of the loss nodes."""
        weighted = [
            values[name] if weight == 1 else weight * values[name]
            for name, weight in self.network.loss.items()
        ]
        return reduce(add, weighted)

    def reduced(self, losses: Array, params: Arrays, chunks: int) -> Any:
        """Return the losses' mean or sum plus the regularization: a complex number where the arrays are.

        Sums run in float64 for float32 as well: a long batch keeps its digits.

        Args:
            losses: each example's weighted loss, (batch,).
            params: arrays by parameter.
            chunks: number of chunks of the batch; losses add up within segments of these, too.
        """
        wide = np.complex128 if losses.dtype.kind == "c" else np.float64
        if chunks > 1:
            parts = [_sum(losses[rows], wide) for rows in segment_rows(len(losses), chunks)]
            loss = reduce(add, parts) / self.divisor
        else:
            loss = _sum(losses, wide) / self.divisor
        regularization = self.network.regularization
        for name in regularization.parameters if regularization.l2 else ():
            flat = params[name].ravel()
            loss += regularization.l2 / 2 * np.einsum("i,i->", flat, flat, dtype=wide)
        return loss

    def regularized(self, gradients: Arrays, params: Arrays) -> dict[str, Array]:
        """Return those of the gradients that the regularization adds to, with λW added."""
        regularization = self.network.regularization
        decayed: dict[str, Array] = {}
        for name in regularization.parameters if regularization.l2 else ():
            if name in gradients:
                decay = params[name].dtype.type(regularization.l2) * params[name]
                decay += gradients[name]
                decayed[name] = decay
        return decayed


def _sum(losses: Array, wide: Any) -> Any:
    """Return Σ of losses in a wider format; numpy's sum takes ten times as long for a single one."""
    if len(losses) == 1 and wide is np.float64:
        return losses.item() + 0.0  # which makes 0 of −0, as numpy's sum does
    return np.add.reduce(losses, dtype=wide)
