"""Analytic functions that are correct under the complex step.

A JVP is read from one complex evaluation: f(x + i·h·v).imag / h with h = 1e-200 is exact, because nothing is
subtracted (Squire & Trapp, SIAM Review 40, 1998). It needs functions that are correct to first order in the
imaginary part. numpy's own are not: `1/(1+exp(-x))` is NaN at −800, comparisons of complex numbers are
lexicographic, `logaddexp` refuses complex numbers, and there is no `erf`. Here each function has a fast path
for real arguments. For complex ones it returns f(x.real) + i·f′(x.real)·x.imag, for all floats.

Arguments are arrays of float32, float64 or complex128 of any shape; results keep dtype and shape.
"""

from __future__ import annotations

from functools import lru_cache
from math import pi, sqrt
from typing import Any

import numpy as np

from deltawire_layers.layer import ROUNDING, Array
from deltawire_layers.numeric import error_function, kernels
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


def rescale(x: Array, factor: float | Array) -> None:
    """Multiply x by real factors in place, each part by itself."""
    np.multiply(x.real, factor, out=x.real)
    if x.dtype.kind == "c":
        np.multiply(x.imag, factor, out=x.imag)


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
    """Return x log x, for x ≥ 0; at 0, and where rounding has put x below it, its limit, 0."""
    if np.iscomplexobj(x):
        return _step(x, xlogx(x.real), np.log(x.real) + 1)
    return np.where((x <= 0) & (x >= -ROUNDING), 0, x * np.log(x))


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
    if not x.size or np.maximum.reduce(x, axis=None) <= _largest_power(x.dtype):
        y: Array = np.exp(x)
        y /= y + 1
        return y
    return np.asarray(np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x))))


@lru_cache(8)
def _largest_power(dtype: np.dtype[Any]) -> float:
    """Return a great x for which eˣ does not overflow."""
    return float(np.log(np.finfo(dtype).max)) - 1


def tanh(x: Array) -> Array:
    """Return the hyperbolic tangent."""
    if not np.iscomplexobj(x):
        return np.tanh(x)
    real = _real(x)
    return _bounded_step(x, np.tanh(real), tanh_slope(real))


def sigmoid_slope(x: Array) -> Array:
    """Return σ(x) σ(−x), the derivative of the sigmoid, with full precision in both tails."""
    if np.iscomplexobj(x):
        real = _real(x)
        slope = sigmoid_slope(real)
        return _bounded_step(x, slope, -slope * np.tanh(0.5 * real))
    power = np.abs(x)
    np.negative(power, out=power)
    np.exp(power, out=power)
    whole = 1 + power
    whole *= whole
    power /= whole
    return power


def gate(x: Array) -> tuple[Array, Array]:
    """Return σ(x) and its derivative together, by one exponential: for layers that need both."""
    if np.iscomplexobj(x):
        real = _real(x)
        value, slope = gate(real)
        return _bounded_step(x, value, slope), _bounded_step(x, slope, -slope * np.tanh(0.5 * real))
    power = np.exp(-np.abs(x))
    whole = 1 + power
    value = np.where(x > 0, 1, power)
    value /= whole
    whole *= whole
    power /= whole
    return value, power


def tanh_slope(x: Array) -> Array:
    """Return 1 / cosh² x, the derivative of the hyperbolic tangent, with full precision in both tails."""
    if np.iscomplexobj(x):
        real = _real(x)
        slope = tanh_slope(real)
        return _bounded_step(x, slope, -2 * slope * np.tanh(real))
    power = np.abs(x)
    power *= -2
    np.exp(power, out=power)
    half = 0.5 * power
    half += 0.5
    half *= half
    power /= half
    return power


def sin(x: Array) -> Array:
    """Return the sine of x in radians."""
    if not np.iscomplexobj(x):
        return np.sin(x)
    real = _real(x)
    return _bounded_step(x, np.sin(real), np.cos(real))


def cos(x: Array) -> Array:
    """Return the cosine of x in radians."""
    if not np.iscomplexobj(x):
        return np.cos(x)
    real = _real(x)
    return _bounded_step(x, np.cos(real), -np.sin(real))


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


def erfc(x: Array) -> Array:
    """Return 1 − erf(x), with full relative precision in the upper tail."""
    if not np.iscomplexobj(x):
        return error_function.erfc(x)
    real = _real(x)
    return _bounded_step(x, error_function.erfc(real), -2 / sqrt(pi) * np.exp(-real * real))


def erf(x: Array) -> Array:
    """Return 2/√π ∫₀ˣ e^(−t²) dt, precise to the last bits."""
    if not np.iscomplexobj(x):
        return error_function.erf(x)
    real = _real(x)
    return _bounded_step(x, error_function.erf(real), 2 / sqrt(pi) * np.exp(-real * real))


def shifted(x: Array) -> Array:
    """Return x minus its greatest real part along the last axis, so that eˣ cannot overflow."""
    return np.asarray(x - np.maximum.reduce(x.real, axis=-1, keepdims=True))


def powers_and_total(relative: Array) -> tuple[Array, Array]:
    """Return eˣ for a shifted x, and Σ eˣ over the last axis: (..., 1)."""
    powers = exp(relative)
    return powers, np.add.reduce(powers, axis=-1, keepdims=True)


def softmax_parts(x: Array) -> kernels.Softmax:
    """Return softmax over the last axis, with the greatest number and log Σ eˣ⁻ᵐ of each row."""
    compiled = kernels.softmax(x)
    if compiled:
        return compiled
    most = np.maximum.reduce(x.real, axis=-1, keepdims=True)
    powers, total = powers_and_total(np.asarray(x - most))
    powers /= total
    return kernels.Softmax(powers, most, log(total))


def softmax(x: Array) -> Array:
    """Return eˣ / Σ eˣ over the last axis."""
    return softmax_parts(x).p


def softmax_delta(p: Array, delta: Array, out: Array | None = None, scale: float = 1.0) -> Array:
    """Return δ of x for p = softmax(s x): s p ∘ (δ − pᵀ δ), exactly 0 where all δ are equal.

    Args:
        p: probabilities along the last axis.
        delta: δ of them.
        out: where to write the result, which may be `delta`.
        scale: the factor s.
    """
    compiled = kernels.softmax_delta(p, delta, out, scale)
    if compiled is not None:
        return compiled
    likeliest = p.real.argmax(axis=-1, keepdims=True)
    below: Array = np.subtract(delta, np.take_along_axis(delta, likeliest, -1), out=out)
    below -= inner(p, below)
    below *= p
    if scale != 1:
        below *= scale
    return below


def log_softmax(x: Array) -> Array:
    """Return x − log Σ eˣ over the last axis, precise also where the probability is near 0."""
    relative = shifted(x)
    return relative - log(powers_and_total(relative)[1])
