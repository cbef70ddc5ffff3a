"""Sums over leading axes, over an example and over the last axis, for gradients and losses."""

from __future__ import annotations

from math import prod

import numpy as np

from deltawire_layers.layer import Array, Shape

BLAS_SUM_SIZE = 2**14
"""Smallest size at which BLAS sums rows faster than numpy, although it multiplies each number by 1."""


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
    looked_up, starts = np.unique(index.ravel()[order], return_index=True)
    gradient = np.zeros(shape, delta.dtype)
    gradient[looked_up] = np.add.reduceat(rows(delta)[order], starts, axis=0)
    return gradient


def inner(a: Array, b: Array) -> Array:
    """Return Σ a b over the last axis: (..., 1)."""
    return np.asarray(np.einsum("...i,...i->...", a, b))[..., None]
