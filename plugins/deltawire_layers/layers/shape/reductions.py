"""Layers that reduce axes to one number."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np
from marshmallow import validate

from deltawire_layers.layer import Activation, Array, Formula, Layer, LayerError, Shape
from deltawire_layers.layers.shape.axes import AxesConfig, AxisConfig
from deltawire_layers.numeric import analytic, branches
from deltawire_layers.numeric.lengths import magnitude
from deltawire_layers.numeric.sums import mean_axes, running_sum, sum_axes
from deltawire_layers.shapes import axis_index, axis_indices, without_axes
from deltawire_plugins import config


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

        return Activation(sum_axes(x, gone), deltas=(spread,))


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
            mean_axes(x, gone),
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


class Min(Layer):
    """y = min x along one axis of the example; equally small numbers share δ equally, as in `minimum`."""

    class Config(AxisConfig):
        """The axis along which the smallest number is taken."""

    axis: int

    formula = Formula(r"\min_i {x0}_i", (r"\frac{[{x0}_i = {value}]}{\sum_j [{x0}_j = {value}]}\,{delta}",))

    def output_shape(self, x: Shape) -> Shape:
        return without_axes((axis_index(self.axis, x),), x)

    def saved(self, x: Shape) -> int:
        return prod(x)  # −x, in either pass

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        axis = axis_index(self.axis, x.shape[1:]) + 1
        return Activation(
            -branches.greatest(-x, axis),
            deltas=(lambda delta: branches.share_of_greatest(np.expand_dims(delta, axis), -x, axis),),
        )


class Variance(Layer):
    """y = Σ (x − mean x)² / (N − correction) over some axes of the example, of N numbers; by default all."""

    class Config(AxesConfig):
        correction = config.Integer(
            load_default=0,
            validate=validate.Range(min=0),
            metadata={"description": "0: mean of the squares; 1: Bessel's correction, torch's default"},
        )

    axes: list[int] | None
    correction: int

    formula = Formula(
        r"\frac{1}{N - c} \sum_i ({x0}_i - \bar{x})^2", (r"\frac{2}{N - c}\,({x0} - \bar{x})\,{delta}",)
    )

    def output_shape(self, x: Shape) -> Shape:
        axes = axis_indices(self.axes, x)
        count = prod(x[axis] for axis in axes)
        if count <= self.correction:
            raise LayerError(f"expected more than {self.correction} numbers to vary, got {count}", input=0)
        return without_axes(axes, x)

    def saved(self, x: Shape) -> int:
        return prod(x)

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        gone = tuple(axis + 1 for axis in axis_indices(self.axes, x.shape[1:]))
        weight = 1 / (prod(x.shape[axis] for axis in gone) - self.correction)
        apart = x - mean_axes(x, gone, keepdims=True)
        apart -= mean_axes(apart, gone, keepdims=True)  # rounding leaves a rest of a great mean
        return Activation(
            sum_axes(apart * apart, gone) * weight,
            deltas=(lambda delta: 2 * weight * apart * np.expand_dims(delta, gone),),
        )


class Norm(Layer):
    """y = ‖x‖, the root of Σ x² (order 2) or Σ |x| (order 1), over some axes of the example; by default all.

    At 0 the derivative is 0.
    """

    class Config(AxesConfig):
        order = config.Integer(
            load_default=2, validate=validate.OneOf([1, 2]), metadata={"description": "which norm"}
        )

    axes: list[int] | None
    order: int

    formula = Formula(r"\lVert {x0} \rVert", (r"\frac{{x0}}{{value}} \circ {delta}",))

    def output_shape(self, x: Shape) -> Shape:
        return without_axes(axis_indices(self.axes, x), x)

    def saved(self, x: Shape) -> int:
        return prod(x) + prod(self.output_shape(x))  # in either pass

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        gone = tuple(axis + 1 for axis in axis_indices(self.axes, x.shape[1:]))
        if self.order == 1:
            value = sum_axes(branches.absolute(x), gone)
        else:
            size = magnitude(x, gone)
            root = analytic.square_root(sum_axes((x / size) ** 2, gone, keepdims=True))
            value = (size * root).reshape(np.delete(x.shape, gone))

        def x_delta(delta: Array) -> Array:
            delta = np.expand_dims(delta, gone)
            if self.order == 1:
                return branches.keep(x.real != 0, analytic.scale(delta, np.sign(x.real)))
            positive = np.broadcast_to(root.real > 0, x.shape)
            unit = analytic.divide(x / size, np.where(root.real > 0, root, 1))
            return branches.keep(positive, unit * delta)

        return Activation(value, deltas=(x_delta,))


class LogSumExp(Layer):
    """y = log Σ eˣ over some axes of the example, all of them by default."""

    class Config(AxesConfig):
        """The axes that are summed over."""

    axes: list[int] | None

    formula = Formula(r"\log \sum_i e^{{x0}_i}", (r"e^{{x0} - {value}} \circ {delta}",))

    def output_shape(self, x: Shape) -> Shape:
        axes = axis_indices(self.axes, x)
        if not prod(x[axis] for axis in axes):
            raise LayerError(f"expected at least one number to sum, got shape {list(x)}", input=0)
        return without_axes(axes, x)

    def saved(self, x: Shape) -> int:
        return prod(x)  # in either pass

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        gone = tuple(axis + 1 for axis in axis_indices(self.axes, x.shape[1:]))
        greatest = x.real.max(axis=gone, keepdims=True)
        greatest = np.where(np.isfinite(greatest), greatest, 0)
        value = analytic.log(sum_axes(analytic.exp(x - greatest), gone, keepdims=True)) + greatest
        return Activation(
            value.reshape(np.delete(x.shape, gone)),
            deltas=(lambda delta: analytic.exp(x - value) * np.expand_dims(delta, gone),),
        )


class CumSum(Layer):
    """y = the sum of x from the first place to each place along one axis of the example."""

    class Config(AxisConfig):
        """The axis along which sums run."""

    axis: int

    formula = Formula(r"\sum_{j \le i} {x0}_j", (r"\sum_{j \ge i} {delta}_j",))

    def output_shape(self, x: Shape) -> Shape:
        axis_index(self.axis, x)
        return x

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        axis = axis_index(self.axis, x.shape[1:]) + 1

        def x_delta(delta: Array) -> Array:
            return np.flip(running_sum(np.flip(delta, axis), axis), axis)

        return Activation(running_sum(x, axis), deltas=(x_delta,))
