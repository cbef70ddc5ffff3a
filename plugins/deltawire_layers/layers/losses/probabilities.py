"""Losses of probabilities beside their targets."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, prod

import numpy as np
from marshmallow import Schema, validate

from deltawire_layers.layer import Activation, Array, Formula, Layer, LayerError, Shape
from deltawire_layers.layers.losses.weights import check_weight, weighted
from deltawire_layers.numeric import analytic, branches
from deltawire_layers.numeric.sums import expand_batch, sum_example
from deltawire_layers.shapes import equal_shapes, last_axis
from deltawire_plugins import config


class BinaryNll(Layer):
    """loss = −Σ (t log σ(x) + (1 − t) log σ(−x)), for scores x and targets t in [0, 1] of one shape (...).

    Targets of −1 and 1 are refused: send (t + 1) / 2.

    Source: Bishop, "Pattern Recognition and Machine Learning", 2006, section 4.3.2.
    """

    class Config(Schema):
        pos_weight = config.Constant(
            "factor of the term of t, one number or a list along the last axis", load_default=1.0
        )

    pos_weight: float | tuple[float, ...]

    bounds = {1: (0, 1)}
    formula = Formula(
        r"-\textstyle\sum \left({x1} \circ \log \sigma({x0}) + (1 - {x1}) \circ \log \sigma(-{x0})\right)",
        (r"{delta}\,(\sigma({x0}) - {x1})", r"-{delta}\,{x0}"),
    )

    def output_shape(self, score: Shape, target: Shape, *weight: Shape) -> Shape:
        equal_shapes(score, target)
        if isinstance(self.pos_weight, tuple) and last_axis(score) != len(self.pos_weight):
            raise LayerError(f"{len(self.pos_weight)} weights do not fit shape {list(score)}", input=0)
        check_weight(weight, 2)
        return ()

    def saved(self, score: Shape, target: Shape, *weight: Shape) -> int:
        return 2 * prod(score) + len(weight)  # one side of each sum, and the functions in it

    def forward(self, params: Mapping[str, Array], score: Array, target: Array, *weight: Array) -> Activation:
        factor = np.asarray(self.pos_weight, score.real.dtype)

        # Each side of a sum is computed by itself, so that a small one is not lost beside a great one.
        def score_delta(delta: Array) -> Array:
            slope = (1 - target) * analytic.sigmoid(score) - factor * target * analytic.sigmoid(-score)
            return np.asarray(expand_batch(delta, slope) * slope)

        def target_delta(delta: Array) -> Array:
            if self.pos_weight == 1.0:
                return expand_batch(-delta, score) * score
            slope = factor * analytic.softplus(-score) - analytic.softplus(score)
            return np.asarray(expand_batch(delta, slope) * slope)

        loss = Activation(
            sum_example(
                branches.weigh(factor * target, analytic.softplus(-score))
                + branches.weigh(1 - target, analytic.softplus(score))
            ),
            deltas=(score_delta, target_delta),
        )
        return weighted(loss, weight)


class KlDivergence(Layer):
    """loss = Σ t (log t − x), with log-probabilities x and target probabilities t of one shape (...).

    D(t ‖ eˣ), summed over all distributions of the example, measures how far the prediction eˣ is from the
    target t. Neither is normalised here. t log t is 0 at t = 0; its derivative, part of the target's δ, is
    infinite.

    Source: Kullback & Leibler, "On Information and Sufficiency", Annals of Mathematical Statistics 22, 1951.
    """

    domain = (0.0, inf)  # of the target; the log-probabilities may be anything
    bounds = {1: (0, inf)}
    formula = Formula(
        r"\textstyle\sum {x1} \circ (\log {x1} - {x0})",
        (r"-{delta}\,{x1}", r"{delta}\,(\log {x1} + 1 - {x0})"),
    )

    def output_shape(self, log_probabilities: Shape, target: Shape, *weight: Shape) -> Shape:
        equal_shapes(log_probabilities, target)
        check_weight(weight, 2)
        return ()

    def saved(self, log_probabilities: Shape, target: Shape, *weight: Shape) -> int:
        return len(weight)

    def forward(
        self, params: Mapping[str, Array], log_probabilities: Array, target: Array, *weight: Array
    ) -> Activation:
        def target_delta(delta: Array) -> Array:
            return np.asarray(expand_batch(delta, target) * (analytic.log(target) + 1 - log_probabilities))

        loss = Activation(
            sum_example(analytic.xlogx(target) - branches.weigh(target, log_probabilities)),
            deltas=(lambda delta: expand_batch(-delta, target) * target, target_delta),
        )
        return weighted(loss, weight)


class Focal(Layer):
    """loss = −Σ αₜ qᵞ log(1 − q), with q the probability of error, scores x and targets t of one shape (...).

    q = t σ(−x) + (1 − t) σ(x), for targets of 0 and 1; between them, log(1 − q) is that of `binary_nll`.
    αₜ = α t + (1 − α) (1 − t).

    Source: Lin et al., "Focal Loss for Dense Object Detection", 2017, arXiv:1708.02002.
    """

    class Config(Schema):
        alpha = config.Number(
            load_default=0.25,
            allow_none=True,
            validate=validate.Range(0, 1),
            metadata={"description": "α, the weight of the targets that are 1; null: all have weight 1"},
        )
        gamma = config.Number(
            load_default=2.0,
            validate=validate.Range(min=0),
            metadata={"description": "γ, which makes the weight of likely targets small"},
        )

    alpha: float | None
    gamma: float

    bounds = {1: (0, 1)}
    formula = Formula(
        r"\textstyle\sum \alpha_t \circ q^{\gamma} \circ c,"
        r" \quad q = {x1} \circ \sigma(-{x0}) + (1 - {x1}) \circ \sigma({x0})"
        r", \quad c = {x1} \circ \log(1 + e^{-{x0}}) + (1 - {x1}) \circ \log(1 + e^{{x0}})",
        (
            r"{delta}\,\alpha_t \circ (\gamma q^{\gamma - 1} q' \circ c + q^{\gamma} \circ c')",
            r"{delta}\,\textstyle\frac{\partial}{\partial {x1}} (\alpha_t \circ q^{\gamma} \circ c)",
        ),
    )

    def output_shape(self, score: Shape, target: Shape, *weight: Shape) -> Shape:
        equal_shapes(score, target)
        check_weight(weight, 2)
        return ()

    def saved(self, score: Shape, target: Shape, *weight: Shape) -> int:
        return 8 * prod(score) + len(weight)  # each equation works in the parts of the product rule

    def forward(self, params: Mapping[str, Array], score: Array, target: Array, *weight: Array) -> Activation:
        rise = 0.0 if self.alpha is None else 2 * self.alpha - 1  # slope of αₜ

        def share() -> Array:
            return np.asarray(rise * target + (1.0 if self.alpha is None else 1 - self.alpha))

        def error() -> Array:
            """Return q."""
            return np.asarray(target * analytic.sigmoid(-score) + (1 - target) * analytic.sigmoid(score))

        def surprise() -> Array:
            """Return c."""
            yes = branches.weigh(target, analytic.softplus(-score))
            return np.asarray(yes + branches.weigh(1 - target, analytic.softplus(score)))

        def score_delta(delta: Array) -> Array:
            p, q = analytic.sigmoid(score), error()
            slope = (
                analytic.power_slope(q, self.gamma)
                * p
                * analytic.sigmoid(-score)
                * (1 - 2 * target)
                * surprise()
            )
            slope += analytic.power(q, self.gamma) * ((1 - target) * p - target * analytic.sigmoid(-score))
            return np.asarray(expand_batch(delta, slope) * (share() * slope))

        def target_delta(delta: Array) -> Array:
            q, c = error(), surprise()
            power = analytic.power(q, self.gamma)
            slope = (
                analytic.power_slope(q, self.gamma) * (analytic.sigmoid(-score) - analytic.sigmoid(score)) * c
            )
            return np.asarray(
                expand_batch(delta, slope) * (rise * power * c + share() * (slope - power * score))
            )

        loss = Activation(
            sum_example(share() * analytic.power(error(), self.gamma) * surprise()),
            deltas=(score_delta, target_delta),
        )
        return weighted(loss, weight)
