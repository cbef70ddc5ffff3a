"""Translate losses to ONNX operators: one number per example."""

from __future__ import annotations

from math import log, pi

import numpy as np
from onnx import helper

from deltawire.exporters.onnx_kinds import Numbers, Place, kind


@kind("squared_error")
def squared_error(at: Place) -> None:
    error = at.put("Sub", at.spread(0), at.spread(1))
    at.total(at.put("Mul", error, error), len(at.shape()))


@kind("huber")
def huber(at: Place, delta: float = 1.0) -> None:
    error = at.put("Sub", at.spread(0), at.spread(1))
    clipped = at.put("Clip", error, at.constant(-delta), at.constant(delta))
    half = at.put("Mul", clipped, at.constant(0.5))
    at.total(at.put("Mul", clipped, at.put("Sub", error, half)), len(at.shape()))


@kind("max_margin")
def max_margin(at: Place, margin: float = 1.0) -> None:
    apart = at.put("Sub", at.spread(1), at.spread(0))
    at.total(at.put("Relu", at.put("Add", apart, at.constant(margin))), len(at.shape()))


@kind("absolute_error")
def absolute_error(at: Place) -> None:
    at.total(at.put("Abs", at.put("Sub", at.spread(0), at.spread(1))), len(at.shape()))


@kind("smooth_l1")
def smooth_l1(at: Place, beta: float = 1.0) -> None:
    error = at.put("Sub", at.spread(0), at.spread(1))
    clipped = at.put("Clip", error, at.constant(-beta), at.constant(beta))
    half = at.put("Mul", clipped, at.constant(0.5))
    product = at.put("Mul", clipped, at.put("Sub", error, half))
    at.total(at.put("Div", product, at.constant(beta)), len(at.shape()))


@kind("gaussian_nll")
def gaussian_nll(at: Place, eps: float = 1e-6, full: bool = False) -> None:
    variance = at.put("Max", at.spread(2), at.constant(eps))
    error = at.put("Sub", at.spread(0), at.spread(1))
    ratio = at.put("Div", at.put("Mul", error, error), variance)
    terms = at.put("Mul", at.put("Add", at.put("Log", variance), ratio), at.constant(0.5))
    if full:
        terms = at.put("Add", terms, at.constant(0.5 * log(2 * pi)))
    at.total(terms, len(at.shape()), inputs=3)


@kind("poisson_nll")
def poisson_nll(at: Place, log_input: bool = True, eps: float = 1e-8) -> None:
    x, target = at.spread(0), at.spread(1)
    rate = at.put("Exp", x) if log_input else x
    logarithm = x if log_input else at.put("Log", at.put("Add", x, at.constant(eps)))
    at.total(at.put("Sub", rate, at.put("Mul", target, logarithm)), len(at.shape()))


@kind("triplet")
def triplet(at: Place, margin: float = 1.0, eps: float = 1e-6) -> None:
    near, far = (
        at.put(
            "ReduceL2",
            at.put("Add", at.put("Sub", at.spread(0), at.spread(other)), at.constant(eps)),
            at.axes(-1),
            keepdims=0,
        )
        for other in (1, 2)
    )
    violation = at.put("Add", at.put("Sub", near, far), at.constant(margin))
    at.total(at.put("Relu", violation), len(at.shape()) - 1, inputs=3)


def terms_of(at: Place, pos_weight: Numbers = 1.0) -> str:
    """Return the name of −(w t log σ(x) + (1 − t) log σ(−x))."""
    score, target = at.spread(0), at.spread(1)
    negative = at.put("Softplus", at.put("Neg", score))
    own = at.put("Mul", at.put("Mul", target, at.constants(pos_weight)), negative)
    rest = at.put("Mul", at.put("Sub", at.constant(1), target), at.put("Softplus", score))
    return at.put("Add", own, rest)


@kind("binary_nll")
def binary_nll(at: Place, pos_weight: Numbers = 1.0) -> None:
    at.total(terms_of(at, pos_weight), len(at.shape()))


@kind("focal")
def focal(at: Place, alpha: float | None = 0.25, gamma: float = 2.0) -> None:
    p, target = at.put("Sigmoid", at.spread(0)), at.spread(1)
    # The probability of error is p + t − 2 p t.
    product = at.put("Mul", at.put("Mul", p, target), at.constant(2))
    error = at.put("Sub", at.put("Add", p, target), product)
    terms = at.put("Mul", at.put("Pow", error, at.constant(gamma)), terms_of(at))
    if alpha is not None:
        rise = at.put("Mul", target, at.constant(2 * alpha - 1))
        terms = at.put("Mul", terms, at.put("Add", rise, at.constant(1 - alpha)))
    at.total(terms, len(at.shape()))


@kind("nll")
def nll(
    at: Place, axis: int = -1, ignore_index: int | None = None, class_weights: Numbers = 1.0,
    per_row: bool = False,
) -> None:  # fmt: skip
    _picked(at, at.spread(0), axis, ignore_index, class_weights, per_row)


@kind("softmax_nll")
def softmax_nll(
    at: Place, axis: int = -1, ignore_index: int | None = None, class_weights: Numbers = 1.0,
    per_row: bool = False, label_smoothing: float = 0.0,
) -> None:  # fmt: skip
    logarithms = at.put("LogSoftmax", at.spread(0), axis=axis % len(at.shape()) + 1)
    if label_smoothing:
        at.refuse("smooths labels, which is not exported")
    _picked(at, logarithms, axis, ignore_index, class_weights, per_row)


def _picked(
    at: Place, log_probabilities: str, axis: int, ignore_index: int | None, class_weights: Numbers,
    per_row: bool,
) -> None:  # fmt: skip
    """Add the last nodes: −Σ w[label] x[label].

    Args:
        at: The node being exported.
        log_probabilities: The name of x.
        axis: The axis of the classes.
        ignore_index: The label of rows that count nothing.
        class_weights: The factor of each class.
        per_row: Whether the rows are left apart.
    """
    along = axis % len(at.shape()) + 1
    label, kept = at.spread(1), ""
    if ignore_index is not None:
        ignored = at.put("Equal", label, at.constant(ignore_index, np.int64))
        label = at.put("Where", ignored, at.constant(0, np.int64), label)
        kept = at.put("Cast", at.put("Not", ignored), to=helper.np_dtype_to_tensor_dtype(at.dtype))
    places = at.put("Unsqueeze", label, at.axes(along))
    chosen = at.put(
        "Squeeze", at.put("GatherElements", log_probabilities, places, axis=along), at.axes(along)
    )
    terms = at.put("Neg", chosen)
    if class_weights != 1.0:
        weights = np.broadcast_to(np.asarray(class_weights, at.dtype), at.shape()[axis : axis + 1 or None])
        terms = at.put("Mul", terms, at.put("Gather", at.constant(weights), label, axis=0))
    if kept:
        terms = at.put("Mul", terms, kept)
    at.total(terms, 0 if per_row else len(at.shape()) - 1)


@kind("kl_divergence")
def kl_divergence(at: Place) -> None:
    target = at.spread(1)  # t log t is 0 at t = 0: take the logarithm of 1 there
    zero = at.put("Equal", target, at.constant(0))
    logarithm = at.put("Log", at.put("Where", zero, at.constant(1), target))
    at.total(at.put("Mul", target, at.put("Sub", logarithm, at.spread(0))), len(at.shape()))


@kind("cosine_distance")
def cosine_distance(at: Place) -> None:
    a, b = at.spread(0), at.spread(1)
    sizes = [at.put("ReduceL2", x, at.axes(-1), keepdims=0) for x in (a, b)]
    product = at.put("Mul", *sizes)
    zero = at.put("Equal", product, at.constant(0))  # a vector of zeros is at distance 1 of any other
    inner = at.put("ReduceSum", at.put("Mul", a, b), at.axes(-1), keepdims=0)
    cosine = at.put("Div", inner, at.put("Where", zero, at.constant(1), product))
    at.total(at.put("Sub", at.constant(1), cosine), len(at.shape()) - 1)
