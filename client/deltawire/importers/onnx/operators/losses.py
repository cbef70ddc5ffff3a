"""Translate ONNX's losses of integer labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltawire.importers.onnx.node_site import NodeSite
from deltawire.importers.onnx.operators.table import operator
from deltawire.importers.operands import Stored, Value


@operator("SoftmaxCrossEntropyLoss")
def softmax_cross_entropy(
    at: NodeSite, scores: Value, labels: Any, weights: Stored | None = None, *,
    ignore_index: int | None = None, reduction: str = "mean",
) -> Value:  # fmt: skip
    return _loss(at, "softmax_nll", scores, labels, weights, ignore_index, reduction)


@operator("NegativeLogLikelihoodLoss")
def negative_log_likelihood(
    at: NodeSite, logs: Value, labels: Any, weights: Stored | None = None, *,
    ignore_index: int | None = None, reduction: str = "mean",
) -> Value:  # fmt: skip
    return _loss(at, "nll", logs, labels, weights, ignore_index, reduction)


def _loss(
    at: NodeSite, kind: str, scores: Value, labels: Any, weights: Stored | None, ignore_index: int | None,
    reduction: str,
) -> Value:  # fmt: skip
    """Add a loss.

    Args:
        at: The node.
        kind: `softmax_nll`, or `nll` for logarithms of probabilities.
        scores: The scores, with the classes on axis 1 of the model.
        labels: A label for each row of them: a value, or a stored array.
        weights: The factor of each class; None for 1.
        ignore_index: The label of rows that do not count.
        reduction: `mean` or `sum` over the rows, or `none`.
    """
    at.require_leading_batch()
    axis = 1 - at.batched
    if at.batched and reduction != "none":
        at.refuse(
            f"reduction='{reduction}': it is over the batch, and examples are independent of each other"
        )
    if not isinstance(labels, Value):
        return _of_stored_labels(at, kind, scores, labels, weights, ignore_index, reduction, axis)
    if reduction == "none" and np.prod(labels.shape) > 1:
        at.refuse("reduction='none': the layers add up the rows of an example")
    settings: dict[str, Any] = {} if axis == len(scores.shape) - 1 else {"axis": axis}
    if ignore_index is not None:
        settings["ignore_index"] = ignore_index
    if weights is not None:
        at.builder.use_as_constant(weights)
        settings["class_weights"] = weights.array.tolist()
    if reduction == "none" and labels.shape:
        return at.reshaped(at.step(kind, scores, labels, out=(), **settings))
    if reduction != "mean":
        return at.layer(kind, scores, labels, **settings)
    total = at.step(kind, scores, labels, out=(), **settings)
    if weights is None and ignore_index is None:
        return at.layer("affine", total, scale=1 / np.prod(labels.shape))
    ones = at.constant(np.array(-1.0), scores.shape, f"{at.name}_ones")
    count = at.layer("nll", ones, labels, out=(), name=f"{at.name}_count", **settings)
    return at.layer("divide", total, count)


def _of_stored_labels(
    at: NodeSite, kind: str, scores: Value, labels: Any, weights: Stored | None, ignore_index: int | None,
    reduction: str, axis: int,
) -> Value:  # fmt: skip
    """Add a loss of labels that are the same each time, by the places they name."""
    if at.batched:
        at.refuse("has stored labels for each example")
    each = np.ones(scores.shape[axis], at.builder.dtype)
    if weights is not None:
        at.builder.use_as_constant(weights)
        each = weights.array
    counted = np.ones(labels.array.shape, bool) if ignore_index is None else labels.array != ignore_index
    inside = np.where(counted, labels.array, 0)
    factors = np.where(counted, each[inside], 0).astype(at.builder.dtype)
    logs = _log_softmax(at, scores, axis) if kind == "softmax_nll" else scores
    places = at.builder.constant(f"{at.name}_index", np.expand_dims(inside, axis), labels.name, whole=True)
    picked = at.step("take_along_axis", logs, places, out=np.expand_dims(inside, axis).shape, axis=axis)
    rows = at.view(picked, inside.shape)
    scale = -1 / factors.sum() if reduction == "mean" else -1.0
    weighted = [rows, at.constant(factors * scale, rows.shape, f"{at.name}_factors")]
    if reduction == "none":
        return at.layer("multiply", *weighted)
    return at.layer("sum", at.step("multiply", *weighted, out=rows.shape))


def _log_softmax(at: NodeSite, x: Value, axis: int) -> Value:
    """Add log_softmax along an axis of an example."""
    last = len(x.shape) - 1
    if axis == last:
        return at.step("log_softmax", x, out=x.shape)
    order = [*range(axis), last, *range(axis + 1, last), axis]
    turned = tuple(x.shape[place] for place in order)
    y = at.step("log_softmax", at.step("transpose", x, out=turned, axes=order), out=turned)
    return at.step("transpose", y, out=x.shape, axes=order)
