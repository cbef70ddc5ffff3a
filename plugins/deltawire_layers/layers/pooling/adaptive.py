"""Pooling to a size: the windows follow from the sizes before and after."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import ClassVar

import numpy as np
from marshmallow import Schema

from deltawire_layers.deadlines import check_deadline
from deltawire_layers.layer import CALL, NUMBER, Activation, Array, Formula, Layer, LayerError, Shape, Work
from deltawire_layers.numeric import branches
from deltawire_layers.numeric.sums import mean_axes
from deltawire_layers.numeric.windows import Sizes


def segments(size: int, count: int) -> list[slice]:
    """Return so many segments of an axis, as even as they come; neighbours may share a place.

    Segment i goes from ⌊i · size / count⌋ up to ⌈(i + 1) · size / count⌉.
    """
    return [slice(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


class AdaptivePool(Layer):
    """y = one number for each product of segments of the last axes."""

    size: tuple[int, ...]

    axes: ClassVar[tuple[str, ...]]
    """Names of the axes that are pooled, the last ones of an example."""

    def output_shape(self, x: Shape) -> Shape:
        if len(x) < len(self.axes):
            raise LayerError(f"expected axes (..., {', '.join(self.axes)}), got shape {list(x)}", input=0)
        if not all(x[-len(self.axes) :]):
            raise LayerError(f"expected at least one place along each axis, got {list(x)}", input=0)
        return (*x[: -len(self.axes)], *self.size)

    def saved(self, x: Shape) -> int:
        # In either pass: the numbers after each axis that is pooled, and one segment.
        return 2 * max(
            prod(x[: len(x) - axis]) * prod(self.size[-axis:]) for axis in range(1, len(self.axes) + 1)
        )

    def work(self, x: Shape) -> Work:
        return Work(8 * NUMBER * (prod(x) + prod(self.output_shape(x))), once=4 * CALL * sum(self.size))

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        # The last axis first: of equal numbers, the first one row by row is then the greatest.
        def pooled(x: Array, axes: tuple[int, ...]) -> Array:
            for axis in axes:
                x = self._pooled(x, axis, segments(x.shape[axis], self.size[axis]))
            return x

        order = tuple(range(-1, -len(self.axes) - 1, -1))

        def input_delta(delta: Array) -> Array:
            for step in reversed(range(len(order))):
                read = pooled(x, order[:step])
                axis = order[step]
                below = np.zeros(read.shape, delta.dtype)
                for place, segment in enumerate(segments(read.shape[axis], self.size[axis])):
                    check_deadline()
                    part = np.moveaxis(read, axis, -1)[..., segment]
                    one = np.moveaxis(delta, axis, -1)[..., place, None]
                    np.moveaxis(below, axis, -1)[..., segment] += self._share(part, one)
                delta = below
            return delta

        return Activation(pooled(x, order), deltas=(input_delta,))

    def _pooled(self, x: Array, axis: int, segments: list[slice]) -> Array:
        """Return x with one number for each segment of an axis."""
        shape = list(x.shape)
        shape[axis] = len(segments)
        y = np.empty(shape, x.dtype)
        for place, segment in enumerate(segments):
            check_deadline()
            np.moveaxis(y, axis, -1)[..., place] = self._reduced(np.moveaxis(x, axis, -1)[..., segment])
        return y

    def _reduced(self, part: Array) -> Array:
        """Return one number for each row of a segment."""
        raise NotImplementedError

    def _share(self, part: Array, delta: Array) -> Array:
        """Return δ of the numbers of a segment, given δ (..., 1) of the one that they become."""
        raise NotImplementedError


class AdaptiveAvgPool(AdaptivePool):
    """y = mean of each segment."""

    formula = Formula(
        r"y_p = \frac{1}{k_p} \sum_{q \in \text{segment } p} {x0}_q",
        (r"\textstyle\sum_{p \,:\, q \in \text{segment } p} \frac{1}{k_p} {delta}_p",),
    )

    def _reduced(self, part: Array) -> Array:
        return mean_axes(part, (part.ndim - 1,))

    def _share(self, part: Array, delta: Array) -> Array:
        return np.asarray(delta / part.shape[-1])


class AdaptiveMaxPool(AdaptivePool):
    """y = max of each segment."""

    formula = Formula(
        r"y_p = \max_{q \in \text{segment } p} {x0}_q",
        (r"\textstyle\sum_{p \,:\, q \text{ is the greatest of segment } p} {delta}_p",),
    )

    def _reduced(self, part: Array) -> Array:
        return np.take_along_axis(part, part.real.argmax(axis=-1)[..., None], -1)[..., 0]

    def _share(self, part: Array, delta: Array) -> Array:
        greatest = part.real.argmax(axis=-1)[..., None]
        return branches.keep(np.arange(part.shape[-1]) == greatest, delta)


class Size1d(Schema):
    size = Sizes(1, 1, "numbers out along the axis", required=True)


class Size2d(Schema):
    size = Sizes(2, 1, "numbers out along each axis", required=True)


class AdaptiveAvgPool1d(AdaptiveAvgPool):
    """y = mean of each of `size` even segments of x (..., n): y (..., size)."""

    axes = ("n",)

    class Config(Size1d):
        """The size."""


class AdaptiveAvgPool2d(AdaptiveAvgPool):
    """y = mean of each of `size` even rectangles of x (..., h, w): y (..., *size)."""

    axes = ("h", "w")

    class Config(Size2d):
        """The sizes."""


class AdaptiveMaxPool1d(AdaptiveMaxPool):
    """y = max of each of `size` even segments of x (..., n): y (..., size).

    δ goes to the first of equal numbers, as in torch.
    """

    axes = ("n",)

    class Config(Size1d):
        """The size."""


class AdaptiveMaxPool2d(AdaptiveMaxPool):
    """y = max of each of `size` even rectangles of x (..., h, w): y (..., *size).

    δ goes to the first of equal numbers, row by row, as in torch.
    """

    axes = ("h", "w")

    class Config(Size2d):
        """The sizes."""
