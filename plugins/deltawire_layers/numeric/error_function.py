"""The error function and its complement, of real numbers: numpy has neither."""

from __future__ import annotations

import numpy as np

from deltawire_layers.deadlines import check_deadline
from deltawire_layers.layer import Array

# The polynomials were fitted for this module, by Chebyshev interpolation in 50-digit arithmetic:
# erf(x) = x·S(2x² − 1) for |x| ≤ 1, error 7e-18.
# erfc(x) = e^(−x²)/x · L(1 − 8/(x + 3)) for x ≥ 1, error 2e-16.
_SMALL = (
    -3.8065912241221398e-13, 9.2112501874282299e-12, -2.0352319564835269e-10, 4.1157515002658848e-9,
    -7.5115692510860903e-8, 1.2233827638093573e-6, -1.7537169441280197e-5, 0.00021751715603563489,
    -0.0022854855611440855, 0.019852496688984219, -0.14053608902271712, 0.9654687386698673,
)  # fmt: skip
_LARGE = (
    -6.130466086898267e-12, 6.225502168039239e-10, 4.9642738669661439e-11, -8.2910913845249015e-9,
    1.8499005731729631e-9, 7.8686799600871647e-8, -7.1181061744195467e-8, -6.9539983387589854e-7,
    1.6380076563993425e-6, 4.7242766066950058e-6, -2.9682533524653478e-5, 2.5338990423460478e-5,
    0.0003202223482720073, -0.0019275631329908837, 0.0064991817943434614, -0.015785901748471087,
    0.02918620209537972, -0.039952582817554247, 0.032325511271496607, 0.55352318866534329,
)  # fmt: skip


LONG = 2**15
"""Numbers from which on the deadline is looked at between two terms of a polynomial."""


def _horner(coefficients: tuple[float, ...], x: Array) -> Array:
    result = np.full_like(x, coefficients[0])
    large = x.size > LONG
    for coefficient in coefficients[1:]:
        if large:
            check_deadline()
        result *= x
        result += x.dtype.type(coefficient)
    return result


def _centre(x: Array) -> Array:
    """Return erf(x) for |x| ≤ 1, and erf(±1) for greater numbers."""
    x = np.clip(x, -1, 1)
    return np.asarray(x * _horner(_SMALL, 2 * x * x - 1))


def _upper_tail(x: Array) -> Array:
    """Return erfc(x) for x ≥ 1."""
    x = np.minimum(x, 1e18)  # keeps quotients finite; erfc is 0 there in any float
    return np.asarray(np.exp(-x * x) / x * _horner(_LARGE, 1 - 8 / (x + 3)))


def erfc(x: Array) -> Array:
    """Return 1 − erf(x), with full relative precision in the upper tail."""
    value = np.asarray(1 - _centre(x))
    far = np.abs(x) >= 1
    beyond = x[far]
    tail = _upper_tail(np.abs(beyond))
    value[far] = np.where(beyond > 0, tail, 2 - tail)
    return value


def erf(x: Array) -> Array:
    """Return 2/√π ∫₀ˣ e^(−t²) dt, precise to the last bits."""
    value = _centre(x)
    far = np.abs(x) >= 1
    beyond = x[far]
    value[far] = np.copysign(1 - _upper_tail(np.abs(beyond)), beyond)
    return value
