"""Layers with all the numbers of an example in another order or shape."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from marshmallow import Schema, ValidationError, validate, validates_schema

from deltawire_layers.layer import Activation, Array, Formula, Layer, LayerError, Shape
from deltawire_layers.layers.shape.axes import AxesConfig
from deltawire_layers.shapes import axis_indices
from deltawire_plugins import config


class Flatten(Layer):
    """y = the numbers of x (...) in one axis, in C order."""

    formula = Formula(r"\operatorname{vec}({x0})", (r"\operatorname{vec}^{-1}({delta})",))

    def output_shape(self, x: Shape) -> Shape:
        return (prod(x),)

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        return Activation(x.reshape(len(x), -1), deltas=(lambda delta: delta.reshape(x.shape),))


def _sizes(shape: list[int]) -> None:
    """Check the sizes of a new shape."""
    if any(size < 1 and size != -1 for size in shape) or shape.count(-1) > 1:
        raise ValidationError(f"expected sizes of at least 1, one of which may be -1, got {shape}")


class Reshape(Layer):
    """y = the numbers of x (...), in C order, in another shape of as many numbers."""

    class Config(Schema):
        shape = config.Integers(
            required=True,
            validate=_sizes,
            metadata={"description": "the example's new shape; one size may be −1: whatever is left over"},
        )

    shape: list[int]

    formula = Formula(r"\operatorname{reshape}({x0})", (r"\operatorname{reshape}^{-1}({delta})",))

    def output_shape(self, x: Shape) -> Shape:
        known = prod(size for size in self.shape if size != -1)
        shape = tuple(prod(x) // known if size == -1 else size for size in self.shape)
        if prod(shape) != prod(x):
            raise LayerError(
                f"the {prod(x)} numbers of shape {list(x)} do not fill shape {self.shape}", input=0
            )
        return shape

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        return Activation(
            x.reshape(len(x), *self.output_shape(x.shape[1:])), deltas=(lambda delta: delta.reshape(x.shape),)
        )


class Transpose(Layer):
    """y = x with the axes of the example in another order, reversed by default."""

    class Config(Schema):
        axes = config.Integers(
            load_default=None,
            allow_none=True,
            metadata={"description": "every axis of the example once, in the new order; null: reversed"},
        )

    axes: list[int] | None

    formula = Formula(r"{x0}^{\top}", (r"{delta}^{\top}",))

    def order(self, x: Shape) -> tuple[int, ...]:
        """Return the axis of x for each axis of the value.

        Raises:
            LayerError: an axis does not exist, is named twice, or is left out.
        """
        order = axis_indices(self.axes, x)
        if len(order) != len(x):
            raise LayerError(f"axes {self.axes} leave out an axis of shape {list(x)}", input=0)
        return order[::-1] if self.axes is None else order

    def output_shape(self, x: Shape) -> Shape:
        return tuple(x[axis] for axis in self.order(x))

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        order = (0, *(axis + 1 for axis in self.order(x.shape[1:])))
        back = np.argsort(order)
        return Activation(x.transpose(order), deltas=(lambda delta: delta.transpose(back),))


class Flip(Layer):
    """y = x in reverse order along some axes of the example, all of them by default."""

    class Config(AxesConfig):
        """The axes that are reversed."""

    axes: list[int] | None

    formula = Formula(r"\operatorname{flip}({x0})", (r"\operatorname{flip}({delta})",))

    def output_shape(self, x: Shape) -> Shape:
        axis_indices(self.axes, x)
        return x

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        axes = tuple(axis + 1 for axis in axis_indices(self.axes, x.shape[1:]))
        return Activation(np.flip(x, axes), deltas=(lambda delta: np.flip(delta, axes),))


class Roll(Layer):
    """y = x moved along its axes by some places each; those that leave an end come in at the other."""

    class Config(Schema):
        shifts = config.Integers(
            required=True, metadata={"description": "places moved towards the end, for each of the axes"}
        )
        axes = config.Integers(required=True, metadata={"description": "axes of the example, as many"})

        @validates_schema
        def one_shift_for_each_axis(self, config: dict[str, Any], **_: Any) -> None:
            if len(config["shifts"]) != len(config["axes"]):
                message = f"expected one for each of the axes {config['axes']}, got {config['shifts']}"
                raise ValidationError(message, "shifts")

    shifts: list[int]
    axes: list[int]

    formula = Formula(r"{x0}_{i - s}", (r"{delta}_{i + s}",))

    def output_shape(self, x: Shape) -> Shape:
        axis_indices(self.axes, x)
        return x

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        axes = tuple(axis + 1 for axis in axis_indices(self.axes, x.shape[1:]))
        # Only the rest of a whole turn counts; numpy refuses integers of more than 64 bits.
        shifts = tuple(shift % max(1, x.shape[axis]) for shift, axis in zip(self.shifts, axes, strict=True))
        back = tuple(-shift for shift in shifts)
        return Activation(np.roll(x, shifts, axes), deltas=(lambda delta: np.roll(delta, back, axes),))


class PixelShuffle(Layer):
    """y = the channels of x (C f², h, w) spread over an image f times as high and wide, y (C, f h, f w).

    Source: Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel
    Convolutional Neural Network", 2016, arXiv:1609.05158.
    """

    class Config(Schema):
        factor = config.Integer(
            required=True,
            validate=validate.Range(min=1),
            metadata={"description": "f, pixels along each axis for one before"},
        )

    factor: int

    formula = Formula(r"\operatorname{shuffle}({x0})", (r"\operatorname{shuffle}^{-1}({delta})",))

    def output_shape(self, x: Shape) -> Shape:
        if len(x) != 3:
            raise LayerError(f"expected axes (channels, h, w), got shape {list(x)}", input=0)
        if x[0] % self.factor**2:
            raise LayerError(f"{x[0]} channels cannot be divided into groups of {self.factor**2}", input=0)
        return (x[0] // self.factor**2, x[1] * self.factor, x[2] * self.factor)

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        batch, (channels, *_), f = len(x), self.output_shape(x.shape[1:]), self.factor
        apart = (batch, channels, f, f, *x.shape[2:])
        y = x.reshape(apart).transpose(0, 1, 4, 2, 5, 3)

        def x_delta(delta: Array) -> Array:
            return delta.reshape(y.shape).transpose(0, 1, 3, 5, 2, 4).reshape(x.shape)

        return Activation(y.reshape(batch, *self.output_shape(x.shape[1:])), deltas=(x_delta,))
