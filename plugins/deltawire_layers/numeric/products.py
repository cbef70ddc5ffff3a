"""Matrix products, in real arithmetic also under the complex step.

To first order in the imaginary parts, (A + iα)(B + iβ) = AB + i(Aβ + αB). A complex product costs four real
ones; these functions omit αβ, because it vanishes with the step. α = 0 or β = 0 saves one more.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np

from deltawire_layers.deadlines import check_deadline
from deltawire_layers.layer import Array
from deltawire_layers.numeric.multiplication.pieces import product
from deltawire_layers.numeric.sums import rows

FEWEST = 32
"""Multiplications per number of the arrays, below which separating the parts costs more than it saves."""

BLOCK = 2**19
"""Numbers whose parts are separated at once, to bound the memory of the parts.

A matrix that multiplies every row is separated as a whole.
"""


def matmul(a: Array, b: Array) -> Array:
    """Return a b over the last two axes: a (..., n, k), b (..., k, m), the leading axes equal in both."""
    if a.dtype.kind != "c" or not _pays(a, b):
        return product(a, b)
    numbers = a.size + b.size + prod(a.shape[:-1]) * b.shape[-1]
    if numbers <= BLOCK:
        return _first_order(a, b)
    value = np.empty((*a.shape[:-1], b.shape[-1]), a.dtype)
    if a.ndim > 2 and numbers <= BLOCK * len(a):
        for block in _blocks(len(a), numbers // len(a)):
            check_deadline()
            value[block] = _first_order(a[block], b[block])
    else:
        for place in np.ndindex(a.shape[:-2]):
            parts = _apart(b[place])
            for block in _blocks(a.shape[-2], a.shape[-1] + b.shape[-1]):
                check_deadline()
                value[place][block] = _times(a[place][block], parts)
    return value


def project(x: Array, W: Array) -> Array:
    """Return x W over the last axis of x (..., n), for a matrix W (n, m): (..., m)."""
    z = matmul(rows(x), W)  # one product, not one for each example
    return z if x.ndim == 2 else z.reshape(*x.shape[:-1], W.shape[1])


def outer(a: Array, b: Array) -> Array:
    """Return Σ a bᵀ over all leading axes of a (..., m) and b (..., n): (m, n)."""
    a, b = rows(a), rows(b)
    if a.dtype.kind != "c" or not _pays(a.T, b):
        return product(a.T, b)
    first, *others = _blocks(len(a), a.shape[1] + b.shape[1])
    total = _first_order(a[first].T, b[first])
    for block in others:
        check_deadline()
        total += _first_order(a[block].T, b[block])
    return total


def _blocks(count: int, each: int) -> list[slice]:
    step = max(1, BLOCK // each)
    return [slice(start, start + step) for start in range(0, count, step)]


def _pays(a: Array, b: Array) -> bool:
    n, terms, m = *a.shape[-2:], b.shape[-1]
    numbers = n * terms + terms * m + n * m
    return bool(n * terms * m > FEWEST * numbers)


class _Parts(NamedTuple):
    """The parts of a complex matrix.

    real:  the real parts
    pairs: real and imaginary parts as alternate columns of reals, when the memory has this order
    imag:  the imaginary parts, when there are no pairs and any is not 0
    """

    real: Array
    pairs: Array | None
    imag: Array | None


def _apart(b: Array) -> _Parts:
    moves = _moves(b)
    paired = moves and b.strides[-1] == b.itemsize
    return _Parts(
        _packed(b.real),
        b.view(np.float64) if paired else None,
        _packed(b.imag) if moves and not paired else None,
    )


def _first_order(a: Array, b: Array) -> Array:
    return _times(a, _apart(b))


def _times(a: Array, b: _Parts) -> Array:
    # An imaginary part of 0 contributes 0 · value: NaN where the value is infinite, as in BLAS.
    A = _packed(a.real)
    if b.pairs is not None:
        value = product(A, b.pairs).view(np.complex128)  # the columns alternate again
    else:
        value = np.empty((*a.shape[:-1], b.real.shape[-1]), np.complex128)
        value.real = product(A, b.real)
        value.imag = product(A, b.imag) if b.imag is not None else 0 * value.real
    value.imag += product(_packed(a.imag), b.real) if _moves(a) else 0 * value.real
    return value


def _packed(numbers: Array) -> Array:
    """Return a contiguous copy in the same order, which BLAS reads fastest."""
    return numbers.copy("K")


def _moves(array: Array) -> bool:
    """Return whether any imaginary part is not 0; test the first row first, which mostly decides."""
    return bool(array.imag[:1].any() or array.imag.any())
