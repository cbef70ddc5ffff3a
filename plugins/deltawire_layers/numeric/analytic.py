"""Analytic functions that are correct under the complex step.

A JVP is read from one complex evaluation: f(x + i·h·v).imag / h with h = 1e-200 is exact, because nothing is
subtracted (Squire & Trapp, SIAM Review 40, 1998). It needs functions that are correct to first order in the
imaginary part. numpy's own are not: `1/(1+exp(-x))` is NaN at −800, comparisons of complex numbers are
lexicographic, `logaddexp` refuses complex numbers, and there is no `erf`. Here each function has a fast path
for real arguments. For complex ones it returns f(x.real) + i·f′(x.real)·x.imag, for all floats.

Arguments are arrays of float32, float64 or complex128 of any shape; results keep dtype and shape.
"""

from __future__ import annotations

from math import inf, pi, sqrt

import numpy as np

from deltawire_layers.deadlines import check_deadline
from deltawire_layers.layer import Array
from deltawire_layers.numeric.sums import inner


def _complex(real: Array, imag: Array) -> Array:
    """Return real + i·imag without the product 1j·imag, which is NaN where imag is infinite."""
    result = np.empty(np.broadcast_shapes(np.shape(real), np.shape(imag)), np.complex128)
    result.real, result.imag = real, imag
    return result


def _real(x: Array) -> Array:
    """Return a contiguous copy of the real parts: numpy's loops are twice as fast on it."""
    return x.real.copy()


def _step(x: Array, value: Array, slope: Array) -> Array:
    """Return the first-order continuation of a real function, value + i·slope·x.imag.

    An imaginary part of 0 stays 0 where the slope is infinite: ∞·0 would be NaN.

    Args:
        x: complex arguments.
        value: the function at their real parts.
        slope: its derivative there.
    """
    result = _bounded_step(x, value, slope)
    np.copyto(result.imag, 0, where=x.imag == 0)
    return result


def _bounded_step(x: Array, value: Array, slope: Array) -> Array:
    """Return the continuation of a function whose slope is never infinite; arguments as for `_step`."""
    result = np.empty(x.shape, np.complex128)
    result.real = value
    np.multiply(slope, x.imag, out=result.imag)
    return result


def scale(x: Array, factor: float | Array) -> Array:
    """Return factor · x for real factors; a complex product would be NaN where a part of x is infinite."""
    if x.dtype.kind != "c":
        scaled: Array = factor * x
        return scaled
    return _complex(factor * x.real, factor * x.imag)


def divide(a: float | Array, b: Array) -> Array:
    """Return a / b, with ∞ or NaN where b is 0.

    The complex quotient would be finite there, because the step moves b away from 0.
    """
    if np.isrealobj(a) and np.isrealobj(b):
        return np.asarray(a / b)
    a, real = np.asarray(a), b.real
    value = a.real / real
    return _complex(value, (a.imag - value * b.imag) / real)


PIECE = 2**15
"""Numbers that `exp` processes at once, to use little memory besides the result."""


def exp(x: Array, out: Array | None = None) -> Array:
    """Return eˣ, with ∞ in both parts where it overflows; write to `out` if given: contiguous, may be x."""
    if not np.iscomplexobj(x):
        return np.asarray(np.exp(x, out=out))
    result = np.empty(x.shape, np.complex128) if out is None else out
    given, made = x.reshape(-1), np.reshape(result, -1, copy=False)
    for start in range(0, given.size, PIECE):
        piece = given[start : start + PIECE]
        value = np.exp(_real(piece))
        made[start : start + PIECE] = _step(piece, value, value)
    return result


def expm1(x: Array, out: Array | None = None) -> Array:
    """Return eˣ − 1, precise also near 0; write to `out` if given, which may be x."""
    if not np.iscomplexobj(x):
        return np.asarray(np.expm1(x, out=out))
    real = _real(x)
    result = _step(x, np.expm1(real), np.exp(real))
    if out is None:
        return result
    out[...] = result
    return out


def log(x: Array) -> Array:
    """Return the natural logarithm, for x > 0."""
    if not np.iscomplexobj(x):
        return np.log(x)
    real = _real(x)
    return _step(x, np.log(real), 1 / real)


def xlogx(x: Array) -> Array:
    """Return x log x, for x ≥ 0; at 0 its limit, 0."""
    if np.iscomplexobj(x):
        return _step(x, xlogx(x.real), np.log(x.real) + 1)
    return np.where(x == 0, 0, x * np.log(x))


def square_root(x: Array) -> Array:
    """Return √x, for x > 0."""
    if not np.iscomplexobj(x):
        return np.sqrt(x)
    root = np.sqrt(x.real)
    return _step(x, root, 0.5 / root)


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + e⁻ˣ), without overflow, and with full precision in the tail."""
    if np.iscomplexobj(x):
        real = _real(x)
        value, slope = sigmoid(real), sigmoid(-real)
        slope *= value
        return _bounded_step(x, value, slope)
    if not x.size or np.maximum.reduce(x, axis=None) <= _LARGEST_POWER[x.dtype.char]:
        y: Array = np.exp(x)
        y /= y + 1
        return y
    return np.asarray(np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x))))


_LARGEST_POWER = {dtype: float(np.log(np.finfo(dtype).max)) - 1 for dtype in "fd"}
"""Greatest x for which eˣ does not overflow, by dtype."""


def tanh(x: Array) -> Array:
    """Return the hyperbolic tangent."""
    if not np.iscomplexobj(x):
        return np.tanh(x)
    value = np.tanh(_real(x))
    return _bounded_step(x, value, (1 - value) * (1 + value))


def softplus(x: Array) -> Array:
    """Return log(1 + eˣ), without overflow."""
    if np.iscomplexobj(x):
        real = _real(x)
        return _bounded_step(x, softplus(real), sigmoid(real))
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def power(x: Array, exponent: float) -> Array:
    """Return xᵖ for a real p: for x > 0, or for any x when p is a whole number (x ≠ 0 when p < 0)."""
    if np.iscomplexobj(x):
        return _step(x, power(x.real, exponent), power_slope(x.real, exponent))
    return np.power(x, float(exponent))


def power_slope(x: Array, exponent: float) -> Array:
    """Return p xᵖ⁻¹, the derivative of xᵖ; 0 for p = 0, also at x = 0."""
    return exponent * power(x, exponent - 1) if exponent else np.zeros_like(x)


# erf and erfc use polynomials fitted for this module, by Chebyshev interpolation in 50-digit arithmetic:
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


def _horner(coefficients: tuple[float, ...], x: Array) -> Array:
    result = np.full_like(x, coefficients[0])
    large = x.size > PIECE
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
    if np.iscomplexobj(x):
        real = _real(x)
        return _bounded_step(x, erfc(real), -2 / sqrt(pi) * np.exp(-real * real))
    value = np.asarray(1 - _centre(x))
    far = np.abs(x) >= 1
    beyond = x[far]
    tail = _upper_tail(np.abs(beyond))
    value[far] = np.where(beyond > 0, tail, 2 - tail)
    return value


def erf(x: Array) -> Array:
    """Return 2/√π ∫₀ˣ e^(−t²) dt, precise to the last bits."""
    if np.iscomplexobj(x):
        real = _real(x)
        return _bounded_step(x, erf(real), 2 / sqrt(pi) * np.exp(-real * real))
    value = _centre(x)
    far = np.abs(x) >= 1
    beyond = x[far]
    value[far] = np.copysign(1 - _upper_tail(np.abs(beyond)), beyond)
    return value


def direction(x: Array) -> tuple[Array, Array]:
    """Return x over its length along the last axis, and the length; rows of zeros stay, with length ∞."""
    if np.iscomplexobj(x):
        unit, length = direction(x.real)
        along = inner(unit, x.imag)
        return _complex(unit, (x.imag - unit * along) / length), _complex(length, along)
    size = np.abs(x).max(axis=-1, keepdims=True)
    size = np.where(size == 0, inf, size)
    unit = x / size  # at most 1: its squares neither overflow nor vanish
    root = np.maximum(np.sqrt(inner(unit, unit)), 1)  # less than 1 only for zeros
    return unit / root, size * root


def shifted(x: Array) -> Array:
    """Return x minus its greatest real part along the last axis, so that eˣ cannot overflow."""
    return np.asarray(x - np.maximum.reduce(x.real, axis=-1, keepdims=True))


def powers_and_total(relative: Array) -> tuple[Array, Array]:
    """Return eˣ for a shifted x, and Σ eˣ over the last axis: (..., 1)."""
    powers = exp(relative)
    return powers, np.add.reduce(powers, axis=-1, keepdims=True)


def softmax(x: Array) -> Array:
    """Return eˣ / Σ eˣ over the last axis."""
    powers, total = powers_and_total(shifted(x))
    powers /= total
    return powers


def log_softmax(x: Array) -> Array:
    """Return x − log Σ eˣ over the last axis, precise also where the probability is near 0."""
    relative = shifted(x)
    return relative - log(powers_and_total(relative)[1])
