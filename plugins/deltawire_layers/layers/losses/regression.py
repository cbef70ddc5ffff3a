"""Losses of predicted numbers beside their targets."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np
from marshmallow import Schema, validate

from deltawire_layers.layer import Activation, Array, Equation, Formula, Layer, Shape
from deltawire_layers.layers.losses.weights import check_weight, weighted
from deltawire_layers.numeric import analytic, branches
from deltawire_layers.numeric.sums import expand_batch, sum_example
from deltawire_layers.shapes import equal_shapes
from deltawire_plugins import config


class ErrorLoss(Layer):
    """loss = Σ h(prediction − target), for prediction and target of one shape (...)."""

    def output_shape(self, prediction: Shape, target: Shape, *weight: Shape) -> Shape:
        equal_shapes(prediction, target)
        check_weight(weight, 2)
        return ()

    def saved(self, prediction: Shape, target: Shape, *weight: Shape) -> int:
        return prod(prediction) + len(weight)

    def penalty(self, error: Array) -> tuple[Array, Equation]:
        """Return h of each error, and the equation: δ of the loss -> δ of the errors."""
        raise NotImplementedError

    def forward(
        self, params: Mapping[str, Array], prediction: Array, target: Array, *weight: Array
    ) -> Activation:
        values, error_delta = self.penalty(prediction - target)
        loss = Activation(sum_example(values), deltas=(error_delta, lambda delta: error_delta(-delta)))
        return weighted(loss, weight)


def sloped(slope: Array) -> Equation:
    """Return the equation of a δ with this slope for each error."""
    return lambda delta: expand_batch(delta, slope) * slope


class SquaredError(ErrorLoss):
    """loss = Σ (prediction − target)², for prediction and target of one shape (...)."""

    formula = Formula(
        r"\lVert {x0} - {x1} \rVert^2", (r"2\,{delta}\,({x0} - {x1})", r"-2\,{delta}\,({x0} - {x1})")
    )

    def penalty(self, error: Array) -> tuple[Array, Equation]:
        return error * error, lambda delta: expand_batch(2 * delta, error) * error


class Huber(ErrorLoss):
    """loss = Σ h(prediction − target), both (...); h(e) = e²/2 up to |e| = d, and d (|e| − d/2) beyond.

    Source: Huber, "Robust Estimation of a Location Parameter", Annals of Mathematical Statistics 35, 1964.
    """

    class Config(Schema):
        delta = config.Number(
            load_default=1.0,
            validate=validate.Range(min=0, min_inclusive=False),
            metadata={"description": "d, the size of an error beyond which the loss grows linearly"},
        )

    delta: float

    formula = Formula(
        r"\textstyle\sum c \circ (e - \tfrac{1}{2} c), \quad e = {x0} - {x1}, \quad c = \min(\max(e, -d), d)",
        (r"{delta}\,c", r"-{delta}\,c"),
    )

    def penalty(self, error: Array) -> tuple[Array, Equation]:
        clipped = branches.clip(error, -self.delta, self.delta)
        return clipped * (error - 0.5 * clipped), sloped(clipped)


class AbsoluteError(ErrorLoss):
    """loss = Σ |prediction − target|, for prediction and target of one shape (...); the slope at 0 is 0."""

    formula = Formula(
        r"\textstyle\sum |{x0} - {x1}|",
        (
            r"{delta}\,\operatorname{sign}({x0} - {x1})",
            r"-{delta}\,\operatorname{sign}({x0} - {x1})",
        ),
    )

    def penalty(self, error: Array) -> tuple[Array, Equation]:
        def error_delta(delta: Array) -> Array:
            sign = np.sign(error.real)
            spread = np.broadcast_to(expand_batch(delta, error), error.shape)
            return branches.keep(sign != 0, analytic.scale(spread, sign))

        return branches.absolute(error), error_delta


class SmoothL1(ErrorLoss):
    """loss = Σ h(prediction − target), both (...); h(e) = e² / 2b up to |e| = b, and |e| − b / 2 beyond.

    It is `huber` with delta b, divided by b.

    Source: Girshick, "Fast R-CNN", 2015, arXiv:1504.08083.
    """

    class Config(Schema):
        beta = config.Number(
            load_default=1.0,
            validate=validate.Range(min=0, min_inclusive=False),
            metadata={"description": "b, the size of an error beyond which the loss grows linearly"},
        )

    beta: float

    formula = Formula(
        r"\textstyle\sum c \circ (e - \tfrac{\beta}{2} c), \quad e = {x0} - {x1}, "
        r"\quad c = \min(\max(e, -\beta), \beta) / \beta",
        (r"{delta}\,c", r"-{delta}\,c"),
    )

    def penalty(self, error: Array) -> tuple[Array, Equation]:
        slope = branches.clip(error, -self.beta, self.beta) / self.beta
        return slope * (error - 0.5 * self.beta * slope), sloped(slope)
