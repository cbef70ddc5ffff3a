"""Compiled kernels, where the distribution deltawire-kernels is installed: one pass over memory for each.

This is the one module that imports them; those of windows and of recurrent cells are called in
`plane_kernels.py` and `cell_kernels.py`. Every function returns None where a kernel does not compute the
numbers: it is not installed, the processor lacks its instructions, or the numbers are complex (they carry a
complex step). The caller then computes with numpy.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from deltawire_layers.layer import Activation, Array, Equation, Shape

try:
    import deltawire_kernels as _installed
except ImportError:
    _installed = None

compiled: Any = _installed if _installed is not None and _installed.instructions else None
"""The package with the kernels; None where numpy computes everything."""

_NUMBERS = {function: number for number, function in enumerate(compiled.functions)} if compiled else {}


def instructions() -> str | None:
    """Return the processor's instructions that the kernels use; None without kernels."""
    return str(compiled.instructions) if compiled else None


def version() -> str | None:
    """Return the version of the kernels; None without kernels."""
    return importlib.metadata.version("deltawire-kernels") if compiled else None


def computes(array: Array) -> bool:
    """Return whether there are kernels for the numbers of an array."""
    return compiled is not None and array.dtype.char in "fd" and bool(array.size)


def pointwise(function: str, x: Array) -> Activation | None:
    """Return the value of a function of one number, and its backward equation.

    Args:
        function: its name, one of `deltawire_kernels.functions`.
        x: the numbers (...).
    """
    if not computes(x):
        return None
    number, x = _NUMBERS[function], np.ascontiguousarray(x)
    y = np.empty_like(x)
    compiled.value(number, x, y)

    def x_delta(delta: Array) -> Array:
        below = np.empty_like(x)
        compiled.delta(number, x, np.ascontiguousarray(delta), below)
        return below

    return Activation(y, deltas=(x_delta,))


class Softmax(NamedTuple):
    """Softmax over the last axis, with m the greatest number of each row.

    p:         eˣ⁻ᵐ / Σ eˣ⁻ᵐ, shaped like x
    most:      m, (..., 1)
    log_total: log Σ eˣ⁻ᵐ, (..., 1)
    """

    p: Array
    most: Array
    log_total: Array


def softmax(
    x: Array,
    floor: float = -np.inf,
    out: Array | None = None,
    scale: float = 1.0,
    seen: Array | None = None,
) -> Softmax | None:
    """Return softmax over the last axis.

    Args:
        x: the scores (..., n).
        floor: the least m; a finite one makes zeros of a row of −∞ alone.
        out: receives p; may be x.
        scale: the factor s of eˢ⁽ˣ⁻ᵐ⁾, greater than 0.
        seen: booleans (batch or 1, queries, n) for scores (batch, ..., queries, n); others count as −∞.
    """
    if not computes(x):
        return None
    x = np.ascontiguousarray(x)
    p = out if out is not None and out.flags.c_contiguous else np.empty_like(x)
    most, log_total = np.empty((2, *x.shape[:-1], 1), x.dtype)
    mask = None if seen is None else np.ascontiguousarray(seen).view(np.uint8)
    sizes = (1, 1) if seen is None else (len(x), x.shape[-2])
    compiled.softmax(x, p, most, log_total, floor, scale, mask, *sizes)
    if out is not None and p is not out:
        out[...] = p
        p = out
    return Softmax(p, most, log_total)


def softmax_delta(p: Array, delta: Array, out: Array | None = None, scale: float = 1.0) -> Array | None:
    """Return s p ∘ (δ − pᵀ δ) over the last axis, exactly 0 where all δ are equal.

    Args:
        p: probabilities (..., n).
        delta: δ of them.
        out: where to write the result, which may be `delta`.
        scale: the factor s.
    """
    if not computes(p) or (out is not None and not out.flags.c_contiguous):
        return None
    below = np.empty(p.shape, p.dtype) if out is None else out
    rows = p.size // p.shape[-1]
    compiled.softmax_delta(np.ascontiguousarray(p), np.ascontiguousarray(delta), below, rows, scale)
    return below


def norm(
    params: Mapping[str, Array], x: Array, rows: int, channels: int, eps: float, centred: bool
) -> Activation | None:
    """Return (x − mean) / √(mean of squares + eps) of each row, times a weight and plus a bias per channel.

    None also where a mean of squares is beyond the greatest float.

    Args:
        params: nothing, the weight, or weight and bias: a number for each channel of all rows of an example.
        x: the numbers of a batch (batch, ...), row after row.
        rows: rows of the batch, each with a mean of its own.
        channels: channels of a row; each has the same number of places, which follow each other.
        eps: added to the mean of squares.
        centred: whether the mean is subtracted.
    """
    if not computes(x):
        return None
    x = np.ascontiguousarray(x)
    weight, bias = (params[name].ravel() if name in params else None for name in ("weight", "bias"))
    groups = 1 if weight is None else weight.size // channels
    value, moments = np.empty_like(x), np.empty((3, rows), x.dtype)
    if not compiled.norm(x, weight, bias, value, moments, groups, channels, eps, centred):
        return None

    def x_delta(delta: Array) -> Array:
        below = np.empty_like(x)
        above = np.ascontiguousarray(delta)
        compiled.norm_delta(x, moments, weight, above, below, groups, channels, eps, centred)
        return below

    return Activation(value, deltas=(x_delta,), grads=_channel_gradients(params, x, moments, groups))


def standardised(
    params: Mapping[str, Array], x: Array, mean: Array, root: Array
) -> tuple[Array, Equation, dict[str, Equation]] | None:
    """Return (x − mean) / root per channel, times a weight and plus a bias; and its backward equations.

    None also where 1 / root is no float.

    Args:
        params: nothing, the weight, or weight and bias: (channels,).
        x: the numbers of a batch (batch, channels, places...).
        mean: (batch, channels).
        root: (batch, channels).

    Returns:
        The value, the equation of x, and those of the parameters.
    """
    if not computes(x):
        return None
    channels = x.shape[1]
    moments = np.zeros((3, mean.size), x.dtype)
    moments[0] = mean.ravel()
    with np.errstate(all="ignore"):
        np.divide(1, root.ravel(), out=moments[2])
    if not np.isfinite(moments[2]).all():
        return None
    x, value = np.ascontiguousarray(x), np.empty(x.shape, x.dtype)
    weight, bias = (params.get(name) for name in ("weight", "bias"))
    compiled.standardise(x, weight, bias, value, moments, channels, 1)

    def x_delta(delta: Array) -> Array:
        below = np.empty_like(x)
        compiled.standardise_delta(moments, weight, np.ascontiguousarray(delta), below, channels, 1)
        return below

    return value, x_delta, _channel_gradients(params, x, moments, channels)


def scatter_rows(index: Array, delta: Array, shape: Shape) -> Array | None:
    """Return Σ e_index δᵀ, the gradient of a table whose rows were looked up.

    Args:
        index: rows looked up, integers of any shape (...).
        delta: δ of the looked-up rows (..., n).
        shape: shape of the table, (rows, n).
    """
    if not computes(delta):
        return None
    sums = np.empty(shape, delta.dtype)
    compiled.scatter(np.ascontiguousarray(index, np.int64), np.ascontiguousarray(delta), sums, shape[0])
    return sums


def _channel_gradients(
    params: Mapping[str, Array], x: Array, moments: Array, groups: int
) -> dict[str, Equation]:
    """Return the equations of weight and bias, for rows of moments (3, examples * groups)."""

    def weight_gradient(delta: Array) -> Array:
        sums = np.empty(params["weight"].shape, x.dtype)
        compiled.norm_gradient(x, moments, np.ascontiguousarray(delta), sums, groups)
        return sums

    def bias_gradient(delta: Array) -> Array:
        sums = np.empty(params["bias"].shape, x.dtype)
        compiled.channel_sums(np.ascontiguousarray(delta), sums, moments.shape[1] // groups)
        return sums

    equations = {"weight": weight_gradient, "bias": bias_gradient}
    return {name: equations[name] for name in params}
