"""Translate torch's losses of predictions beside their targets.

`reduction="none"` gives a value. The mean and the sum over the batch are outputs that a whole batch has.
"""

from __future__ import annotations

from math import log, pi, prod
from typing import Any

import numpy as np

from deltawire.importers import steps
from deltawire.importers.arguments import Default
from deltawire.importers.operands import Reduced, Shape, Stored, Value
from deltawire.importers.site import Site
from deltawire.importers.torch_fx.functions import function


def reduced(at: Site, losses: Value, reduction: str) -> Value | Reduced:
    """Reduce the losses of the places of an example, and of the batch.

    Args:
        at: The operation.
        losses: The loss of each place, (...).
        reduction: "none", "mean" or "sum".
    """
    if reduction == "none":
        return losses
    if reduction not in ("mean", "sum"):
        at.refuse(f"reduction='{reduction}': no layer does this")
    return Reduced(losses if losses.shape == () else at.layer(reduction, losses, out=()), reduction)


def averaged(at: Site, total: Value, reduction: str, count: int) -> Reduced:
    """Reduce the losses of a batch, given the total of each example.

    Args:
        at: The operation.
        total: The sum of the losses of an example, ().
        reduction: "mean" or "sum".
        count: The number of losses of an example.
    """
    if reduction not in ("mean", "sum"):
        at.refuse(f"reduction='{reduction}': no layer does this")
    if reduction == "mean" and count != 1:
        total = at.layer("affine", total, out=(), scale=1 / count)
    return Reduced(total, reduction)


def alike(at: Site, *given: Any) -> list[Value]:
    """Return inputs of a loss as values of one shape, repeated as torch broadcasts them."""
    if not all(isinstance(x, Value | Stored) for x in given):
        at.refuse("expected predictions and targets for each example")
    shapes = [x.shape if isinstance(x, Value) else x.array.shape for x in given]
    out = np.broadcast_shapes(*shapes)
    return [steps.operand(at, x, out) for x in given]


def _scaled(at: Site, x: Value, scale: float = 1.0, shift: float = 0.0) -> Value:
    config = {name: one for name, one in (("scale", scale), ("shift", shift)) if one != (name == "scale")}
    return at.step("affine", x, out=x.shape, **config)


def _both(at: Site, kind: str, a: Value, b: Value) -> Value:
    return at.step(kind, a, b, out=a.shape)


def _each(at: Site, kind: str, x: Value, **config: Any) -> Value:
    return at.step(kind, x, out=x.shape, **config)


@function("mse_loss")
def mse_loss(
    at: Site, input: Any, target: Any, size_average: Default = None, reduce: Default = None,
    reduction: str = "mean", weight: Default = None,
) -> Value | Reduced:  # fmt: skip
    a, b = alike(at, input, target)
    if reduction != "none":
        total = at.step("squared_error", a, b, out=())
        return averaged(at, total, reduction, prod(a.shape))
    error = _both(at, "subtract", a, b)
    return at.layer("multiply", error, error)


@function("l1_loss")
def l1_loss(
    at: Site, input: Any, target: Any, size_average: Default = None, reduce: Default = None,
    reduction: str = "mean", weight: Default = None,
) -> Value | Reduced:  # fmt: skip
    a, b = alike(at, input, target)
    if reduction != "none":
        return averaged(at, at.step("absolute_error", a, b, out=()), reduction, prod(a.shape))
    return at.layer("abs", _both(at, "subtract", a, b))


@function("smooth_l1_loss")
def smooth_l1_loss(
    at: Site, input: Any, target: Any, size_average: Default = None, reduce: Default = None,
    reduction: str = "mean", beta: float = 1.0,
) -> Value | Reduced:  # fmt: skip
    if not beta:
        return l1_loss(at, input, target, reduction=reduction)
    a, b = alike(at, input, target)
    if reduction != "none":
        total = at.step("smooth_l1", a, b, out=(), beta=float(beta))
        return averaged(at, total, reduction, prod(a.shape))
    return _scaled(at, _huber(at, a, b, beta), 1 / beta)


@function("huber_loss")
def huber_loss(
    at: Site, input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Default = None
) -> Value | Reduced:
    a, b = alike(at, input, target)
    if reduction != "none":
        total = at.step("huber", a, b, out=(), delta=float(delta))
        return averaged(at, total, reduction, prod(a.shape))
    return _huber(at, a, b, delta)


def _huber(at: Site, a: Value, b: Value, delta: float) -> Value:
    """Return c (e − c / 2) of each error e, clipped to c."""
    error = _both(at, "subtract", a, b)
    clipped = _each(at, "clip", error, low=-float(delta), high=float(delta))
    return _both(at, "multiply", clipped, _both(at, "subtract", error, _scaled(at, clipped, 0.5)))


@function("binary_cross_entropy_with_logits")
def binary_cross_entropy_with_logits(
    at: Site, input: Any, target: Any, weight: Stored | None = None, size_average: Default = None,
    reduce: Default = None, reduction: str = "mean", pos_weight: Stored | None = None,
) -> Value | Reduced:  # fmt: skip
    score, t = alike(at, input, target)
    # t softplus(−x) + (1 − t) softplus(x): no small term is lost beside a great one.
    own = _both(at, "multiply", t, _each(at, "softplus", _scaled(at, score, -1)))
    if pos_weight is not None:
        own = _both(at, "multiply", own, at.constant(pos_weight, own.shape))
    rest = _both(at, "multiply", _scaled(at, t, -1, 1), _each(at, "softplus", score))
    return reduced(at, _weighted(at, _both(at, "add", own, rest), weight), reduction)


@function("binary_cross_entropy")
def binary_cross_entropy(
    at: Site, input: Any, target: Any, weight: Stored | None = None, size_average: Default = None,
    reduce: Default = None, reduction: str = "mean",
) -> Value | Reduced:  # fmt: skip
    """Add −t log p − (1 − t) log(1 − p), with logarithms of at least −100, as torch bounds them."""
    p, t = alike(at, input, target)
    own = _both(at, "multiply", t, _each(at, "log", p, low=-100.0))
    rest = _both(at, "multiply", _scaled(at, t, -1, 1), _each(at, "log", _scaled(at, p, -1, 1), low=-100.0))
    loss = _each(at, "negate", _both(at, "add", own, rest))
    return reduced(at, _weighted(at, loss, weight), reduction)


def _weighted(at: Site, losses: Value, weight: Stored | None) -> Value:
    return losses if weight is None else _both(at, "multiply", losses, at.constant(weight, losses.shape))


@function("multilabel_soft_margin_loss")
def multilabel_soft_margin_loss(
    at: Site, input: Any, target: Any, weight: Stored | None = None, size_average: Default = None,
    reduce: Default = None, reduction: str = "mean",
) -> Value | Reduced:  # fmt: skip
    losses = binary_cross_entropy_with_logits(at, input, target, weight, reduction="none")
    if not isinstance(losses, Value) or not losses.shape:
        at.refuse("expected a row of classes for each example")
    return reduced(
        at, at.step("mean", losses, out=losses.shape[:-1], axes=[len(losses.shape) - 1]), reduction
    )


@function("margin_ranking_loss")
def margin_ranking_loss(
    at: Site, input1: Any, input2: Any, target: Any, margin: float = 0, size_average: Default = None,
    reduce: Default = None, reduction: str = "mean",
) -> Value | Reduced:  # fmt: skip
    a, b, t = alike(at, input1, input2, target)
    product = _both(at, "multiply", t, _both(at, "subtract", a, b))
    # torch takes the derivative 1 where the violation is 0.
    return reduced(at, _each(at, "clip", _scaled(at, product, -1, float(margin)), low=0.0), reduction)


@function("poisson_nll_loss")
def poisson_nll_loss(
    at: Site, input: Any, target: Any, log_input: bool = True, full: Default = False,
    size_average: Default = None, eps: float = 1e-8, reduce: Default = None, reduction: str = "mean",
) -> Value | Reduced:  # fmt: skip
    x, t = alike(at, input, target)
    rate = _each(at, "exp", x) if log_input else x
    logarithm = x if log_input else _each(at, "log", _scaled(at, x, 1, float(eps)))
    return reduced(at, _both(at, "subtract", rate, _both(at, "multiply", t, logarithm)), reduction)


@function("gaussian_nll_loss")
def gaussian_nll_loss(
    at: Site, input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6,
    reduction: str = "mean",
) -> Value | Reduced:  # fmt: skip
    mean, t = alike(at, input, target)
    variance = _variance(at, var, mean.shape)
    v = _each(at, "clip", variance, low=float(eps))
    error = _both(at, "subtract", mean, t)
    squares = _both(at, "divide", _both(at, "multiply", error, error), v)
    loss = _scaled(at, _both(at, "add", _each(at, "log", v), squares), 0.5, 0.5 * log(2 * pi) if full else 0)
    return reduced(at, loss, reduction)


def _variance(at: Site, var: Any, shape: Shape) -> Value:
    """Return the variances of all places; those of one for each row get a last axis, as in torch."""
    if isinstance(var, Value) and var.shape == shape[:-1] != shape:
        column = (*var.shape, 1)
        var = at.step("reshape", var, out=column, shape=column)
    return steps.operand(at, var, shape)


@function("kl_div")
def kl_div(
    at: Site, input: Any, target: Any, size_average: Default = None, reduce: Default = None,
    reduction: str = "mean", log_target: bool = False,
) -> Value | Reduced:  # fmt: skip
    x, t = alike(at, input, target)
    if reduction != "none" and not log_target:
        total = at.step("kl_divergence", x, t, out=())
        return averaged(at, total, *(("mean", 1) if reduction == "batchmean" else (reduction, prod(x.shape))))
    logarithm, p = (t, _each(at, "exp", t)) if log_target else (_each(at, "log", t), t)
    losses = _both(at, "multiply", p, _both(at, "subtract", logarithm, x))
    if reduction != "batchmean":
        return reduced(at, losses, reduction)
    return Reduced(losses if losses.shape == () else at.layer("sum", losses, out=()), "mean")


@function("triplet_margin_loss")
def triplet_margin_loss(
    at: Site, anchor: Any, positive: Any, negative: Any, margin: float = 1.0, p: float = 2,
    eps: float = 1e-6, swap: Default = False, size_average: Default = None, reduce: Default = None,
    reduction: str = "mean",
) -> Value | Reduced:  # fmt: skip
    if p != 2:
        at.refuse(f"p={p}: the layer triplet measures with the 2-norm")
    three = alike(at, anchor, positive, negative)
    shape = three[0].shape
    if not shape or (reduction == "none" and len(shape) > 1):
        at.refuse(
            f"reduction='{reduction}' for {list(shape)}: the layer triplet adds up all rows of an example"
        )
    total = at.step("triplet", *three, out=(), margin=float(margin), eps=float(eps))
    return total if reduction == "none" else averaged(at, total, reduction, prod(shape[:-1]))
