"""Losses: one number per example, a value of shape ()."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, prod

import numpy as np
from marshmallow import Schema, validate

from deltawire_layers.layer import Activation, Array, Formula, Layer, LayerError, Shape
from deltawire_layers.numeric import analytic, branches
from deltawire_layers.numeric.sums import expand_batch, inner, sum_example
from deltawire_layers.shapes import equal_shapes, last_axis
from deltawire_plugins import config


def check_labels(classes: Shape, label: Shape) -> None:
    """Check that there is one label for each row of (..., C).

    Raises:
        LayerError: a row has no class, or the labels are not one for each row.
    """
    last_axis(classes, least=1)
    if label != classes[:-1]:
        raise LayerError(
            f"expected one label for each row of {list(classes)}, "
            f"shape {list(classes[:-1])}, got {list(label)}",
            input=1,
        )


def label_places(label: Array, classes: int) -> Array:
    """Return where the labels (...) point, as indices into the flattened array (..., classes)."""
    return np.arange(0, label.size * classes, classes) + label.reshape(-1)


class SoftmaxNll(Layer):
    """loss = −Σ log softmax(x)[label], with scores x (..., C) and integer labels (...), one for each row.

    Source: Bishop, "Pattern Recognition and Machine Learning", 2006, section 4.3.4.
    """

    formula = Formula(
        r"-\log \frac{e^{{x0}_{{x1}}}}{\sum_j e^{{x0}_j}}",
        (r"{delta}\,(\operatorname{softmax}({x0}) - e_{{x1}})", None),
    )

    def output_shape(self, scores: Shape, label: Shape) -> Shape:
        check_labels(scores, label)
        return ()

    def integer_inputs(self, scores: Shape, label: Shape) -> dict[int, range]:
        return {1: range(scores[-1])}

    def saved(self, scores: Shape, label: Shape) -> int:
        return prod(scores) + 3 * prod(label)

    def forward(self, params: Mapping[str, Array], scores: Array, label: Array) -> Activation:
        relative, places = analytic.shifted(scores), label_places(label, scores.shape[-1])
        powers, total = analytic.powers_and_total(relative)
        surprise = analytic.log(total).reshape(label.shape) - relative.take(places).reshape(label.shape)

        def scores_delta(delta: Array) -> Array:
            p = powers / total
            p.put(places, p.take(places) - 1)
            p *= expand_batch(delta, p)
            return p

        return Activation(sum_example(surprise), deltas=(scores_delta, None))


class Nll(Layer):
    """loss = −Σ x[label], with log-probabilities x (..., C) and integer labels (...), one for each row."""

    formula = Formula(r"-{x0}_{{x1}}", (r"-{delta}\,e_{{x1}}", None))

    def output_shape(self, log_probabilities: Shape, label: Shape) -> Shape:
        check_labels(log_probabilities, label)
        return ()

    def integer_inputs(self, log_probabilities: Shape, label: Shape) -> dict[int, range]:
        return {1: range(log_probabilities[-1])}

    def saved(self, log_probabilities: Shape, label: Shape) -> int:
        return 2 * prod(label)

    def forward(self, params: Mapping[str, Array], log_probabilities: Array, label: Array) -> Activation:
        places = label_places(label, log_probabilities.shape[-1])

        def log_probabilities_delta(delta: Array) -> Array:
            picked = np.zeros(log_probabilities.shape, delta.dtype)
            picked.put(places, np.broadcast_to(expand_batch(-delta, label), label.shape))
            return picked

        return Activation(
            -sum_example(log_probabilities.take(places).reshape(label.shape)),
            deltas=(log_probabilities_delta, None),
        )


class SquaredError(Layer):
    """loss = Σ (prediction − target)², for prediction and target of one shape (...)."""

    formula = Formula(
        r"\lVert {x0} - {x1} \rVert^2", (r"2\,{delta}\,({x0} - {x1})", r"-2\,{delta}\,({x0} - {x1})")
    )

    def output_shape(self, prediction: Shape, target: Shape) -> Shape:
        equal_shapes(prediction, target)
        return ()

    def saved(self, prediction: Shape, target: Shape) -> int:
        return prod(prediction)

    def forward(self, params: Mapping[str, Array], prediction: Array, target: Array) -> Activation:
        error = prediction - target
        return Activation(
            sum_example(error * error),
            deltas=(
                lambda delta: 2 * expand_batch(delta, error) * error,
                lambda delta: -2 * expand_batch(delta, error) * error,
            ),
        )


class MaxMargin(Layer):
    """loss = Σ max(0, margin − s + s_corrupt), for scores s and s_corrupt of one shape (...).

    The slope at 0 is 0.

    Source: Collobert et al., "Natural Language Processing (Almost) from Scratch", JMLR 12, 2011.
    """

    class Config(Schema):
        margin = config.Number(
            load_default=1.0, metadata={"description": "least distance wanted between the two scores"}
        )

    margin: float

    formula = Formula(
        r"\sum_i \max(0,\, \text{margin} - {x0}_i + {x1}_i)",
        (r"-{delta}\,[\text{margin} - {x0} + {x1} > 0]", r"{delta}\,[\text{margin} - {x0} + {x1} > 0]"),
    )

    def output_shape(self, score: Shape, corrupt_score: Shape) -> Shape:
        equal_shapes(score, corrupt_score)
        return ()

    def saved(self, score: Shape, corrupt_score: Shape) -> int:
        return prod(score)

    def forward(self, params: Mapping[str, Array], score: Array, corrupt_score: Array) -> Activation:
        violation = self.margin - score + corrupt_score
        active = violation.real > 0
        return Activation(
            sum_example(branches.relu(violation)),
            deltas=(
                lambda delta: branches.keep(active, expand_batch(-delta, active)),
                lambda delta: branches.keep(active, expand_batch(delta, active)),
            ),
        )


class Huber(Layer):
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

    def output_shape(self, prediction: Shape, target: Shape) -> Shape:
        equal_shapes(prediction, target)
        return ()

    def saved(self, prediction: Shape, target: Shape) -> int:
        return prod(prediction)

    def forward(self, params: Mapping[str, Array], prediction: Array, target: Array) -> Activation:
        error = prediction - target
        clipped = branches.clip(error, -self.delta, self.delta)
        return Activation(
            sum_example(clipped * (error - 0.5 * clipped)),
            deltas=(
                lambda delta: expand_batch(delta, clipped) * clipped,
                lambda delta: expand_batch(-delta, clipped) * clipped,
            ),
        )


class BinaryNll(Layer):
    """loss = −Σ (t log σ(x) + (1 − t) log σ(−x)), for scores x and targets t in [0, 1] of one shape (...).

    Source: Bishop, "Pattern Recognition and Machine Learning", 2006, section 4.3.2.
    """

    formula = Formula(
        r"-\textstyle\sum \left({x1} \circ \log \sigma({x0}) + (1 - {x1}) \circ \log \sigma(-{x0})\right)",
        (r"{delta}\,(\sigma({x0}) - {x1})", r"-{delta}\,{x0}"),
    )

    def output_shape(self, score: Shape, target: Shape) -> Shape:
        equal_shapes(score, target)
        return ()

    def saved(self, score: Shape, target: Shape) -> int:
        return 2 * prod(score)  # one side of each sum, and the functions in it, while the other is computed

    def forward(self, params: Mapping[str, Array], score: Array, target: Array) -> Activation:
        # Each side of a sum is computed by itself, so that a small one is not lost beside a great one.
        def score_delta(delta: Array) -> Array:
            slope = (1 - target) * analytic.sigmoid(score) - target * analytic.sigmoid(-score)
            return np.asarray(expand_batch(delta, slope) * slope)

        return Activation(
            sum_example(target * analytic.softplus(-score) + (1 - target) * analytic.softplus(score)),
            deltas=(score_delta, lambda delta: expand_batch(-delta, score) * score),
        )


class KlDivergence(Layer):
    """loss = Σ t (log t − x), with log-probabilities x and target probabilities t of one shape (...).

    D(t ‖ eˣ), summed over all distributions of the example, measures how far the prediction eˣ is from the
    target t. Neither is normalised here. t log t is 0 at t = 0; its derivative, part of the target's δ, is
    infinite.

    Source: Kullback & Leibler, "On Information and Sufficiency", Annals of Mathematical Statistics 22, 1951.
    """

    domain = (0.0, inf)  # of the target; the log-probabilities may be anything
    formula = Formula(
        r"\textstyle\sum {x1} \circ (\log {x1} - {x0})",
        (r"-{delta}\,{x1}", r"{delta}\,(\log {x1} + 1 - {x0})"),
    )

    def output_shape(self, log_probabilities: Shape, target: Shape) -> Shape:
        equal_shapes(log_probabilities, target)
        return ()

    def forward(self, params: Mapping[str, Array], log_probabilities: Array, target: Array) -> Activation:
        def target_delta(delta: Array) -> Array:
            return np.asarray(expand_batch(delta, target) * (analytic.log(target) + 1 - log_probabilities))

        return Activation(
            sum_example(analytic.xlogx(target) - target * log_probabilities),
            deltas=(lambda delta: expand_batch(-delta, target) * target, target_delta),
        )


class CosineDistance(Layer):
    """loss = Σ (1 − aᵀb / (‖a‖ ‖b‖)), inner products over the last axis, a and b of one shape (..., n).

    A vector of zeros has no direction: its distance to any other is 1, with δ = 0 for both.

    Source: Manning, Raghavan & Schütze, "Introduction to Information Retrieval", 2008, section 6.3.
    """

    formula = Formula(
        r"\textstyle\sum (1 - \hat{a}^{\top} \hat{b}), "
        r"\quad \hat{a} = {x0} / \lVert {x0} \rVert, \quad \hat{b} = {x1} / \lVert {x1} \rVert",
        (
            r"\frac{{delta}}{\lVert {x0} \rVert} \left(\hat{a}\,(\hat{a}^{\top} \hat{b}) - \hat{b}\right)",
            r"\frac{{delta}}{\lVert {x1} \rVert} \left(\hat{b}\,(\hat{a}^{\top} \hat{b}) - \hat{a}\right)",
        ),
    )

    def output_shape(self, a: Shape, b: Shape) -> Shape:
        last_axis(a, least=1)
        equal_shapes(a, b)
        return ()

    def saved(self, a: Shape, b: Shape) -> int:
        return 3 * prod(a) + 2 * prod(a[:-1])  # both directions and lengths, and what lies across

    def forward(self, params: Mapping[str, Array], a: Array, b: Array) -> Activation:
        (a, a_length), (b, b_length) = analytic.direction(a), analytic.direction(b)
        apart = a - b
        distance = 0.5 * inner(apart, apart)  # 1 − aᵀb, but precise also where a and b are close
        for length in (a_length, b_length):
            distance = np.where(np.isinf(length.real), distance + 0.5, distance)

        def across(unit: Array, other: Array) -> Array:
            """Return the part of unit − other at right angles to unit."""
            apart = unit - other
            return np.asarray(apart - unit * inner(unit, apart))

        return Activation(
            sum_example(distance),
            deltas=(
                lambda delta: expand_batch(delta, a) * across(a, b) / a_length,
                lambda delta: expand_batch(delta, b) * across(b, a) / b_length,
            ),
        )
