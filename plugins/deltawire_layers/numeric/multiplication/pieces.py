"""Real matrix products in fixed pieces, which threads may share.

Shapes alone decide where a product is cut. So its bits are the same whoever computes the pieces, one thread
or several. A BLAS library that uses threads itself cuts by their number, and rounds differently.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from deltawire_layers.deadlines import check_deadline
from deltawire_layers.layer import Array
from deltawire_layers.numeric.multiplication import blas
from deltawire_layers.numeric.sharing import MOST_PIECES, compute, cuts, sharing
from deltawire_layers.numeric.sums import long_product

PIECE = 2**24
"""Multiplications of a piece, at least: about 0.3 ms, for less is not worth handing to a thread."""

WIDTH = 256
"""Rows or columns of a piece, at least: narrower products take longer, also in one thread."""

HALF = 128
"""Both axes of a product that is shared in two halves are at least twice this long."""

LONGEST = 2**32
"""Multiplications of a product that is computed in one go, at most: about 0.1 s. Longer ones are halved."""

NARROWEST = 64
"""Rows or columns of a half, at least."""

LONG_SUM = 1024
"""Terms of a sum from which it matters how they are added."""

SMALL = 1024
"""Numbers of a matrix up to which BLAS adds all terms one after the other; for more it makes blocks."""


def product(a: Array, b: Array) -> Array:
    """Return a b over the last two axes: a (..., n, k), b (..., k, m), the leading axes equal in both."""
    m = b.shape[-1]
    if a.shape[-1] > LONG_SUM:
        n = a.shape[-2]
        if (n * m <= SMALL or 1 in (n, m)) and a.shape[:-2] == b.shape[:-2]:
            return long_product(a, b)
    multiplications = a.size * m
    if multiplications < 2 * PIECE:
        if multiplications >= blas.LEAST:
            return blas.multiply(a, b)
        # For a single row, `@` makes a full matrix product, at an eighth of the speed of `dot`. The function
        # `np.dot` takes 0.3 µs longer than the method, a third of the time of a small product.
        plain: Array = a.dot(b) if a.ndim == 2 else a @ b
        return plain
    return _cut(a, b) if a.ndim == 2 else _stacked(a, b)


def _cut(a: Array, b: Array) -> Array:
    """Compute a product in pieces of its longer axis."""
    (n, k), m = a.shape, b.shape[1]
    longer = max(n, m)
    most = max(longer // WIDTH, 2 if min(n, m) >= 2 * HALF else 1)
    count = max(1, min(MOST_PIECES, most, n * k * m // PIECE))
    if count > 1:
        count -= count % 2  # an even number, so that two threads end at the same time
    if count == 1 and n * k * m <= LONGEST:
        return blas.multiply(a, b)
    value = np.empty((n, m), a.dtype)
    if n == longer:
        pieces = [partial(_multiply, a[piece], b, value[piece]) for piece in cuts(n, count)]
    else:
        pieces = [partial(_multiply, a, b[:, piece], value[:, piece]) for piece in cuts(m, count)]
    compute(pieces)
    return value


def _stacked(a: Array, b: Array) -> Array:
    """Compute a stack of products; each matrix is a product by itself, so any cut gives the same bits."""
    multiplications = a.size * b.shape[-1]
    shared = sharing.get() is not None and len(a) > 1
    if a.shape[:-2] != b.shape[:-2] or (multiplications <= LONGEST and not shared):
        return blas.multiply(a, b)
    value = np.empty((*a.shape[:-1], b.shape[-1]), a.dtype)
    count = max(min(MOST_PIECES, multiplications // PIECE), multiplications // LONGEST)
    pieces = cuts(len(a), min(len(a), count))
    compute([partial(_multiply, a[piece], b[piece], value[piece]) for piece in pieces])
    return value


def _multiply(a: Array, b: Array, value: Array) -> None:
    """Write a b to `value`; in halves, with a look at the deadline before each, where it takes long.

    Args:
        a: (..., n, k).
        b: (..., k, m), its leading axes those of a.
        value: (..., n, m).
    """
    if a.size * b.shape[-1] <= LONGEST:
        blas.multiply(a, b, value)
    elif a.ndim > 2:
        for each in zip(a, b, value, strict=True):
            check_deadline()
            _multiply(*each)
    elif max(value.shape) < 2 * NARROWEST:
        blas.multiply(a, b, value)
    else:
        (n, m) = value.shape
        for half in cuts(max(n, m), 2):
            check_deadline()
            if n >= m:
                _multiply(a[half], b, value[half])
            else:
                _multiply(a, b[:, half], value[:, half])
