"""Matrix products, in real arithmetic also under the complex step.

To first order in the imaginary parts, (A + iα)(B + iβ) = AB + i(Aβ + αB). Of the four real products that a
complex one costs, αβ is left out: with the step it is 0. What does not move, α = 0 or β = 0, saves another.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np

from deltawire_layers.layer import Array

FEWEST = 32
"""So many multiplications must meet each number, or to take arrays apart costs more than it saves."""

BLOCK = 2**19
"""So many numbers are taken apart at once, which bounds the memory of their parts. (A matrix that multiplies
every row is taken apart as a whole.)"""


def matmul(a: Array, b: Array) -> Array:
    """a b over the last two axes; the axes before, if any, are the same in both."""
    if a.dtype.kind != "c" or not _pays(a, b):
        # Of a single row, `@` makes a full matrix product, at an eighth of the speed.
        plain: Array = np.dot(a, b) if a.ndim == 2 else a @ b
        return plain
    numbers = a.size + b.size + prod(a.shape[:-1]) * b.shape[-1]
    if numbers <= BLOCK:
        return _first_order(a, b)
    value = np.empty((*a.shape[:-1], b.shape[-1]), a.dtype)
    if a.ndim > 2 and numbers <= BLOCK * len(a):
        for block in _blocks(len(a), numbers // len(a)):
            value[block] = _first_order(a[block], b[block])
    else:
        for place in np.ndindex(a.shape[:-2]):
            parts = _apart(b[place])
            for block in _blocks(a.shape[-2], a.shape[-1] + b.shape[-1]):
                value[place][block] = _times(a[place][block], parts)
    return value


def outer(a: Array, b: Array) -> Array:
    """Σ aᵢ bᵢᵀ over the rows of a (rows, m) and b (rows, n): (m, n)."""
    if a.dtype.kind != "c" or not _pays(a.T, b):
        plain: Array = np.dot(a.T, b)
        return plain
    first, *others = _blocks(len(a), a.shape[1] + b.shape[1])
    total = _first_order(a[first].T, b[first])
    for block in others:
        total += _first_order(a[block].T, b[block])
    return total


def _blocks(count: int, each: int) -> list[slice]:
    step = max(1, BLOCK // each)
    return [slice(start, start + step) for start in range(0, count, step)]


def _pays(a: Array, b: Array) -> bool:
    rows, terms, columns = *a.shape[-2:], b.shape[-1]
    numbers = rows * terms + terms * columns + rows * columns
    return bool(rows * terms * columns > FEWEST * numbers)


class _Parts(NamedTuple):
    """A matrix taken apart. pairs: its parts side by side as columns of reals, where they lie so; else imag,
    unless it does not move."""

    real: Array
    pairs: Array | None
    imag: Array | None


def _apart(b: Array) -> _Parts:
    moves = _moves(b)
    paired = moves and b.strides[-1] == b.itemsize
    return _Parts(
        _part(b.real),
        b.view(np.float64) if paired else None,
        _part(b.imag) if moves and not paired else None,
    )


def _first_order(a: Array, b: Array) -> Array:
    return _times(a, _apart(b))


def _times(a: Array, b: _Parts) -> Array:
    # In the place of what does not move there is 0 · value: where that is infinite, not a number, as in BLAS.
    A = _part(a.real)
    if b.pairs is not None:
        value = (A @ b.pairs).view(np.complex128)  # pairs again
    else:
        value = np.empty((*a.shape[:-1], b.real.shape[-1]), np.complex128)
        value.real = A @ b.real
        value.imag = A @ b.imag if b.imag is not None else 0 * value.real
    value.imag += _part(a.imag) @ b.real if _moves(a) else 0 * value.real
    return value


def _part(numbers: Array) -> Array:
    """The same, next to each other in their order, as BLAS reads them."""
    return numbers.copy("K")


def _moves(array: Array) -> bool:
    """Whether any imaginary part is not 0; the first row tells most often."""
    return bool(array.imag[:1].any() or array.imag.any())
