"""Losses that compare scores, or directions, with each other."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np
from marshmallow import Schema

from deltawire_layers.layer import Activation, Array, Formula, Layer, Shape
from deltawire_layers.layers.losses.weights import check_weight, weighted
from deltawire_layers.numeric import branches
from deltawire_layers.numeric.lengths import direction
from deltawire_layers.numeric.sums import expand_batch, inner, sum_example
from deltawire_layers.shapes import equal_shapes, last_axis
from deltawire_plugins import config


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

    def output_shape(self, score: Shape, corrupt_score: Shape, *weight: Shape) -> Shape:
        equal_shapes(score, corrupt_score)
        check_weight(weight, 2)
        return ()

    def saved(self, score: Shape, corrupt_score: Shape, *weight: Shape) -> int:
        return prod(score) + len(weight)

    def forward(
        self, params: Mapping[str, Array], score: Array, corrupt_score: Array, *weight: Array
    ) -> Activation:
        violation = self.margin - (score - corrupt_score)  # else a great score swallows the margin
        active = violation.real > 0
        loss = Activation(
            sum_example(branches.relu(violation)),
            deltas=(
                lambda delta: branches.keep(active, expand_batch(-delta, active)),
                lambda delta: branches.keep(active, expand_batch(delta, active)),
            ),
        )
        return weighted(loss, weight)


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

    def output_shape(self, a: Shape, b: Shape, *weight: Shape) -> Shape:
        last_axis(a, least=1)
        equal_shapes(a, b)
        check_weight(weight, 2)
        return ()

    def saved(self, a: Shape, b: Shape, *weight: Shape) -> int:
        return 3 * prod(a) + 4 * prod(a[:-1]) + len(weight)  # directions and lengths, and what lies across

    def forward(self, params: Mapping[str, Array], a: Array, b: Array, *weight: Array) -> Activation:
        (a, a_root, a_size), (b, b_root, b_size) = direction(a), direction(b)
        apart = a - b
        distance = 0.5 * inner(apart, apart)  # 1 − aᵀb, but precise also where a and b are close
        for root in (a_root, b_root):
            distance = np.where(np.isinf(root.real), distance + 0.5, distance)

        def across(unit: Array, other: Array) -> Array:
            """Return the part of unit − other at right angles to unit."""
            apart = unit - other
            for _ in range(2):  # rounding leaves a rest along unit
                apart = apart - unit * inner(unit, apart)
            return np.asarray(apart)

        loss = Activation(
            sum_example(distance),
            deltas=(
                lambda delta: expand_batch(delta, a) * across(a, b) / a_root / a_size,
                lambda delta: expand_batch(delta, b) * across(b, a) / b_root / b_size,
            ),
        )
        return weighted(loss, weight)


class Triplet(Layer):
    """loss = Σ max(0, ‖a − p + eps‖ − ‖a − n + eps‖ + margin), for a, p and n of one shape (..., k).

    The lengths are those over the last axis. The slope at 0 is 0.

    Source: Schroff, Kalenichenko & Philbin, "FaceNet", 2015, arXiv:1503.03832.
    """

    class Config(Schema):
        margin = config.Number(
            load_default=1.0, metadata={"description": "least difference wanted between the distances"}
        )
        eps = config.Number(
            load_default=1e-6,
            metadata={"description": "added to each difference, so that a distance has a derivative"},
        )

    margin: float
    eps: float

    formula = Formula(
        r"\textstyle\sum \max(0,\, v), \quad v = \lVert {x0} - {x1} + \epsilon \rVert"
        r" - \lVert {x0} - {x2} + \epsilon \rVert + \text{margin}",
        (
            r"{delta}\,[v > 0]\,(\hat{p} - \hat{n})",
            r"-{delta}\,[v > 0]\,\hat{p}, \quad \hat{p} = p / \lVert p \rVert, \; p = {x0} - {x1} + \epsilon",
            r"{delta}\,[v > 0]\,\hat{n}, \quad \hat{n} = n / \lVert n \rVert, \; n = {x0} - {x2} + \epsilon",
        ),
    )

    def output_shape(self, anchor: Shape, positive: Shape, negative: Shape, *weight: Shape) -> Shape:
        last_axis(anchor, least=1)
        equal_shapes(anchor, positive, negative)
        check_weight(weight, 3)
        return ()

    def saved(self, anchor: Shape, positive: Shape, negative: Shape, *weight: Shape) -> int:
        return 3 * prod(anchor) + prod(anchor[:-1]) + len(weight)

    def forward(
        self, params: Mapping[str, Array], anchor: Array, positive: Array, negative: Array, *weight: Array
    ) -> Activation:
        (near, close, close_size), (far, distant, distant_size) = (
            direction(anchor - other + self.eps) for other in (positive, negative)
        )
        # A vector of zeros has no direction, and length 0.
        close, distant = (np.where(np.isinf(root.real), 0, root) for root in (close, distant))
        size = np.maximum(close_size, distant_size)
        apart = close * (close_size / size) - distant * (distant_size / size)
        violation = apart * size + self.margin
        active = violation.real > 0

        def along(delta: Array, unit: Array) -> Array:
            kept = np.broadcast_to(active, unit.shape)
            return branches.keep(kept, expand_batch(delta, unit) * unit)

        loss = Activation(
            sum_example(branches.relu(violation)),
            deltas=(
                lambda delta: along(delta, near) - along(delta, far),
                lambda delta: along(-delta, near),
                lambda delta: along(delta, far),
            ),
        )
        return weighted(loss, weight)
