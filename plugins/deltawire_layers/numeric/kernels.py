"""Compiled kernels, where the distribution deltawire-kernels is installed: one pass over memory for each.

This is the one module of layers that takes them; the modules of `compiled/` call those of losses, of norms,
of windows, of recurrent cells and of packed products. A function returns None where a kernel does not compute
the numbers: it is not installed, or the processor lacks its instructions. Numbers that carry a complex step
have few kernels: functions of one number, and norms. The caller then computes with numpy.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from deltawire_layers.layer import Activation, Array, Shape
from deltawire_layers.numeric import sharing
from deltawire_layers.numeric.complex_parts import in_moved_pass
from deltawire_plugins.compiled import compiled as compiled  # other modules take it from here

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


def computes_moved(array: Array) -> bool:
    """Return whether there are kernels for the numbers of an array, in a pass under the complex step."""
    return array.dtype.char == "D" and computes(array.real) and in_moved_pass()


def pointwise(function: str, x: Array, keeps_slope: bool = False) -> Activation | None:
    """Return the value of a function of one number, and its backward equation.

    Args:
        function: its name. Only those of `deltawire_kernels.functions` have a kernel, not those of a plugin's
            class that derives from a built-in layer.
        x: the numbers (...).
        keeps_slope: whether the derivative is computed with the value, and kept.
    """
    number = _NUMBERS.get(function)
    if number is not None and computes_moved(x):
        return _moved_pointwise(number, np.ascontiguousarray(x))
    if number is None or not computes(x):
        return None
    x = np.ascontiguousarray(x)
    y = np.empty_like(x)
    if keeps_slope:
        kept = np.empty_like(x)
        sharing.over_numbers(partial(compiled.value_and_slope, number), x, y, kept)
    else:
        sharing.over_numbers(partial(compiled.value, number), x, y)

    def x_delta(delta: Array) -> Array:
        below, above = np.empty_like(x), np.ascontiguousarray(delta)
        if keeps_slope:
            sharing.over_numbers(np.multiply, kept, above, below)
        else:
            sharing.over_numbers(partial(compiled.delta, number), x, above, below)
        return below

    return Activation(y, deltas=(x_delta,))


def _moved_pointwise(number: int, x: Array) -> Activation:
    """Return the value and the backward equation of a function of one number, under the complex step."""
    y = np.empty_like(x)
    sharing.over_numbers(_of_complex(partial(compiled.moved_value, number)), x, y)

    def x_delta(delta: Array) -> Array:
        below, above = np.empty_like(x), np.ascontiguousarray(delta)
        sharing.over_numbers(_of_complex(partial(compiled.moved_delta, number)), x, above, below)
        return below

    return Activation(y, deltas=(x_delta,))


def _of_complex(kernel: Callable[..., None]) -> Callable[..., None]:
    """Return the function of complex arrays that a kernel of their parts computes."""
    return lambda *arrays: kernel(*(array.view(np.float64) for array in arrays))


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
    if seen is None:
        rows = [each.reshape(-1, each.shape[-1]) for each in (x, p, most, log_total)]

        def values(part: slice) -> None:
            compiled.softmax(*(each[part] for each in rows), floor, scale)

        sharing.rows(len(rows[0]), x.size, values)
    else:
        mask = np.ascontiguousarray(seen).view(np.uint8)

        def masked(part: slice) -> None:
            given = mask if len(mask) == 1 else mask[part]
            arrays = x[part], p[part], most[part], log_total[part]
            compiled.softmax(*arrays, floor, scale, given, len(arrays[0]), x.shape[-2])

        sharing.rows(len(x), x.size, masked)
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
    given, above = np.ascontiguousarray(p), np.ascontiguousarray(delta)
    rows = [array.reshape(-1, p.shape[-1]) for array in (given, above, below)]

    def deltas(part: slice) -> None:
        arrays = [array[part] for array in rows]
        compiled.softmax_delta(*arrays, len(arrays[0]), scale)

    sharing.rows(len(rows[0]), p.size, deltas)
    return below


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
