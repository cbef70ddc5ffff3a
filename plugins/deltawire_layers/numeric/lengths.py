"""Sizes, lengths and directions of vectors, in which no square overflows or vanishes."""

from __future__ import annotations

from math import inf, nan
from typing import NamedTuple

import numpy as np

from deltawire_layers.layer import Array
from deltawire_layers.numeric.sums import inner


def magnitude(x: Array, axes: tuple[int, ...] = (-1,)) -> Array:
    """Return the power of two next to the greatest |x| over some axes, which keep size 1.

    Numbers divided by it are less than 2, and keep their digits: their squares neither overflow nor vanish.
    It is 1 for zeros, and where a number is not finite.
    """
    real = x.real
    size = np.maximum.reduce(np.abs(real), axis=axes, keepdims=True, initial=0)
    limits = np.finfo(real.dtype)
    exponent = np.clip(np.frexp(size)[1] - 1, limits.minexp, limits.maxexp - 1)
    known = (size > 0) & (size <= limits.max)
    return np.asarray(np.ldexp(real.dtype.type(1), np.where(known, exponent, 0)))


def bounded(a: Array, b: Array) -> tuple[Array, Array, Array | float]:
    """Return vectors whose inner products do not overflow, and the factor of these: 1 where none would.

    Args:
        a: (..., n, d).
        b: (..., m, d).
    """
    most = float(np.finfo(a.real.dtype).max)
    greatest = [float(np.abs(x.real).max(initial=0)) for x in (a, b)]
    if greatest[0] * greatest[1] < most / max(1, a.shape[-1]):
        return a, b, 1.0
    a_size, b_size = magnitude(a), magnitude(b, (-2, -1))
    return a / a_size, b / b_size, np.minimum(a_size * b_size, most)


class Direction(NamedTuple):
    """Vectors along the last axis.

    unit: the vectors over their lengths; zeros stay
    root: the lengths over `size`, (..., 1); ∞ for zeros
    size: powers of two, (..., 1), so that no length overflows
    """

    unit: Array
    root: Array
    size: Array


def direction(x: Array) -> Direction:
    """Return the directions and lengths of vectors along the last axis."""
    size = magnitude(x)
    x = x / size
    real = x.real
    root = np.sqrt(inner(real, real))
    root[np.isinf(root)] = nan
    root[root == 0] = inf
    unit = real / root
    if np.iscomplexobj(x):
        along = inner(unit, x.imag)
        unit, root = unit + 1j * ((x.imag - unit * along) / root), root + 1j * along
    return Direction(unit, root, size)
