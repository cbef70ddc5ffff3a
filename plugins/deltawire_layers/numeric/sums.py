"""Sums over leading axes, over an example and over the last axis, for gradients and losses."""

from __future__ import annotations

from itertools import pairwise
from math import prod

import numpy as np

from deltawire_layers.layer import Array, Shape

BLAS_SUM_SIZE = 2**14
"""Smallest size at which BLAS sums rows faster than numpy, although it multiplies each number by 1."""


SCATTERED_NUMBERS = 2**18
"""Numbers whose runs are summed at once, to bound the memory of their copies."""


def rows(array: Array) -> Array:
    """Return (..., n) as a matrix with rows of n numbers; join all leading axes."""
    return array if array.ndim == 2 else array.reshape(prod(array.shape[:-1]), array.shape[-1])


def sum_rows(array: Array) -> Array:
    """Return Σ over all leading axes of (..., n): (n,)."""
    matrix = rows(array)
    total: Array
    if len(matrix) == 1:
        total = matrix[0]
    elif matrix.size < BLAS_SUM_SIZE:
        total = np.add.reduce(matrix, axis=0)
    else:
        total = np.dot(np.ones(len(matrix), matrix.dtype), matrix)
    return total


def sum_example(array: Array) -> Array:
    """Return Σ over all axes but the batch: (batch,)."""
    return array if array.ndim == 1 else np.add.reduce(array.reshape(len(array), -1), axis=1)


def expand_batch(delta: Array, like: Array) -> Array:
    """Return δ (batch,) with axes of size 1 added, so that it broadcasts against `like` (batch, ...)."""
    return delta.reshape(-1, *(1,) * (like.ndim - 1))


def scatter_rows(index: Array, delta: Array, shape: Shape) -> Array:
    """Return the gradient of a table whose rows were looked up: Σ e_index δᵀ.

    Args:
        index: rows looked up, integers of any shape (...).
        delta: δ of the looked-up rows (..., n).
        shape: shape of the table, (rows, n).

    Returns:
        Each row of δ added to the row of the table it was looked up from, in a fixed order.
    """
    # Sort, then sum runs: fast, and in an order that depends on the indices only.
    order = np.argsort(index, axis=None, kind="stable")
    looked_up = index.ravel()[order]
    changes = looked_up[1:] != looked_up[:-1]
    starts = np.flatnonzero(np.concatenate((np.ones(min(1, len(order)), bool), changes)))
    matrix, gradient, ends = rows(delta), np.zeros(shape, delta.dtype), np.append(starts[1:], len(order))
    for runs in _run_blocks(starts, len(order), SCATTERED_NUMBERS // shape[1]):
        begin, end = starts[runs.start], ends[runs.stop - 1]
        sums = np.add.reduceat(matrix[order[begin:end]], starts[runs] - begin, axis=0)
        gradient[looked_up[starts[runs]]] = sums
    return gradient


def _run_blocks(starts: Array, size: int, most: int) -> list[slice]:
    """Return blocks of whole runs, of about so many rows where no run has more.

    Args:
        starts: the rows where runs start.
        size: the row where the last run ends.
        most: rows of a block.
    """
    if 0 < size <= most:
        return [slice(0, len(starts))]
    firsts = np.unique(np.searchsorted(starts, np.arange(0, size, max(1, most))))
    bounds = [*firsts[firsts < len(starts)].tolist(), len(starts)]
    return [slice(first, stop) for first, stop in pairwise(bounds)]


def inner(a: Array, b: Array) -> Array:
    """Return Σ a b over the last axis: (..., 1)."""
    return np.asarray(np.einsum("...i,...i->...", a, b))[..., None]
