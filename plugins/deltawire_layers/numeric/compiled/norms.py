"""Kernels of norms: rows with a mean and a size of their own, then a factor and a summand for each channel.

As in `kernels.py`, a function returns None where no kernel computes, and the caller does so with numpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from deltawire_layers.layer import Activation, Array, Equation
from deltawire_layers.numeric import kernels, sharing


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
    if not kernels.computes(x):
        return None
    x = np.ascontiguousarray(x)
    weight, bias = (params[name].ravel() if name in params else None for name in ("weight", "bias"))
    groups = 1 if weight is None else weight.size // channels
    examples = rows // groups
    batch = Rows(x.reshape(examples, -1), np.empty((examples, groups, 3), x.dtype), channels)
    value = np.empty_like(batch.x)
    finite: list[bool] = []

    def values(part: slice) -> None:
        given, to, moments = batch.x[part], value[part], batch.moments[part]
        finite.append(kernels.compiled.norm(given, weight, bias, to, moments, groups, channels, eps, centred))

    sharing.rows(len(value), value.size, values)
    if not all(finite):
        return None

    def x_delta(signal: NormDelta) -> Array:
        below, sums = np.empty_like(batch.x), signal.sums() if batch.places > 1 else None

        def deltas(part: slice) -> None:
            given, above, to, moments = batch.x[part], signal.above[part], below[part], batch.moments[part]
            known = None if sums is None else sums[part]
            kernels.compiled.norm_delta(
                given, moments, weight, above, known, to, groups, channels, eps, centred
            )

        sharing.rows(len(below), below.size, deltas)
        return below.reshape(x.shape)

    return Activation(value.reshape(x.shape), (x_delta,), _gradients(params, x.dtype), batch.signal)


def standardised(params: Mapping[str, Array], x: Array, mean: Array, root: Array) -> Activation | None:
    """Return (x − mean) / root per channel, times a weight and plus a bias.

    None also where 1 / root is no float.

    Args:
        params: nothing, the weight, or weight and bias: (channels,).
        x: the numbers of a batch (batch, channels, places...).
        mean: (batch, channels).
        root: (batch, channels).

    Returns:
        The value, and the equations of x and of the parameters.
    """
    if not kernels.computes(x):
        return None
    moments = np.zeros((*x.shape[:2], 3), x.dtype)
    moments[..., 0] = mean
    with np.errstate(all="ignore"):
        np.divide(1, root, out=moments[..., 2])
    if not np.isfinite(moments[..., 2]).all():
        return None
    x = np.ascontiguousarray(x)
    batch, channels = Rows(x.reshape(len(x), -1), moments, 1), x.shape[1]
    value, (weight, bias) = np.empty_like(batch.x), (params.get(name) for name in ("weight", "bias"))

    def values(part: slice) -> None:
        kernels.compiled.standardise(batch.x[part], weight, bias, value[part], moments[part], channels, 1)

    def x_delta(signal: NormDelta) -> Array:
        below = np.empty_like(batch.x)

        def deltas(part: slice) -> None:
            kernels.compiled.standardise_delta(
                moments[part], weight, signal.above[part], below[part], channels, 1
            )

        sharing.rows(len(below), below.size, deltas)
        return below.reshape(x.shape)

    sharing.rows(len(value), value.size, values)
    return Activation(value.reshape(x.shape), (x_delta,), _gradients(params, x.dtype), batch.signal)


class Rows(NamedTuple):
    """The rows of a batch, and what is saved of each.

    x:        (examples, numbers)
    moments:  (examples, groups, 3): means as a sum of two numbers, and factors
    channels: of a group
    """

    x: Array
    moments: Array
    channels: int

    @property
    def places(self) -> int:
        """The places of a channel."""
        return int(self.x.shape[1]) // (int(self.moments.shape[1]) * self.channels)

    def signal(self, delta: Array) -> NormDelta:
        """Return what the equations share."""
        return NormDelta(self, np.ascontiguousarray(delta).reshape(self.x.shape))


class NormDelta:
    """δ of a norm, and its sums, which are computed when an equation first asks for them.

    Args:
        rows: the rows of the norm.
        above: δ of the value, (examples, numbers).
    """

    def __init__(self, rows: Rows, above: Array):
        self.rows = rows
        self.above = above
        self._sums: Array | None = None
        self._lock = Lock()  # two threads may compute two equations

    def sums(self) -> Array:
        """Return Σ δ and Σ δ ∘ y, y the normalised x, in double precision.

        Returns:
            Sums over places, (examples, groups, 2, channels); with one place, over examples, (2, channels).
        """
        with self._lock:
            if self._sums is None:
                self._sums = self._by_example() if self.rows.places > 1 else self._by_channel()
            return self._sums

    def _by_example(self) -> Array:
        sums = np.empty((*self.rows.moments.shape[:2], 2, self.rows.channels))
        sharing.rows(len(sums), self.above.size, lambda part: self._add(part, sums[part]))
        return sums

    def _by_channel(self) -> Array:
        # The shape alone decides which rows are added first, and so the bits.
        parts = sharing.cuts(len(self.above), sharing.parts(len(self.above), self.above.size))
        sums = np.empty((len(parts), 2, self.rows.moments.shape[1] * self.rows.channels))
        sharing.compute([partial(self._add, part, to) for part, to in zip(parts, sums, strict=True)])
        return np.asarray(sums.sum(axis=0))

    def _add(self, part: slice, sums: Array) -> None:
        x, moments = self.rows.x[part], self.rows.moments[part]
        kernels.compiled.norm_sums(x, moments, self.above[part], sums, moments.shape[1], self.rows.channels)


def _gradients(params: Mapping[str, Array], dtype: np.dtype[Any]) -> dict[str, Equation]:
    """Return the equations of weight and bias."""

    def gradient(name: str, signal: NormDelta) -> Array:
        sums = signal.sums()
        each = sums[..., int(name == "weight"), :]
        total = each.sum(axis=0) if sums.ndim > 2 else each
        return total.reshape(params[name].shape).astype(dtype)

    return {name: partial(gradient, name) for name in params}
