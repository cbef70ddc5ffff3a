"""Translate torch's losses of classes: labels that are integers, or the probabilities of all classes."""

from __future__ import annotations

from math import prod
from typing import Any

from torch import nn

from deltawire.importers.arguments import Default
from deltawire.importers.operands import Reduced, Stored, Value
from deltawire.importers.site import Site
from deltawire.importers.torch_fx.functions import function
from deltawire.importers.torch_fx.losses.predictions import averaged, reduced


@function("cross_entropy")
def cross_entropy(
    at: Site, input: Value, target: Value, weight: Stored | None = None, size_average: Default = None,
    ignore_index: int = -100, reduce: Default = None, reduction: str = "mean", label_smoothing: float = 0.0,
) -> Value | Reduced:  # fmt: skip
    if not target.whole:
        return _of_probabilities(at, input, target, weight, reduction, label_smoothing)
    smoothing = {"label_smoothing": float(label_smoothing)} if label_smoothing else {}
    return _of_labels(at, "softmax_nll", input, target, weight, ignore_index, reduction, **smoothing)


@function("nll_loss")
def nll_loss(
    at: Site, input: Value, target: Value, weight: Stored | None = None, size_average: Default = None,
    ignore_index: int = -100, reduce: Default = None, reduction: str = "mean",
) -> Value | Reduced:  # fmt: skip
    return _of_labels(at, "nll", input, target, weight, ignore_index, reduction)


def _of_labels(
    at: Site, kind: str, scores: Value, label: Value, weight: Stored | None, ignore_index: int,
    reduction: str, **config: Any,
) -> Value | Reduced:  # fmt: skip
    """Add a loss of labels; its classes are on the first axis of an example.

    A mean over the labels that count, or by their weights, depends on the whole batch: it is refused.
    For an `ignore_index` that is no class, the layer of a mean takes classes only, and no label is ignored.
    """
    if not scores.shape or label.shape != scores.shape[1:]:
        at.refuse(f"expected scores of classes and a label for each row, got {list(scores.shape)}")
    classes = scores.shape[0]
    if len(scores.shape) > 1:
        config["axis"] = 0
    if weight is not None:
        if weight.kept:
            at.refuse(
                f"would learn '{weight.name}', the weights of classes: the layer {kind} has numbers there"
            )
        at.builder.use_as_constant(weight)
        config["class_weights"] = weight.array.tolist()
    if reduction == "mean":
        if weight is not None:
            at.refuse("weight, with reduction='mean': divides by the weights of all labels of the batch")
        if 0 <= ignore_index < classes:
            at.refuse(f"ignore_index={ignore_index}, with reduction='mean': divides by the labels that count")
    else:
        config["ignore_index"] = ignore_index
    if reduction == "none":
        return at.layer(kind, scores, label, **config | ({"per_row": True} if label.shape else {}))
    return averaged(at, at.step(kind, scores, label, out=(), **config), reduction, prod(label.shape))


def _of_probabilities(
    at: Site, scores: Value, target: Value, weight: Stored | None, reduction: str, smoothing: float
) -> Value | Reduced:
    """Add −Σ w t log softmax(x) over the classes, on the first axis of an example."""
    if not scores.shape or target.shape != scores.shape:
        at.refuse(f"expected a probability for each of {list(scores.shape)}, got {list(target.shape)}")
    last = len(scores.shape) - 1
    order = [*range(1, last + 1), 0]
    rows = tuple(scores.shape[axis] for axis in order)
    x, t = (at.step("transpose", one, out=rows, axes=order) if last else one for one in (scores, target))
    if smoothing:
        t = at.step("affine", t, out=rows, scale=1 - smoothing, shift=smoothing / rows[-1])
    terms = at.step("multiply", t, at.step("log_softmax", x, out=rows), out=rows)
    if weight is not None:
        terms = at.step("multiply", terms, at.constant(weight, rows), out=rows)
    losses = at.step("negate", at.step("sum", terms, out=rows[:-1], axes=[last]), out=rows[:-1])
    if reduction == "none":
        return losses
    total = at.step("sum", losses, out=()) if losses.shape else losses
    return averaged(at, total, reduction, prod(losses.shape))


@function("multi_margin_loss")
def multi_margin_loss(
    at: Site, input: Value, target: Value, p: int = 1, margin: float = 1.0, weight: Stored | None = None,
    size_average: Default = None, reduce: Default = None, reduction: str = "mean",
) -> Value | Reduced:  # fmt: skip
    """Add Σ max(0, margin − x_label + x)ᵖ / C, less the term of the label itself, which is marginᵖ / C."""
    if len(input.shape) != 1 or p not in (1, 2):
        at.refuse(f"p={p} for {list(input.shape)}: expected one row of scores, and p 1 or 2")
    if margin < 0:
        at.refuse(f"margin={margin}: the term of the label itself is not marginᵖ then")
    shape = input.shape
    own = at.step("take", input, target, out=(), axis=0)
    apart = at.step("subtract", input, at.step("expand", own, out=shape, shape=shape), out=shape)
    violation = at.step("relu", at.step("affine", apart, out=shape, shift=float(margin)), out=shape)
    if p == 2:
        violation = at.step("multiply", violation, violation, out=shape)
    total = at.step("sum", violation, out=())
    loss = at.step("affine", total, out=(), scale=1 / shape[0], shift=-(float(margin) ** p) / shape[0])
    if weight is not None:
        factors = at.constant(weight, shape)
        loss = at.step("multiply", loss, at.step("take", factors, target, out=(), axis=0), out=())
    return reduced(at, loss, reduction)


def linear_cross_entropy(
    at: Site, module: nn.Module, own: Any, input: Value, target: Value
) -> Value | Reduced:
    """Add a linear layer and a cross entropy; the options of the module only say how torch computes them.

    Args:
        at: The operation.
        module: The module, a LinearCrossEntropyLoss.
        own: Its parameters and buffers, by local name.
        input: The input of the linear layer, (n,).
        target: The labels, or the probabilities of all classes.
    """
    units = module.linear.out_features
    out = (*input.shape[:-1], units)
    params = {name: own(f"linear.{name}") for name in ("weight", "bias")}
    bias = module.linear.bias is not None
    scores = at.step("linear", input, out=out, params=params, units=units, bias=bias)
    if module.out_features:
        shape = (module.num_classes, *module.out_features)
        scores = at.step("reshape", scores, out=shape, shape=shape)
    ignore = -100 if module.ignore_index is None else module.ignore_index
    return cross_entropy(
        at, scores, target, own("weight"), None, ignore, None, module.reduction, module.label_smoothing
    )
