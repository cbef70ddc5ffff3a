"""Losses that are the negative log-likelihood of a distribution of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, log, pi, prod

import numpy as np
from marshmallow import Schema, validate

from deltawire_layers.layer import Activation, Array, Formula, Layer, Shape
from deltawire_layers.layers.losses.weights import check_weight, weighted
from deltawire_layers.numeric import analytic, branches
from deltawire_layers.numeric.sums import expand_batch, sum_example
from deltawire_layers.shapes import equal_shapes
from deltawire_plugins import config


class GaussianNll(Layer):
    """loss = Σ (log v + (mean − target)² / v) / 2, v = max(variance, eps), for inputs of one shape (...).

    Source: Nix & Weigend, "Estimating the Mean and Variance of the Target Probability Distribution", 1994.
    """

    class Config(Schema):
        eps = config.Number(
            load_default=1e-6,
            validate=validate.Range(min=0, min_inclusive=False),
            metadata={"description": "least variance"},
        )
        full = config.Flag(
            load_default=False, metadata={"description": "whether the constant log(2π) / 2 is added"}
        )

    eps: float
    full: bool

    domain = (0.0, inf)  # of the variance; the others may be anything
    bounds = {2: (0, inf)}
    formula = Formula(
        r"\tfrac{1}{2} \textstyle\sum (\log v + e^2 / v), \quad e = {x0} - {x1},"
        r" \quad v = \max({x2}, \epsilon)",
        (
            r"{delta}\,e / v",
            r"-{delta}\,e / v",
            r"\tfrac{1}{2} {delta}\,[{x2} \ge \epsilon] \circ (1 / v - e^2 / v^2)",
        ),
    )

    def output_shape(self, mean: Shape, target: Shape, variance: Shape, *weight: Shape) -> Shape:
        equal_shapes(mean, target, variance)
        check_weight(weight, 3)
        return ()

    def saved(self, mean: Shape, target: Shape, variance: Shape, *weight: Shape) -> int:
        return 3 * prod(mean) + len(weight)

    def forward(
        self, params: Mapping[str, Array], mean: Array, target: Array, variance: Array, *weight: Array
    ) -> Activation:
        error, v = mean - target, branches.clip(variance, self.eps, inf)
        ratio = analytic.divide(error, v)

        def variance_delta(delta: Array) -> Array:
            slope = 0.5 * (analytic.divide(1, v) - ratio * ratio)
            slope = branches.keep(branches.inside(variance, self.eps, inf), slope)
            return np.asarray(expand_batch(delta, slope) * slope)

        constant = 0.5 * log(2 * pi) if self.full else 0.0
        loss = Activation(
            sum_example(0.5 * (analytic.log(v) + error * ratio) + constant),
            deltas=(
                lambda delta: expand_batch(delta, ratio) * ratio,
                lambda delta: expand_batch(-delta, ratio) * ratio,
                variance_delta,
            ),
        )
        return weighted(loss, weight)


class PoissonNll(Layer):
    """loss = Σ (eˣ − t x), for the logarithms x of rates, and targets t, of one shape (...).

    With `log_input` false, x are the rates themselves: Σ (x − t log(x + eps)).

    Source: McCullagh & Nelder, "Generalized Linear Models", 1989, chapter 6.
    """

    class Config(Schema):
        log_input = config.Flag(
            load_default=True, metadata={"description": "whether x are the logarithms of the rates"}
        )
        eps = config.Number(
            load_default=1e-8,
            validate=validate.Range(min=0, min_inclusive=False),
            metadata={"description": "added to the rates under the logarithm"},
        )

    log_input: bool
    eps: float

    domain = (0.0, inf)  # of rates; logarithms may be anything
    bounds = {1: (0, inf)}
    formula = Formula(
        r"\textstyle\sum (e^{{x0}} - {x1} \circ {x0})",
        (r"{delta}\,(e^{{x0}} - {x1})", r"-{delta}\,{x0}"),
    )

    def output_shape(self, prediction: Shape, target: Shape, *weight: Shape) -> Shape:
        equal_shapes(prediction, target)
        check_weight(weight, 2)
        return ()

    def saved(self, prediction: Shape, target: Shape, *weight: Shape) -> int:
        return 2 * prod(prediction) + len(weight)

    def forward(
        self, params: Mapping[str, Array], prediction: Array, target: Array, *weight: Array
    ) -> Activation:
        rate = analytic.exp(prediction) if self.log_input else prediction
        logarithm = prediction if self.log_input else analytic.log(prediction + self.eps)

        def prediction_delta(delta: Array) -> Array:
            down = target if self.log_input else analytic.divide(target, prediction + self.eps)
            slope = (rate if self.log_input else 1) - down
            return np.asarray(expand_batch(delta, slope) * slope)

        loss = Activation(
            sum_example(rate - branches.weigh(target, logarithm)),
            deltas=(prediction_delta, lambda delta: expand_batch(-delta, logarithm) * logarithm),
        )
        return weighted(loss, weight)
