"""Matrix products, in real arithmetic also under the complex step.

To first order in the imaginary parts, (A + iα)(B + iβ) = AB + i(Aβ + αB). Of the four real products that a
complex one costs, αβ is left out: with the step it is 0. What does not move, α = 0 or β = 0, saves another.
"""

from __future__ import annotations

from math import prod

import numpy as np

from deltawire_layers.layer import Array

FEWEST = 32
"""So many multiplications must meet each number, or to take arrays apart costs more than it saves."""

BLOCK = 2**18
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
            for block in _blocks(a.shape[-2], a.shape[-1] + b.shape[-1]):
                value[place][block] = _first_order(a[place][block], b[place])
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


def _first_order(a: Array, b: Array) -> Array:
    # In the place of what does not move there is 0 · value: where that is infinite, not a number, as in BLAS.
    A, B, b_moves = _part(a.real), _part(b.real), _moves(b)
    if b_moves and b.strides[-1] == b.itemsize:
        # Pairs of real and imaginary parts are columns of reals, and A makes of them pairs again.
        value = (A @ b.view(np.float64)).view(np.complex128)
    else:
        value = np.empty((*a.shape[:-1], b.shape[-1]), np.complex128)
        value.real = A @ B
        value.imag = A @ _part(b.imag) if b_moves else 0 * value.real
    value.imag += _part(a.imag) @ B if _moves(a) else 0 * value.real
    return value


def _part(numbers: Array) -> Array:
    """The same, next to each other in their order, as BLAS reads them."""
    return numbers.copy("K")


def _moves(array: Array) -> bool:
    """Whether any imaginary part is not 0; the first row tells most often."""
    return bool(array.imag[:1].any() or array.imag.any())
