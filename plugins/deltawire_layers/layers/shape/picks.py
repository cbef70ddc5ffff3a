"""Layers that take the numbers of an example at places that another input names."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np

from deltawire_layers.layer import Activation, Array, Formula, Layer, LayerError, Shape
from deltawire_layers.layers.shape.axes import AxisConfig
from deltawire_layers.numeric.sums import scatter_rows
from deltawire_layers.shapes import axis_index, shape_text


def places(axis: int, x: Shape) -> range:
    """Return the places of an axis, which has one at least.

    Raises:
        LayerError: the axis does not exist, or has no place.
    """
    size = x[axis_index(axis, x)]
    if not size:
        raise LayerError(f"expected at least one place along axis {axis}, got {list(x)}", input=0)
    return range(size)


class Take(Layer):
    """y = x at the places along one axis that integers index (...) name; the axes of index replace that axis.

    It is numpy's take, torch's index_select and ONNX's Gather. Index is often a shared input.
    """

    class Config(AxisConfig):
        """The axis whose places are taken."""

    axis: int

    formula = Formula(r"{x0}_{{x1}}", (r"\textstyle\sum_k e_{{x1}_k}\,{delta}_k^{\top}", None))

    def output_shape(self, x: Shape, index: Shape) -> Shape:
        places(self.axis, x)
        axis = axis_index(self.axis, x)
        return (*x[:axis], *index, *x[axis + 1 :])

    def integer_inputs(self, x: Shape, index: Shape) -> dict[int, range]:
        return {1: places(self.axis, x)}

    def saved(self, x: Shape, index: Shape) -> int:
        return 6 * prod(index) + 2 * prod(self.output_shape(x, index))  # in the equation: sorted, and copied

    def forward(self, params: Mapping[str, Array], x: Array, index: Array) -> Activation:
        axis = axis_index(self.axis, x.shape[1:]) + 1
        rows = np.moveaxis(x, axis, 1)
        # The axes of index come first; move them to where the axis was.
        back = [0, *range(index.ndim, index.ndim + axis - 1), *range(1, index.ndim)]
        back += range(len(back), index.ndim + x.ndim - 2)
        there = np.argsort(back)

        def examples() -> Array:
            return np.arange(len(x)).reshape(-1, *(1,) * (index.ndim - 1))

        def x_delta(delta: Array) -> Array:
            taken = delta.transpose(there).reshape(*index.shape, -1)
            size = rows.shape[1]
            below = scatter_rows(index + size * examples(), taken, (len(x) * size, taken.shape[-1]))
            return np.moveaxis(below.reshape(rows.shape), 1, axis)

        return Activation(rows[examples(), index].transpose(back), deltas=(x_delta, None))


class TakeAlongAxis(Layer):
    """y = x at the places along one axis that integers index name, row by row: y has the shape of index.

    It is numpy's take_along_axis, torch's gather and ONNX's GatherElements. The other axes are equal.
    """

    class Config(AxisConfig):
        """The axis whose places are taken."""

    axis: int

    formula = Formula(r"{x0}_{i\,{x1}_{ij}}", (r"\textstyle\sum_j e_{{x1}_{ij}}\,{delta}_{ij}", None))

    def output_shape(self, x: Shape, index: Shape) -> Shape:
        places(self.axis, x)
        axis = axis_index(self.axis, x)
        if len(index) != len(x) or index[:axis] + index[axis + 1 :] != x[:axis] + x[axis + 1 :]:
            expected = shape_text(*x[:axis], "any", *x[axis + 1 :])
            raise LayerError(f"expected shape {expected}, got {list(index)}", input=1)
        return index

    def integer_inputs(self, x: Shape, index: Shape) -> dict[int, range]:
        return {1: places(self.axis, x)}

    def saved(self, x: Shape, index: Shape) -> int:
        return 2 * prod(x) + 7 * prod(index)  # in the equation: all places, and those that are taken, sorted

    def forward(self, params: Mapping[str, Array], x: Array, index: Array) -> Activation:
        axis = axis_index(self.axis, x.shape[1:]) + 1

        def x_delta(delta: Array) -> Array:
            taken = np.take_along_axis(np.arange(x.size).reshape(x.shape), index, axis)
            return scatter_rows(taken, delta[..., None], (x.size, 1)).reshape(x.shape)

        return Activation(np.take_along_axis(x, index, axis), deltas=(x_delta, None))
