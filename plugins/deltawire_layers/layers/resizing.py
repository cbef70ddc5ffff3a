"""Layers that resize the last axes of an example, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from math import prod
from typing import NamedTuple

import numpy as np
from marshmallow import Schema, ValidationError, fields, validate

from deltawire_layers.layer import CALL, NUMBER, Activation, Array, Formula, Layer, LayerError, Shape, Work
from deltawire_layers.numeric import analytic
from deltawire_plugins import config

MOST_AXES = 3
"""Axes of an image, or of a volume."""


def check_size(size: list[int]) -> None:
    """Check the sizes to resize to.

    Raises:
        ValidationError: they are no sizes of one to three axes.
    """
    if not 1 <= len(size) <= MOST_AXES or min(size) < 1:
        raise ValidationError(f"expected one to {MOST_AXES} sizes of at least 1, got {size}")


class Source(NamedTuple):
    """One place of the old axis that each new place reads, and its weight. The places never decrease."""

    place: Array
    weight: Array


def nearest(before: int, after: int) -> list[Source]:
    """Return the one source of new places that read the number they fall on.

    Args:
        before: number of places before.
        after: number of places after.
    """
    return [Source(np.arange(after) * before // after, np.ones(after))]


def linear(before: int, after: int, align_corners: bool) -> list[Source]:
    """Return the two sources of places that interpolate between the nearest numbers.

    Args:
        before: number of places before.
        after: number of places after.
        align_corners: whether the first and the last places stay where they are; else the edges of the outer
            places do.
    """
    places = np.arange(after)
    if align_corners:
        at = places * (before - 1) / max(after - 1, 1)
    else:
        at = np.maximum((places + 0.5) * before / after - 0.5, 0)
    low = np.minimum(np.floor(at).astype(np.int64), before - 1)
    share = at - low
    return [Source(low, 1 - share), Source(np.minimum(low + 1, before - 1), share)]


def take(x: Array, axis: int, sources: list[Source]) -> Array:
    """Return x resized along an axis.

    Args:
        x: the numbers.
        axis: the axis, counted from the last.
        sources: what the new places take.
    """
    parts = (analytic.scale(x.take(place, axis), _along(weight, axis, x)) for place, weight in sources)
    return reduce(np.add, parts)


def give_back(delta: Array, axis: int, sources: list[Source], size: int) -> Array:
    """Return δ of the numbers of an axis, given that of the places it is resized to.

    Args:
        delta: δ of the places.
        axis: the axis, counted from the last.
        sources: what the places take.
        size: number of places before.
    """
    shape = list(delta.shape)
    shape[axis] = size
    below = np.zeros(shape, delta.dtype)
    rows = np.moveaxis(below, axis, 0)
    for place, weight in sources:
        starts = np.flatnonzero(np.diff(place, prepend=-1))  # a run takes one number
        share = analytic.scale(delta, _along(weight, axis, delta))
        rows[place[starts]] += np.moveaxis(np.add.reduceat(share, starts, axis), axis, 0)
    return below


def _along(weight: Array, axis: int, like: Array) -> Array:
    return weight.astype(like.real.dtype).reshape(-1, *(1,) * (-axis - 1))


class Upsample(Layer):
    """y = x resized to `size` along its last axes, with the nearest numbers, or linear between them.

    Each axis is resized by itself, so linear is bilinear for two axes. `size` may also be smaller.
    """

    class Config(Schema):
        size = config.Integers(
            most=MOST_AXES,
            required=True,
            validate=check_size,
            metadata={"description": "sizes of the last axes after it, as many as are resized"},
        )
        mode = fields.String(
            load_default="nearest",
            validate=validate.OneOf(["nearest", "linear"]),
            metadata={"description": "which numbers a place takes"},
        )
        align_corners = config.Flag(
            load_default=False,
            metadata={"description": "whether, in the mode linear, the outer places stay where they are"},
        )

    size: list[int]
    mode: str
    align_corners: bool

    formula = Formula(r"R\,{x0}", (r"R^{\top} {delta}",))

    def output_shape(self, x: Shape) -> Shape:
        if len(x) < len(self.size) or not all(x[-len(self.size) :]):
            raise LayerError(f"{len(self.size)} axes cannot be resized in shape {list(x)}", input=0)
        return (*x[: -len(self.size)], *self.size)

    def _between(self, x: Shape) -> list[Shape]:
        """Return the shapes before and after each axis is resized, the last axis first."""
        last = len(x)
        return [
            (*x[: last - done], *self.size[len(self.size) - done :]) for done in range(len(self.size) + 1)
        ]

    def saved(self, x: Shape) -> int:
        # In either pass: an axis before and after it is resized, and two parts of the sum.
        return 4 * max(map(prod, self._between(x)))

    def work(self, x: Shape) -> Work:
        shapes = self._between(x)
        return Work(8 * NUMBER * sum(map(prod, shapes)), once=16 * CALL * len(self.size))

    def _sources(self, x: Array) -> list[list[Source]]:
        """Return the sources of each axis, the last axis first."""
        sizes = zip(x.shape[: -len(self.size) - 1 : -1], reversed(self.size), strict=True)
        if self.mode == "nearest":
            return [nearest(*size) for size in sizes]
        return [linear(*size, self.align_corners) for size in sizes]

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        def x_delta(delta: Array) -> Array:
            for axis, sources in enumerate(self._sources(x), start=1):
                delta = give_back(delta, -axis, sources, x.shape[-axis])
            return delta

        value = x
        for axis, sources in enumerate(self._sources(x), start=1):
            value = take(value, -axis, sources)
        return Activation(value, deltas=(x_delta,))
