"""Layers that rearrange or reduce the axes of an example, counted without the batch; −1 is the last."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import accumulate
from math import prod

import numpy as np
from marshmallow import Schema, ValidationError

from deltawire_layers.layer import Activation, Array, Formula, Layer, LayerError, Shape
from deltawire_layers.numeric import branches
from deltawire_layers.shapes import axis_index, axis_indices, shape_text, without_axes
from deltawire_plugins import config


class AxisConfig(Schema):
    axis = config.Integer(
        load_default=-1,
        metadata={"description": "axis of the example; negative counts from the last"},
    )


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


class Concat(Layer):
    """y = the inputs one after the other along one axis; their other axes are equal."""

    class Config(AxisConfig):
        """The axis along which the inputs follow each other."""

    axis: int

    formula = Formula(r"[{x0};\,{x1};\,\dots]", (r"{delta}_{\text{own part}}",))

    def output_shape(self, x: Shape, *more: Shape) -> Shape:
        axis = axis_index(self.axis, x)
        for number, shape in enumerate(more, start=1):
            if len(shape) != len(x) or shape[:axis] + shape[axis + 1 :] != x[:axis] + x[axis + 1 :]:
                expected = shape_text(*x[:axis], "any", *x[axis + 1 :])
                raise LayerError(f"expected shape {expected}, got {list(shape)}", input=number)
        return (*x[:axis], x[axis] + sum(shape[axis] for shape in more), *x[axis + 1 :])

    def forward(self, params: Mapping[str, Array], x: Array, *more: Array) -> Activation:
        inputs = (x, *more)
        axis = axis_index(self.axis, x.shape[1:]) + 1
        ends = list(accumulate(part.shape[axis] for part in inputs))
        starts = [0, *ends[:-1]]

        def part(start: int, end: int, delta: Array) -> Array:
            return delta[(slice(None),) * axis + (slice(start, end),)]

        return Activation(
            np.concatenate(inputs, axis),
            deltas=tuple(partial(part, a, b) for a, b in zip(starts, ends, strict=True)),
        )


class Slice(Layer):
    """y = the part of x from start up to stop along one axis."""

    class Config(AxisConfig):
        start = config.Integer(
            load_default=0,
            metadata={"description": "first place taken; negative counts from the end"},
        )
        stop = config.Integer(
            load_default=None, allow_none=True,
            metadata={"description": "first place no longer taken; null: to the end"},
        )  # fmt: skip

    axis: int
    start: int
    stop: int | None

    formula = Formula(r"{x0}_{[a:b]}", (r"(0,\, {delta},\, 0)",))

    def output_shape(self, x: Shape) -> Shape:
        axis = axis_index(self.axis, x)
        size = x[axis]
        for name, place in (("start", self.start), ("stop", self.stop)):
            if place is not None and not -size <= place <= size:
                raise LayerError(f"{name} {place} lies outside axis {axis} of {size} places", input=0)
        taken = len(range(*slice(self.start, self.stop).indices(size)))
        if taken < 1:
            raise LayerError(
                f"start {self.start} and stop {self.stop} leave nothing of axis {axis} of {size} places",
                input=0,
            )
        return (*x[:axis], taken, *x[axis + 1 :])

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        axis = axis_index(self.axis, x.shape[1:]) + 1
        part = (slice(None),) * axis + (slice(self.start, self.stop),)

        def embed(delta: Array) -> Array:
            whole = np.zeros(x.shape, delta.dtype)
            whole[part] = delta
            return whole

        return Activation(x[part], deltas=(embed,))


class AxesConfig(Schema):
    axes = config.Integers(
        load_default=None,
        allow_none=True,
        metadata={"description": "axes of the example; null: all of them"},
    )


class Sum(Layer):
    """y = Σ x over some axes of the example, all of them by default."""

    class Config(AxesConfig):
        """The axes that are summed over."""

    axes: list[int] | None

    formula = Formula(r"\sum_i {x0}_i", (r"{delta}\,\mathbf{1}",))

    def output_shape(self, x: Shape) -> Shape:
        return without_axes(axis_indices(self.axes, x), x)

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        gone = tuple(axis + 1 for axis in axis_indices(self.axes, x.shape[1:]))

        def spread(delta: Array) -> Array:
            return np.broadcast_to(np.expand_dims(delta, gone), x.shape)

        return Activation(x.sum(axis=gone), deltas=(spread,))


class Mean(Layer):
    """y = Σ x / N over some axes of the example, N numbers each, all axes by default."""

    class Config(AxesConfig):
        """The axes that are averaged over."""

    axes: list[int] | None

    formula = Formula(r"\frac{1}{N} \sum_i {x0}_i", (r"\frac{1}{N}\,{delta}\,\mathbf{1}",))

    def output_shape(self, x: Shape) -> Shape:
        return without_axes(axis_indices(self.axes, x), x)

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        gone = tuple(axis + 1 for axis in axis_indices(self.axes, x.shape[1:]))
        count = prod(x.shape[axis] for axis in gone)
        return Activation(
            x.mean(axis=gone),
            deltas=(lambda delta: np.broadcast_to(np.expand_dims(delta / count, gone), x.shape),),
        )


class Max(Layer):
    """y = max x along one axis of the example; equally great numbers share δ equally, as in `maximum`."""

    class Config(AxisConfig):
        """The axis along which the greatest number is taken."""

    axis: int

    formula = Formula(r"\max_i {x0}_i", (r"\frac{[{x0}_i = {value}]}{\sum_j [{x0}_j = {value}]}\,{delta}",))

    def output_shape(self, x: Shape) -> Shape:
        return without_axes((axis_index(self.axis, x),), x)

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        axis = axis_index(self.axis, x.shape[1:]) + 1
        return Activation(
            branches.greatest(x, axis),
            deltas=(lambda delta: branches.share_of_greatest(np.expand_dims(delta, axis), x, axis),),
        )
