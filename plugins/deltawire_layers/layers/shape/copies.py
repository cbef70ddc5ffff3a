"""Layers that add places to the axes of an example: copies of its numbers, or a constant."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from marshmallow import Schema, ValidationError, fields, validate

from deltawire_layers.deadlines import check_deadline
from deltawire_layers.layer import CALL, NUMBER, Activation, Array, Formula, Layer, LayerError, Shape, Work
from deltawire_layers.numeric.sums import sum_axes
from deltawire_plugins import config


def check_sizes(shape: list[int]) -> None:
    """Check the sizes of a shape to expand to.

    Raises:
        ValidationError: a size is neither −1 nor at least 1.
    """
    if any(size < 1 and size != -1 for size in shape):
        raise ValidationError(f"expected sizes of at least 1, or −1 to keep one, got {shape}")


class Expand(Layer):
    """y = x repeated along its axes of size 1, and along new axes in front, as numpy broadcasts.

    No number is copied. The δ of a number is the sum over its places.
    """

    class Config(Schema):
        shape = config.Integers(
            required=True,
            validate=check_sizes,
            metadata={"description": "the example's new shape; −1 keeps the size of an axis"},
        )

    shape: list[int]

    formula = Formula(r"\operatorname{expand}({x0})", (r"\textstyle\sum_{\text{copies}} {delta}",))

    def output_shape(self, x: Shape) -> Shape:
        new = len(self.shape) - len(x)
        own = ((1,) * new + x)[-len(self.shape) :] if self.shape else ()
        shape = tuple(
            size if wanted == -1 and axis >= new else wanted
            for axis, (size, wanted) in enumerate(zip(own, self.shape, strict=True))
        )
        if (
            new < 0
            or -1 in shape
            or any(size not in (1, wanted) for size, wanted in zip(own, shape, strict=True))
        ):
            raise LayerError(f"shape {list(x)} does not expand to {self.shape}", input=0)
        return shape

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        shape = (len(x), *self.output_shape(x.shape[1:]))
        aligned = x.reshape(len(x), *(1,) * (len(shape) - x.ndim), *x.shape[1:])
        copied = tuple(axis for axis, size in enumerate(shape) if axis and aligned.shape[axis] != size)

        def x_delta(delta: Array) -> Array:
            return sum_axes(delta, copied).reshape(x.shape) if copied else delta.reshape(x.shape)

        return Activation(np.broadcast_to(aligned, shape), deltas=(x_delta,))


MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
"""The modes of padding, named as in torch, with numpy's names."""


class Pad(Layer):
    """y = x with places added before and after its last axes: a constant, or copies of its own numbers.

    The copies are mirrored at the ends (`reflect`), those of the end itself (`replicate`), or those of the
    other end (`circular`).
    """

    class Config(Schema):
        widths = config.Pairs(
            "places added before and after, a pair for each of the last axes", required=True
        )
        mode = fields.String(
            load_default="constant",
            validate=validate.OneOf(list(MODES)),
            metadata={"description": "what the places hold"},
        )
        value = config.Number(load_default=0.0, metadata={"description": "the constant"})

    widths: list[list[int]]
    mode: str
    value: float

    formula = Formula(r"\operatorname{pad}({x0})", (r"\textstyle\sum_{\text{copies}} {delta}",))

    def output_shape(self, x: Shape) -> Shape:
        if len(self.widths) > len(x):
            raise LayerError(f"widths of {len(self.widths)} axes do not fit shape {list(x)}", input=0)
        first = len(x) - len(self.widths)
        for axis, (pair, size) in enumerate(zip(self.widths, x[first:], strict=True), start=first):
            most = {"reflect": size - 1, "circular": size}.get(self.mode, max(pair))
            if max(pair) > most or (not size and self.mode != "constant"):
                raise LayerError(f"{self.mode} adds at most {most} places to axis {axis} of {size}", input=0)
        return x[:first] + tuple(size + sum(pair) for pair, size in zip(self.widths, x[first:], strict=True))

    def saved(self, x: Shape) -> int:
        return 0 if self.mode == "constant" else prod(self.output_shape(x))  # axis by axis, in either pass

    def work(self, x: Shape) -> Work:
        added = 0 if self.mode == "constant" else sum(map(sum, self.widths))
        return Work(2 * NUMBER * prod(self.output_shape(x)), once=CALL * (2 + added))

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        if self.mode != "constant":
            return self._copied(x)
        value = np.full((len(x), *self.output_shape(x.shape[1:])), self.value, x.dtype)
        last = zip(self.widths, x.shape[x.ndim - len(self.widths) :], strict=True)
        own: tuple[Any, ...] = (..., *(slice(before, before + size) for (before, _), size in last))
        value[own] = x
        return Activation(value, deltas=(lambda delta: delta[own],))

    def _copied(self, x: Array) -> Activation:
        """Pad one axis after the other with its own numbers."""
        axes = range(x.ndim - len(self.widths), x.ndim)
        sources = [
            np.pad(np.arange(x.shape[axis]), pair, MODES[self.mode])  # type: ignore[call-overload]
            for axis, pair in zip(axes, self.widths, strict=True)
        ]
        value = x
        for axis, source in zip(axes, sources, strict=True):
            value = value.take(source, axis)

        def x_delta(delta: Array) -> Array:
            for axis, source, (before, _) in zip(axes, sources, self.widths, strict=True):
                delta = gathered(delta, axis, source, slice(before, before + x.shape[axis]))
            return delta

        return Activation(value, deltas=(x_delta,))


def gathered(delta: Array, axis: int, source: Array, own: slice) -> Array:
    """Return δ of the numbers of an axis, with that of their copies added.

    Args:
        delta: δ of the numbers and of their copies.
        axis: the axis.
        source: for each place of δ, the number that it is, or is a copy of.
        own: the places of the numbers themselves.
    """
    places = np.moveaxis(delta, axis, 0)
    below = places[own].copy()
    for place in (*range(own.start), *range(own.stop, len(source))):
        check_deadline()
        below[source[place]] += places[place]
    return np.moveaxis(below, 0, axis)
