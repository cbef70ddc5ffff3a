"""The quantiles of the normal distribution, with the same bits on every machine.

numpy's logarithm is left out: its last bits depend on the processor. Here are only operations that IEEE 754
rounds exactly: + − × ÷ √, and the taking apart of a number into mantissa and exponent.

Source: Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", Applied Statistics 37,
1988.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from deltawire_layers import Array

CENTRE = 0.425
"""How far from ½ a probability is until its quantile follows from a logarithm."""

FAR = 5.0
"""√−log p from which on the tail has coefficients of its own."""

Ratio = tuple[tuple[float, ...], tuple[float, ...]]
"""The coefficients of a numerator and a denominator, those of the highest power first."""

CENTRAL: Ratio = (
    (
        *(2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4),
        *(1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0),
    ),
    (
        *(5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4),
        *(5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0),
    ),
)
NEAR_TAIL: Ratio = (
    (
        *(7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1),
        *(1.27045825245236838258e0, 3.64784832476320460504e0, 5.76949722146069140550e0),
        *(4.63033784615654529590e0, 1.42343711074968357734e0),
    ),
    (
        *(1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2),
        *(1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e0),
        *(2.05319162663775882187e0, 1.0),
    ),
)
FAR_TAIL: Ratio = (
    (
        *(2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3),
        *(2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e0),
        *(5.46378491116411436990e0, 6.65790464350110377720e0),
    ),
    (
        *(2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5),
        *(7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1),
        *(5.99832206555887937690e-1, 1.0),
    ),
)

LOG_2 = 0.6931471805599453
LOG_TERMS = 12
"""Terms of the series of the logarithm, beyond which they are less than a rounding error."""


def normal_quantile(p: Array) -> Array:
    """Return the numbers that a standard normal one is below with probability p, (n,), 0 < p < 1."""
    q = p - 0.5
    quantiles = _ratio(CENTRAL, 0.180625 - q * q) * q
    tail = np.flatnonzero(np.abs(q) > CENTRE)
    if len(tail):
        sides = q[tail]
        r = np.sqrt(-log(np.minimum(p[tail], 1.0 - p[tail])))
        size = np.where(r <= FAR, _ratio(NEAR_TAIL, r - 1.6), _ratio(FAR_TAIL, r - FAR))
        quantiles[tail] = np.copysign(size, sides)
    return quantiles


def log(x: Array) -> Array:
    """Return log x for x (n,), 0 < x: 2 artanh((m − 1) / (m + 1)) of its mantissa m, and e log 2."""
    mantissa, exponent = np.frexp(x)
    small = mantissa < sqrt(0.5)
    mantissa = np.where(small, 2.0 * mantissa, mantissa)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    square = s * s
    series = np.full(x.shape, 1.0 / (2 * LOG_TERMS + 1))
    for term in range(LOG_TERMS - 1, -1, -1):
        series = series * square + 1.0 / (2 * term + 1)
    logarithm: Array = 2.0 * s * series + LOG_2 * (exponent - small)
    return logarithm


def _ratio(coefficients: Ratio, r: Array) -> Array:
    """Return the ratio of two polynomials of r."""
    above, below = coefficients
    return _polynomial(above, r) / _polynomial(below, r)


def _polynomial(coefficients: tuple[float, ...], r: Array) -> Array:
    total = np.full(r.shape, coefficients[0])
    for coefficient in coefficients[1:]:
        total *= r
        total += coefficient
    return total
