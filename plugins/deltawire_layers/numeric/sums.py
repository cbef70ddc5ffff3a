"""Sums that keep their digits however long they are: over rows, over examples, over any axes.

Every addition rounds, so that a long sum made term by term loses digits; numpy's does along any axis but the
last. Here a long sum is made of blocks, and the sums of blocks are added in pairs. Shapes alone decide where
blocks end. So the bits are the same for any number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby, pairwise
from math import prod

import numpy as np

from deltawire_layers.layer import Array, Shape
from deltawire_layers.numeric import kernels

TERMS = 256
"""Terms that are added one after the other, at most."""

LANES = 4
"""Sums that einsum keeps beside each other along the last axis, at least."""

BLAS_SUM_SIZE = 2**14
"""Smallest size at which BLAS sums rows faster than numpy, although it multiplies each number by 1."""

SCATTERED_NUMBERS = 2**18
"""Numbers whose runs are summed at once, to bound the memory of their copies."""


def rows(array: Array) -> Array:
    """Return (..., n) as a contiguous matrix with rows of n numbers; join all leading axes.

    numpy adds and multiplies in an order that depends on the layout: the same numbers would get other bits.
    """
    matrix = array if array.ndim == 2 else array.reshape(prod(array.shape[:-1]), array.shape[-1])
    return matrix if matrix.flags.c_contiguous else np.ascontiguousarray(matrix)


def sum_rows(array: Array) -> Array:
    """Return Σ over all leading axes of (..., n): (n,)."""
    matrix = rows(array)
    if len(matrix) == 1:
        first: Array = matrix[0]
        return first
    if matrix.size < BLAS_SUM_SIZE and len(matrix) <= TERMS:
        return np.asarray(np.add.reduce(matrix, axis=0))
    total: Array = long_product(np.ones((1, len(matrix)), matrix.dtype), matrix)[0]
    return total


def long_product(a: Array, b: Array) -> Array:
    """Return a b over the last two axes, a sum of many terms for each number of a small matrix.

    BLAS adds such terms one after the other.

    Args:
        a: (..., n, k).
        b: (..., k, m), the leading axes those of a.
    """
    terms = a.shape[-1]
    if terms <= TERMS:
        return np.asarray(a @ b)
    whole = terms - terms % TERMS
    a_blocks = a[..., :whole].reshape(*a.shape[:-1], whole // TERMS, TERMS)
    b_blocks = b[..., :whole, :].reshape(*b.shape[:-2], whole // TERMS, TERMS, b.shape[-1])
    if a.ndim == 2:  # as `moveaxis`, which takes long
        parts = a_blocks.swapaxes(0, 1) @ b_blocks
    else:
        parts = np.moveaxis(a_blocks, -2, 0) @ np.moveaxis(b_blocks, -3, 0)
    if whole < terms:
        parts = np.concatenate((parts, (a[..., whole:] @ b[..., whole:, :])[None]))
    return _in_pairs(parts)


def sum_row_products(a: Array, b: Array) -> Array:
    """Return Σ a ∘ b over all leading axes of two arrays (..., n): (n,)."""
    a, b = rows(a), rows(b)
    count, width = a.shape
    if count <= TERMS:
        return np.asarray(np.einsum("ki,ki->i", a, b))
    whole = count - count % TERMS
    a_blocks, b_blocks = (x[:whole].reshape(whole // TERMS, TERMS, width) for x in (a, b))
    parts = np.einsum("bki,bki->bi", a_blocks, b_blocks)
    if whole < count:
        parts = np.concatenate((parts, np.einsum("ki,ki->i", a[whole:], b[whole:])[None]))
    return _in_pairs(parts)


def sum_batch(array: Array) -> Array:
    """Return Σ over the examples of a batch: shaped like one of them."""
    return sum_rows(array.reshape(len(array), prod(array.shape[1:]))).reshape(array.shape[1:])


def sum_batch_products(a: Array, b: Array) -> Array:
    """Return Σ a ∘ b over the examples of two batches: shaped like one of them."""
    flat = (len(a), prod(a.shape[1:]))
    return sum_row_products(a.reshape(flat), b.reshape(flat)).reshape(a.shape[1:])


def sum_example(array: Array) -> Array:
    """Return Σ over all axes but the batch: (batch,)."""
    return array if array.ndim == 1 else np.add.reduce(array.reshape(len(array), -1), axis=1)


def sum_axes(array: Array, axes: Shape, keepdims: bool = False) -> Array:
    """Return Σ over some axes; it is finite where it can be, also when a part of it is not.

    Args:
        array: the numbers.
        axes: the axes, counted from the first.
        keepdims: whether the axes stay, with size 1.
    """
    return _over(array, axes, keepdims, lambda numbers: _total(numbers, axes))


def mean_axes(array: Array, axes: Shape, keepdims: bool = False) -> Array:
    """Return the mean over some axes; it is finite where it can be, also when the sum is not.

    Args:
        array: the numbers.
        axes: the axes, counted from the first.
        keepdims: whether the axes stay, with size 1.
    """
    count = _count(array, axes)
    return _over(array, axes, keepdims, lambda numbers: np.asarray(_total(numbers, axes) / count))


def _over(array: Array, axes: Shape, keepdims: bool, summed: Callable[[Array], Array]) -> Array:
    if not axes:
        return array
    total = without_overflow(summed, array, _count(array, axes))
    return np.expand_dims(total, axes) if keepdims else total


def without_overflow(summed: Callable[[Array], Array], array: Array, terms: int) -> Array:
    """Return sums that are finite where they can be, also when a part of one is not.

    Args:
        summed: makes sums of numbers, or means; twice the numbers make them twice as great.
        array: the numbers.
        terms: number of terms of each sum.
    """
    total = summed(array)
    if np.isfinite(total).all():
        return total
    share = 2.0 ** terms.bit_length()  # numbers divided by more than their number do not overflow
    smaller = summed(array / share) * share
    return np.where(np.isfinite(smaller), smaller, total)


def running_sum(array: Array, axis: int) -> Array:
    """Return the sums from the first place to each along an axis; for float32, they run in float64."""
    wide = np.float64 if array.dtype == np.float32 else array.dtype
    return np.add.accumulate(array, axis=axis, dtype=wide).astype(array.dtype, copy=False)


def _count(array: Array, axes: Shape) -> int:
    return prod(array.shape[axis] for axis in axes)


def _total(array: Array, axes: Shape) -> Array:
    """Return Σ over some axes, neighbours together, from the last axes to the first."""
    last = min(axes) == array.ndim - len(axes) and array.flags.c_contiguous  # numpy adds these in pairs
    if last or _count(array, axes) <= TERMS:
        return np.asarray(np.add.reduce(array, axis=axes))
    kept = [size for axis, size in enumerate(array.shape) if axis not in axes]
    runs = [list(run) for _, run in groupby(range(array.ndim), lambda axis: axis in axes)]
    array = array.reshape([prod(array.shape[axis] for axis in run) for run in runs])
    for place in reversed(range(len(runs))):
        if runs[place][0] in axes:
            array = _along(array, place)
    return array.reshape(kept)


def _along(array: Array, axis: int) -> Array:
    """Return Σ over one axis of a contiguous array."""
    terms, behind = array.shape[axis], prod(array.shape[axis + 1 :])
    if behind == 1 or terms <= TERMS:
        return np.asarray(np.add.reduce(array, axis=axis))
    whole = terms - terms % TERMS
    before = array.shape[:axis]
    stack = array.reshape(prod(before), terms, behind)
    parts = np.add.reduce(stack[:, :whole].reshape(len(stack), whole // TERMS, TERMS, behind), axis=2)
    if whole < terms:
        parts = np.concatenate((parts, np.add.reduce(stack[:, whole:], axis=1)[:, None]), axis=1)
    return _in_pairs(parts.swapaxes(0, 1)).reshape(*before, *array.shape[axis + 1 :])


def _in_pairs(parts: Array) -> Array:
    """Return Σ over the first axis, which has one place at least, of pairs, then of pairs of these."""
    while len(parts) > 1:
        half = len(parts) // 2
        pairs = parts[:half] + parts[half : 2 * half]
        if len(parts) % 2:
            pairs[0] += parts[-1]
        parts = pairs
    return np.asarray(parts[0])


def expand_batch(delta: Array, like: Array) -> Array:
    """Return δ (batch, ...) with axes of size 1 behind it, to broadcast against `like` (batch, ...)."""
    return delta.reshape(*delta.shape, *(1,) * (like.ndim - delta.ndim))


def scatter_rows(index: Array, delta: Array, shape: Shape) -> Array:
    """Return the gradient of a table whose rows were looked up: Σ e_index δᵀ.

    Args:
        index: rows looked up, integers of any shape (...).
        delta: δ of the looked-up rows (..., n).
        shape: shape of the table, (rows, n).

    Returns:
        Each row of δ added to the row of the table it was looked up from, in a fixed order.
    """
    compiled = kernels.scatter_rows(index, delta, shape)
    if compiled is not None:
        return compiled
    # Sort, then sum runs: fast, and in an order that depends on the indices only.
    order = np.argsort(index, axis=None, kind="stable")
    looked_up = index.ravel()[order]
    changes = looked_up[1:] != looked_up[:-1]
    starts = np.flatnonzero(np.concatenate((np.ones(min(1, len(order)), bool), changes)))
    matrix, gradient, ends = rows(delta), np.zeros(shape, delta.dtype), np.append(starts[1:], len(order))
    for runs in _run_blocks(starts, len(order), SCATTERED_NUMBERS // shape[1]):
        begin, end = starts[runs.start], ends[runs.stop - 1]
        gradient[looked_up[starts[runs]]] = _sum_runs(matrix[order[begin:end]], starts[runs] - begin)
    return gradient


def _sum_runs(matrix: Array, starts: Array) -> Array:
    """Return the sum of each run of rows.

    Args:
        matrix: the rows.
        starts: the first row of each run; the first is 0.
    """
    lengths = np.diff(starts, append=len(matrix))
    if lengths.max() <= TERMS:
        return np.asarray(np.add.reduceat(matrix, starts, axis=0))
    blocks = -(-lengths // TERMS)
    firsts = np.cumsum(blocks) - blocks
    within = np.arange(blocks.sum()) - np.repeat(firsts, blocks)
    parts = np.add.reduceat(matrix, np.repeat(starts, blocks) + TERMS * within, axis=0)
    return _sum_runs(parts, firsts)


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
    count = a.shape[-1]
    if count <= LANES * TERMS:
        return np.asarray(np.einsum("...i,...i->...", a, b))[..., None]
    whole = count - count % TERMS
    a_blocks, b_blocks = (x[..., :whole].reshape(*x.shape[:-1], whole // TERMS, TERMS) for x in (a, b))
    total = np.add.reduce(np.einsum("...i,...i->...", a_blocks, b_blocks), axis=-1, keepdims=True)
    return np.asarray(total + inner(a[..., whole:], b[..., whole:]) if whole < count else total)
