"""Norms under the complex step, by the kernels of real numbers.

With y = (x − mean) r, where 1 / r = √(mean of squares + eps), the derivative of y along ẋ is
J ẋ = r (ẋ − mean ẋ − y mean(y ẋ)). J is symmetric, so it is the backward equation, too, and its kernel
computes both. The derivative of J u itself is −r (mean(y ẋ) J u + mean(y u) ẏ + mean(ẏ u) y).
"""

from __future__ import annotations

from functools import partial

import numpy as np

from deltawire_layers.layer import Array, Equation
from deltawire_layers.numeric import kernels, sharing


def norm(x: Array, eps: float, centred: bool) -> tuple[Array, Equation] | None:
    """Return (x − mean) / √(mean of squares + eps) over the last axis, and its backward equation.

    None also where a mean of squares is beyond the greatest float.

    Args:
        x: complex numbers (..., n).
        eps: added to the mean of squares.
        centred: whether the mean is subtracted.
    """
    if not kernels.computes_moved(x):
        return None
    count = x.shape[-1]
    real, along = _parts(x, count)
    moments, y = np.empty((len(real), 3)), np.empty_like(real)
    finite: list[bool] = []

    def values(*arrays: Array) -> None:
        given, to, saved = arrays
        finite.append(kernels.compiled.norm(given, None, None, to, saved, 1, count, eps, centred))

    sharing.over_rows(values, real, y, moments)
    if not all(finite):
        return None

    def project(x: Array, u: Array) -> Array:
        """Return J u at x."""
        below = np.empty_like(u)
        sharing.over_rows(partial(_delta, count, eps, centred), x, moments, u, below)
        return below

    value = np.empty(y.shape, np.complex128)
    value.real, value.imag = y, project(real, along)
    factor = moments[:, 2:] / count
    turn = factor * _inner(y, along)
    del real, along, y  # what is kept are x and the value, which the engine has anyway

    def back(delta: Array) -> Array:
        here, y, moves = x.reshape(-1, count).real.copy(), value.real, value.imag
        u, du = _parts(delta, count)
        below = np.empty(u.shape, np.complex128)
        below.real = first = project(here, u)
        below.imag = project(here, du)
        first *= turn
        first += (factor * _inner(y, u)) * moves
        first += (factor * _inner(moves, u)) * y
        below.imag -= first
        return below.reshape(x.shape)

    return value.reshape(x.shape), back


def _delta(count: int, eps: float, centred: bool, x: Array, moments: Array, u: Array, below: Array) -> None:
    kernels.compiled.norm_delta(x, moments, None, u, None, below, 1, count, eps, centred)


def _parts(x: Array, count: int) -> tuple[Array, Array]:
    """Return the real and imaginary parts as rows of so many numbers."""
    rows = x.reshape(-1, count)
    return rows.real.copy(), rows.imag.copy()


def _inner(a: Array, b: Array) -> Array:
    return np.asarray(np.einsum("ij,ij->i", a, b)[:, np.newaxis])
