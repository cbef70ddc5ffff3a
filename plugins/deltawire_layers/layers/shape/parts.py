"""Layers that put parts of an example together, or take them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import accumulate

import numpy as np
from marshmallow import validate

from deltawire_layers.layer import Activation, Array, Formula, Layer, LayerError, Shape
from deltawire_layers.layers.shape.axes import AxisConfig
from deltawire_layers.shapes import axis_index, shape_text
from deltawire_plugins import config


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
    """y = the part of x from start up to stop along one axis, every `step` places."""

    class Config(AxisConfig):
        start = config.Integer(
            load_default=0,
            metadata={"description": "first place taken; negative counts from the end"},
        )
        stop = config.Integer(
            load_default=None, allow_none=True,
            metadata={"description": "first place no longer taken; null: to the end"},
        )  # fmt: skip
        step = config.Integer(
            load_default=1,
            validate=validate.Range(min=1),
            metadata={"description": "places from one that is taken to the next"},
        )

    axis: int
    start: int
    stop: int | None
    step: int

    formula = Formula(r"{x0}_{[a:b]}", (r"(0,\, {delta},\, 0)",))

    def output_shape(self, x: Shape) -> Shape:
        axis = axis_index(self.axis, x)
        size = x[axis]
        for name, place in (("start", self.start), ("stop", self.stop)):
            if place is not None and not -size <= place <= size:
                raise LayerError(f"{name} {place} lies outside axis {axis} of {size} places", input=0)
        taken = len(range(*slice(self.start, self.stop, self.step).indices(size)))
        if taken < 1:
            raise LayerError(
                f"start {self.start} and stop {self.stop} leave nothing of axis {axis} of {size} places",
                input=0,
            )
        return (*x[:axis], taken, *x[axis + 1 :])

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        axis = axis_index(self.axis, x.shape[1:]) + 1
        part = (slice(None),) * axis + (slice(self.start, self.stop, self.step),)

        def embed(delta: Array) -> Array:
            whole = np.zeros(x.shape, delta.dtype)
            whole[part] = delta
            return whole

        return Activation(x[part], deltas=(embed,))
