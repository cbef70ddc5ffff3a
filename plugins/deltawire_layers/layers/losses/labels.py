"""Losses of integer labels."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import NamedTuple

import numpy as np
from marshmallow import Schema, validate

from deltawire_layers.layer import Activation, Array, Formula, Integers, Layer, LayerError, Shape
from deltawire_layers.layers.losses.weights import check_weight, weighted
from deltawire_layers.numeric import analytic, branches
from deltawire_layers.numeric.compiled import losses
from deltawire_layers.numeric.sums import expand_batch, sum_example
from deltawire_layers.shapes import axis_index, last_axis, without_axes
from deltawire_plugins import config


class LabelConfig(Schema):
    axis = config.Integer(
        load_default=-1, metadata={"description": "axis of the classes; negative counts from the last"}
    )
    ignore_index = config.Integer(
        load_default=None,
        allow_none=True,
        validate=validate.Range(-(2**31), 2**31 - 1),
        metadata={"description": "label of rows that count nothing; null: every row counts"},
    )
    class_weights = config.Constant("factor of the rows of each class, a list along the classes", 1.0)
    per_row = config.Flag(
        load_default=False,
        metadata={"description": "whether the value is the loss of each row, instead of their sum"},
    )


class Rows(NamedTuple):
    """The rows of a batch.

    places:  where the labels point, as indices into the flattened array (rows, classes)
    weights: the factor of each row, shaped like the labels; None where all are 1. It is 0 for a row that does
             not count, and NaN for a label that is neither a class nor `ignore_index`.
    """

    places: Array
    weights: Array | None


class Labelled(Layer):
    """loss = Σ over rows, each with a label."""

    axis: int
    ignore_index: int | None
    class_weights: float | tuple[float, ...]
    per_row: bool

    @property
    def plain(self) -> bool:
        """Return whether every row counts alike."""
        return self.ignore_index is None and self.class_weights == 1.0

    def output_shape(self, scores: Shape, label: Shape, *weight: Shape) -> Shape:
        last_axis(scores)
        axis = axis_index(self.axis, scores)
        if not scores[axis]:
            raise LayerError(f"expected at least one place along axis {axis}, got {list(scores)}", input=0)
        rows = without_axes((axis,), scores)
        if label != rows:
            raise LayerError(
                f"expected one label for each row of {list(scores)}, shape {list(rows)}, got {list(label)}",
                input=1,
            )
        if isinstance(self.class_weights, tuple) and len(self.class_weights) != scores[axis]:
            raise LayerError(f"{len(self.class_weights)} class weights do not fit {list(scores)}", input=0)
        check_weight(weight, 2)
        if weight and self.per_row:
            raise LayerError("weights of examples go with one loss each, and not with per_row", input=2)
        return rows if self.per_row else ()

    def integer_inputs(self, scores: Shape, label: Shape, *weight: Shape) -> dict[int, Integers]:
        classes = range(scores[axis_index(self.axis, scores)])
        if self.ignore_index is None or self.ignore_index in classes:
            return {1: classes}
        return {1: (classes, range(self.ignore_index, self.ignore_index + 1))}

    def total(self, losses: Array) -> Array:
        """Return the value for the losses of the rows of a batch."""
        return losses if self.per_row else sum_example(losses)

    def classes_last(self, array: Array) -> Array:
        """Return a batch with the axis of the classes last."""
        return array if self.axis == -1 else np.moveaxis(array, self._axis, -1)

    def classes_back(self, array: Array) -> Array:
        """Return a batch with its last axis, that of the classes, back in its place."""
        return array if self.axis == -1 else np.moveaxis(array, -1, self._axis)

    @property
    def _axis(self) -> int:
        """The axis of the classes in a batch."""
        return self.axis if self.axis < 0 else self.axis + 1

    def rows(self, label: Array, like: Array) -> Rows:
        """Return the rows of a batch of labels, for scores with the classes last."""
        classes = like.shape[-1]
        firsts = np.arange(0, label.size * classes, classes)
        if self.plain:
            return Rows(firsts + label.reshape(-1), None)
        known = (label >= 0) & (label < classes)
        inside = np.where(known, label, 0)
        each = np.broadcast_to(np.asarray(self.class_weights, like.real.dtype), (classes,))
        weights = np.where(known, each[inside], np.nan).astype(like.real.dtype)
        if self.ignore_index is not None:
            weights[label == self.ignore_index] = 0
        return Rows(firsts + inside.reshape(-1), weights)


def times(rows: Array, weights: Array | None) -> Array:
    """Return each row times its weight, 0 for a row that does not count."""
    if weights is None:
        return rows
    broadcast = weights.reshape(weights.shape + (1,) * (rows.ndim - weights.ndim))
    return branches.keep(np.broadcast_to(broadcast != 0, rows.shape), analytic.scale(rows, broadcast))


class SoftmaxNll(Labelled):
    """loss = −Σ log softmax(x)[label], with scores x (..., C) and integer labels (...), one for each row.

    With `label_smoothing` ε, a row's target is 1 − ε for its label, and ε / C for every class.

    Source: Bishop, "Pattern Recognition and Machine Learning", 2006, section 4.3.4.
    """

    class Config(LabelConfig):
        label_smoothing = config.Number(
            load_default=0.0,
            validate=validate.Range(0, 1),
            metadata={"description": "ε, the share of a target that all classes get equally"},
        )

    label_smoothing: float

    formula = Formula(
        r"-\log \frac{e^{{x0}_{{x1}}}}{\sum_j e^{{x0}_j}}",
        (r"{delta}\,(\operatorname{softmax}({x0}) - e_{{x1}})", None),
    )

    def saved(self, scores: Shape, label: Shape, *weight: Shape) -> int:
        weights = 0 if self.plain and not self.label_smoothing else 4
        return prod(scores) + (3 + weights) * prod(label) + len(weight)

    def forward(self, params: Mapping[str, Array], scores: Array, label: Array, *weight: Array) -> Activation:
        if self.axis == -1 and self.plain and not self.label_smoothing:
            compiled = losses.softmax_nll(scores, label)
            if compiled:
                loss = Activation(self.total(compiled.losses), deltas=(compiled.delta, None))
                return weighted(loss, weight)
        moved = self.classes_last(scores)
        places, weights = self.rows(label, moved)
        probabilities, most, logs = analytic.softmax_parts(moved)
        most, logs = most.reshape(label.shape), logs.reshape(label.shape)
        smooth = self._smooth(moved)
        surprise = times(logs - (moved.take(places).reshape(label.shape) - most), weights)
        if smooth is not None:
            counts = None if weights is None else np.where(weights == 0, 0, 1).astype(weights.dtype)
            relative = analytic.shifted(moved) @ smooth.astype(moved.dtype)
            spread = times(logs * smooth.sum() - relative, counts)
            surprise = (1 - self.label_smoothing) * surprise + spread

        def scores_delta(delta: Array) -> Array:
            p = probabilities.copy()
            if smooth is None:
                p.put(places, p.take(places) - 1)
                below = times(p, weights)
            else:
                below = self._smoothed(p, label, places, weights, smooth)
            below *= expand_batch(delta, below)
            return self.classes_back(below)

        return weighted(Activation(self.total(surprise), deltas=(scores_delta, None)), weight)

    def _smooth(self, like: Array) -> Array | None:
        """Return the part of a target that all rows have, (C,); None without smoothing."""
        if not self.label_smoothing:
            return None
        classes = like.shape[-1]
        each = np.broadcast_to(np.asarray(self.class_weights, like.real.dtype), (classes,))
        return np.asarray(each * (self.label_smoothing / classes))

    def _smoothed(self, p: Array, label: Array, places: Array, weights: Array | None, smooth: Array) -> Array:
        """Return δ of the scores: the sum of a row's target times p, less the target.

        Args:
            p: the probabilities.
            label: the labels.
            places: where they point.
            weights: the factors of the rows.
            smooth: the part of a target that all rows have.
        """
        own = np.ones(label.shape, p.real.dtype) if weights is None else weights
        own = (1 - self.label_smoothing) * own
        below = p * (own + smooth.sum())[..., None] - smooth
        below.put(places, below.take(places) - own.reshape(-1))
        return (
            below
            if weights is None
            else branches.keep(np.broadcast_to((weights != 0)[..., None], p.shape), below)
        )


class Nll(Labelled):
    """loss = −Σ x[label], with log-probabilities x (..., C) and integer labels (...), one for each row."""

    class Config(LabelConfig):
        """The axis of the classes, and which rows count how much."""

    formula = Formula(r"-{x0}_{{x1}}", (r"-{delta}\,e_{{x1}}", None))

    def saved(self, log_probabilities: Shape, label: Shape, *weight: Shape) -> int:
        return (2 if self.plain else 6) * prod(label) + len(weight)

    def forward(
        self, params: Mapping[str, Array], log_probabilities: Array, label: Array, *weight: Array
    ) -> Activation:
        moved = self.classes_last(log_probabilities)
        places, weights = self.rows(label, moved)

        def log_probabilities_delta(delta: Array) -> Array:
            picked = np.zeros(moved.shape, delta.dtype)
            picked.put(places, times(np.broadcast_to(expand_batch(-delta, label), label.shape), weights))
            return self.classes_back(picked)

        surprise = -times(moved.take(places).reshape(label.shape), weights)
        return weighted(Activation(self.total(surprise), deltas=(log_probabilities_delta, None)), weight)
