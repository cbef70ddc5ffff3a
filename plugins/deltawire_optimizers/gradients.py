"""The norm of gradients, and the numbers that clip them."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite, sqrt
from typing import Any, NamedTuple

import numpy as np

from deltawire_optimizers import kernels
from deltawire_optimizers.optimizer import Array
from deltawire_optimizers.pieces import PIECE, pieces


class Clip(NamedTuple):
    """The numbers that clip the gradients of one step.

    scale: multiplies every gradient
    bound: afterwards, every number is brought into [−bound, bound]
    """

    scale: float = 1.0
    bound: float = inf

    def bounds(self, dtype: np.dtype[Any]) -> bool:
        """Return whether a number of this dtype may be beyond the bound."""
        return self.bound <= float(np.finfo(dtype).max)

    def changes(self, dtype: np.dtype[Any]) -> bool:
        """Return whether a number of this dtype may be changed."""
        return self.scale != 1.0 or self.bounds(dtype)


NO_CLIP = Clip()


SMALL = 2.0**-600
"""Numbers of float64 times this have squares that float64 holds; a power of two rounds nothing."""


def squared_norm(array: Array, factor: float = 1.0) -> float:
    """Return the sum of the squares, in float64: finite when every number is finite and below 1e150.

    Every number is multiplied by the factor before it is squared.
    """
    if factor == 1.0 and (norm := kernels.squared_norm(array, PIECE)) is not None:
        return norm
    squares = np.empty(min(PIECE, array.size))
    total = 0.0
    with np.errstate(over="ignore"):
        for (piece,) in pieces([array]):
            square = squares[: len(piece)]
            if factor == 1.0:
                np.copyto(square, piece)
            else:
                np.multiply(piece, factor, out=square, dtype=np.float64)
            total += float(np.square(square, out=square).sum())
    return total


def global_norm(gradients: Mapping[str, Array]) -> float:
    """Return the 2-norm of all gradients together, as if they were one vector: inf above float64's range."""
    total = sum(map(squared_norm, gradients.values()))
    if isfinite(total):
        return sqrt(total)
    return sqrt(sum(squared_norm(array, SMALL) for array in gradients.values())) / SMALL


def scale_to_norm(norm: float, max_norm: float) -> float:
    """Return the factor that brings gradients of this global norm down to `max_norm`, as torch computes it.

    A scale of 1 leaves smaller gradients as they are.
    """
    return min(1.0, max_norm / (norm + 1e-6))
