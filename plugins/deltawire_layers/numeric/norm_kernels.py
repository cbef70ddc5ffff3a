"""Kernels of norms: rows with a mean and a size of their own, then a factor and a summand for each channel.

As in `kernels.py`, a function returns None where no kernel computes, and the caller does so with numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
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

    def send(signal: NormDelta, part: slice, below: Array, sums: Array | None, columns: Array | None) -> None:
        given, above, moments = batch.x[part], signal.above[part], batch.moments[part]
        kernels.compiled.norm_delta(
            given, moments, weight, above, sums, below, columns, groups, channels, eps, centred
        )

    def x_delta(signal: NormDelta) -> Array:
        return signal.below().reshape(x.shape)

    signal = partial(batch.signal, send=send, summed=bool(params))
    return Activation(value.reshape(x.shape), (x_delta,), _gradients(params, x.dtype), signal)


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


Send = Callable[["NormDelta", slice, Array, Array | None, Array | None], None]
"""Computes δ of x: (signal, examples, receives δ, sums of channels, receives sums over examples)."""


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

    def signal(self, delta: Array, send: Send | None = None, summed: bool = True) -> NormDelta:
        """Return what the equations share; for the arguments, see `NormDelta`."""
        return NormDelta(self, np.ascontiguousarray(delta).reshape(self.x.shape), send, summed)


class NormDelta:
    """δ of a norm, and its sums, which are computed when an equation first asks for them.

    Args:
        rows: the rows of the norm.
        above: δ of the value, (examples, numbers).
        send: computes δ of some examples, for `below`.
        summed: whether an equation asks for the sums.
    """

    def __init__(self, rows: Rows, above: Array, send: Send | None, summed: bool):
        self.rows = rows
        self.above = above
        self._send = send
        self._summed = summed
        self._sums: Array | None = None
        self._below: Array | None = None

    def sums(self) -> Array:
        """Return Σ δ and Σ δ ∘ y, y the normalised x, in double precision.

        Returns:
            Sums over places, (examples, groups, 2, channels); with one place, over examples, (2, channels).
        """
        if self._sums is None:
            if self.rows.places > 1:
                self._sums = self._by_example()
            else:
                self._sums, self._below = self._by_channel()
        return self._sums

    def below(self) -> Array:
        """Return δ of x, (examples, numbers): an array of its own for each call."""
        if self.rows.places == 1 and self._summed:  # one pass over memory computes both
            if self._below is None:
                self._sums, self._below = self._by_channel()
            computed, self._below = self._below, None
            assert computed is not None
            return computed
        below, sums = np.empty_like(self.above), self.sums() if self.rows.places > 1 else None
        send = self._send
        assert send is not None

        def compute(part: slice) -> None:
            send(self, part, below[part], None if sums is None else sums[part], None)

        sharing.rows(len(below), below.size, compute)
        return below

    def _by_example(self) -> Array:
        sums = np.empty((*self.rows.moments.shape[:2], 2, self.rows.channels))
        sharing.rows(len(sums), self.above.size, lambda part: self._add(part, sums[part]))
        return sums

    def _by_channel(self) -> tuple[Array, Array | None]:
        """Return the sums over examples, and δ of x if it is computed here."""
        # The shape alone decides which rows are added first, and so the bits.
        parts = sharing.cuts(len(self.above), sharing.parts(len(self.above), self.above.size))
        sums = np.empty((len(parts), 2, self.rows.moments.shape[1] * self.rows.channels))
        send = self._send
        below = None if send is None else np.empty_like(self.above)

        def add(part: slice, to: Array) -> None:
            if send is None or below is None:
                self._add(part, to)
            else:
                send(self, part, below[part], None, to)

        sharing.compute([partial(add, part, to) for part, to in zip(parts, sums, strict=True)])
        return np.asarray(sums.sum(axis=0)), below

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
