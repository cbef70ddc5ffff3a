"""Functions with branches: the numbers of the branch not taken do not affect the result.

A product with a mask is not a branch: 0 · ∞ is NaN. These functions select numbers instead. They compare
real parts, so that they are correct under the complex step too.

Arguments are arrays of float32, float64 or complex128; results keep the dtype.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from deltawire_layers.layer import Array
from deltawire_layers.numeric.analytic import scale

BITS: dict[str, Any] = {"f": np.uint32, "d": np.uint64}
"""Integers of the size of each floating type, by its character.

A bit pattern times 1 or 0 is exact for ∞ and NaN too, and has none of the mispredictions of `np.where`.
"""


def keep(condition: Array, x: Array) -> Array:
    """Return x where the condition holds, else 0; x broadcasts to the shape of the condition."""
    bits = BITS.get(x.dtype.char)
    if bits is None:
        return np.where(condition, x, 0)
    chosen: Array = condition.astype(bits)
    chosen *= x.view(bits)
    return chosen.view(x.dtype)


def choose(condition: Array, yes: float, no: float, like: Array) -> Array:
    """Return one number where the condition holds, else another.

    Args:
        condition: booleans.
        yes: the number where the condition holds.
        no: the number elsewhere.
        like: an array of the dtype of the result; for a complex one, its real dtype.
    """
    dtype = like.real.dtype
    chosen: Array = condition.astype(BITS[dtype.char])
    difference, rest = _patterns(yes, no, dtype.char)
    chosen *= difference
    chosen += rest
    return chosen.view(dtype)


def weigh(weight: Array, x: Array) -> Array:
    """Return weight · x, and 0 where the weight is 0 though x is infinite: what does not count adds nothing.

    So a target that is certain of the one side has no loss by the other: t log p is 0 at t = p = 0.
    """
    product: Array = np.asarray(weight * x)
    nothing = (weight.real == 0) & np.isinf(x.real)
    if nothing.any():
        product[nothing] = 0
        if np.iscomplexobj(product) and np.iscomplexobj(weight):
            moved = nothing & (weight.imag != 0)  # the weight moves away from 0, by the complex step
            product.imag[moved] = (weight.imag * x.real)[moved]
    return product


@lru_cache(256)  # few pairs occur, all from configs, and this takes longer than a small array
def _patterns(yes: float, no: float, dtype: str) -> tuple[Any, Any]:
    """Return the bits of yes minus those of no, modulo the word size, and those of no."""
    bits = BITS[dtype]
    first, rest = np.array([yes, no], dtype).view(bits).tolist()
    return bits((first - rest) % 2 ** (8 * np.dtype(bits).itemsize)), bits(rest)


def relu(x: Array) -> Array:
    """Return max(0, x), with slope 0 at 0."""
    return np.where(x.real <= 0, 0, x) if np.iscomplexobj(x) else np.maximum(x, 0)


def absolute(x: Array) -> Array:
    """Return |x|, with slope 0 at 0."""
    if not np.iscomplexobj(x):
        return np.abs(x)
    size = np.where(x.real < 0, -x, x)
    size.imag[x.real == 0] = 0
    return size


def inside(x: Array, low: float, high: float, closed: bool = True) -> Array:
    """Return where x lies between two bounds.

    Args:
        x: an array of any shape.
        low: the lower bound.
        high: the upper bound.
        closed: whether a number at a bound lies between them.
    """
    real = x.real
    return np.asarray((real >= low) & (real <= high) if closed else (real > low) & (real < high))


def clip(x: Array, low: float, high: float, closed: bool = True) -> Array:
    """Return x between two bounds, with slope 0 beyond them.

    Args:
        x: an array of any shape.
        low: the lower bound.
        high: the upper bound.
        closed: whether the slope at a bound is 1, not 0.
    """
    if not np.iscomplexobj(x):
        return np.clip(x, low, high)
    return np.where(inside(x, low, high, closed), x, np.clip(x.real, low, high))


def maximum(a: Array, b: Array) -> Array:
    """Return the greater of two, NaN where either is NaN; equal numbers share the slope."""
    if not np.iscomplexobj(a) and not np.iscomplexobj(b):
        return np.maximum(a, b)
    return _shared_at_ties(np.where((a.real > b.real) | np.isnan(a), a, b), a, b)


def minimum(a: Array, b: Array) -> Array:
    """Return the smaller of two, NaN where either is NaN; equal numbers share the slope."""
    if not np.iscomplexobj(a) and not np.iscomplexobj(b):
        return np.minimum(a, b)
    return _shared_at_ties(np.where((a.real < b.real) | np.isnan(a), a, b), a, b)


def _shared_at_ties(chosen: Array, a: Array, b: Array) -> Array:
    tie = a.real == b.real
    chosen.imag[tie] = 0.5 * (a.imag[tie] + b.imag[tie])
    return chosen


def share_of_maximum(delta: Array, a: Array, b: Array) -> Array:
    """Return δ of a in max(a, b), or of b in min(a, b).

    Args:
        delta: δ of the value.
        a: the number that gets δ where it is greater.
        b: the other number.

    Returns:
        δ where a > b, δ / 2 at a tie, 0 elsewhere.
    """
    return scale(keep(a.real >= b.real, delta), choose(a.real == b.real, 0.5, 1.0, a))


def greatest(x: Array, axis: int) -> Array:
    """Return the greatest number along an axis; equal ones share the slope."""
    if not np.iscomplexobj(x):
        return np.asarray(x.max(axis=axis))
    result = np.asarray(x.real.max(axis=axis), np.complex128)
    result.imag = share_of_greatest(x.imag, x, axis).sum(axis=axis)
    return result


def share_of_greatest(delta: Array, x: Array, axis: int) -> Array:
    """Return δ of each number in the maximum along an axis.

    Args:
        delta: δ of the greatest number, with the axis kept (size 1) or broadcast.
        x: the numbers.
        axis: the axis of the maximum.

    Returns:
        δ / k for k equally great numbers, 0 for all others.
    """
    winners = x.real == x.real.max(axis=axis, keepdims=True)
    count = winners.sum(axis=axis, keepdims=True, dtype=x.real.dtype)
    return keep(winners, scale(delta, 1 / np.maximum(count, 1)))  # an axis with NaN has no winner
