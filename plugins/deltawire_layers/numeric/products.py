"""Matrix products, in real arithmetic also under the complex step.

To first order in the imaginary parts, (A + iα)(B + iβ) = AB + i(Aβ + αB). A complex product costs four real
ones; these functions omit αβ, because it vanishes with the step. α = 0 or β = 0 saves one more.
"""

from __future__ import annotations

from math import prod

import numpy as np

from deltawire_layers.deadlines import check_deadline
from deltawire_layers.layer import Array
from deltawire_layers.numeric.complex_parts import Parts, only_moves, parts
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
            right = parts(b[place])
            for block in _blocks(a.shape[-2], a.shape[-1] + b.shape[-1]):
                check_deadline()
                value[place][block] = _times(parts(a[place][block]), right)
    return value


def project(x: Array, W: Array) -> Array:
    """Return x W over the last axis of x (..., n), for a matrix W (n, m): (..., m)."""
    z = matmul(rows(x), W)  # one product, not one for each example
    return z if x.ndim == 2 else z.reshape(*x.shape[:-1], W.shape[1])


def outer(a: Array, b: Array, of_result: bool = False) -> Array:
    """Return Σ a bᵀ over all leading axes of a (..., m) and b (..., n): (m, n).

    How a sum moves may be finite where the sum itself is not: nothing follows a gradient.

    Args:
        a: (..., m).
        b: (..., n).
        of_result: whether this is a gradient that its layer does not compute with. Its real part is NaN where
            the engine reads only the imaginary one.
    """
    a, b = rows(a), rows(b)
    if a.dtype.kind != "c" or not _pays(a.T, b):
        return product(a.T, b)
    total = np.empty((a.shape[1], b.shape[1]), np.complex128)
    both = not (of_result and only_moves())
    if not both:
        total.real = np.nan
    for number, block in enumerate(_blocks(len(a), a.shape[1] + b.shape[1])):
        check_deadline()
        left, right = parts(a[block]), parts(b[block])
        if both:
            value = product(left.real.T, right.real)
            total.real = value + total.real if number else value
        moves = _imaginary_outer(left, right)
        total.imag = moves + total.imag if number else moves
    return total


def _blocks(count: int, each: int) -> list[slice]:
    step = max(1, BLOCK // each)
    return [slice(start, start + step) for start in range(0, count, step)]


def _pays(a: Array, b: Array) -> bool:
    n, terms, m = *a.shape[-2:], b.shape[-1]
    numbers = n * terms + terms * m + n * m
    return bool(n * terms * m > FEWEST * numbers)


def _first_order(a: Array, b: Array) -> Array:
    return _times(parts(a), parts(b))


def _times(a: Parts, b: Parts) -> Array:
    # An imaginary part of 0 contributes 0 · value: NaN where the value is infinite, as in BLAS.
    value = np.empty((*a.real.shape[:-1], b.real.shape[-1]), np.complex128)
    if a.imag is None:
        value.real = product(a.real, b.real)
        value.imag = 0 * value.real
    else:
        both, n = product(a.above_each_other(), b.real), a.real.shape[-2]
        value.real, value.imag = both[..., :n, :], both[..., n:, :]
    value.imag += product(a.real, b.imag) if b.imag is not None else 0 * value.real
    return value


def _imaginary_outer(a: Parts, b: Parts) -> Array | float:
    """Return the imaginary part of Σ a bᵀ, as one product where both move: the rows (a, α) with (β, b)."""
    if a.imag is None or b.imag is None:
        if a.imag is not None:
            return product(a.imag.T, b.real)
        return 0.0 if b.imag is None else product(a.real.T, b.imag)
    return product(a.above_each_other().T, Parts(b.imag, b.real).above_each_other())
