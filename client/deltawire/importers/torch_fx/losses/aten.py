"""Translate ATen's losses, which torch.export writes: a reduction is a number there, and comes earlier."""

from __future__ import annotations

from typing import Any

from deltawire.importers.operands import Reduced, Stored, Value
from deltawire.importers.site import Site
from deltawire.importers.torch_fx.functions import function
from deltawire.importers.torch_fx.losses import labels, predictions

REDUCTIONS = "none", "mean", "sum"
"""The reductions in the order of ATen's numbers."""

Loss = Value | Reduced


@function("aten.mse_loss")
def mse_loss(at: Site, self: Any, target: Any, reduction: int = 1) -> Loss:
    return predictions.mse_loss(at, self, target, reduction=REDUCTIONS[reduction])


@function("aten.l1_loss")
def l1_loss(at: Site, self: Any, target: Any, reduction: int = 1) -> Loss:
    return predictions.l1_loss(at, self, target, reduction=REDUCTIONS[reduction])


@function("aten.smooth_l1_loss")
def smooth_l1_loss(at: Site, self: Any, target: Any, reduction: int = 1, beta: float = 1.0) -> Loss:
    return predictions.smooth_l1_loss(at, self, target, reduction=REDUCTIONS[reduction], beta=beta)


@function("aten.huber_loss")
def huber_loss(at: Site, self: Any, target: Any, reduction: int = 1, delta: float = 1.0) -> Loss:
    return predictions.huber_loss(at, self, target, REDUCTIONS[reduction], delta)


@function("aten.margin_ranking_loss")
def margin_ranking_loss(
    at: Site, input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: int = 1
) -> Loss:
    return predictions.margin_ranking_loss(
        at, input1, input2, target, margin, reduction=REDUCTIONS[reduction]
    )


@function("aten.binary_cross_entropy")
def binary_cross_entropy(
    at: Site, self: Any, target: Any, weight: Stored | None = None, reduction: int = 1
) -> Loss:
    return predictions.binary_cross_entropy(at, self, target, weight, reduction=REDUCTIONS[reduction])


@function("aten.binary_cross_entropy_with_logits")
def binary_cross_entropy_with_logits(
    at: Site, self: Any, target: Any, weight: Stored | None = None, pos_weight: Stored | None = None,
    reduction: int = 1,
) -> Loss:  # fmt: skip
    return predictions.binary_cross_entropy_with_logits(
        at, self, target, weight, reduction=REDUCTIONS[reduction], pos_weight=pos_weight
    )


@function("aten.poisson_nll_loss")
def poisson_nll_loss(
    at: Site, input: Any, target: Any, log_input: bool, full: bool, eps: float, reduction: int
) -> Loss:
    if full:
        at.refuse("full=True: no layer does this")
    return predictions.poisson_nll_loss(
        at, input, target, log_input, eps=eps, reduction=REDUCTIONS[reduction]
    )


@function("aten.kl_div")
def kl_div(at: Site, self: Any, target: Any, reduction: int = 1, *, log_target: bool = False) -> Loss:
    return predictions.kl_div(at, self, target, reduction=REDUCTIONS[reduction], log_target=log_target)


@function("aten.triplet_margin_loss")
def triplet_margin_loss(
    at: Site, anchor: Any, positive: Any, negative: Any, margin: float = 1.0, p: float = 2.0,
    eps: float = 1e-6, swap: bool = False, reduction: int = 1,
) -> Loss:  # fmt: skip
    if swap:
        at.refuse("swap=True: no layer does this")
    return predictions.triplet_margin_loss(
        at, anchor, positive, negative, margin, p, eps, reduction=REDUCTIONS[reduction]
    )


@function("aten.cross_entropy_loss")
def cross_entropy_loss(
    at: Site, self: Value, target: Value, weight: Stored | None = None, reduction: int = 1,
    ignore_index: int = -100, label_smoothing: float = 0.0,
) -> Loss:  # fmt: skip
    return labels.cross_entropy(
        at, self, target, weight, ignore_index=ignore_index, reduction=REDUCTIONS[reduction],
        label_smoothing=label_smoothing,
    )  # fmt: skip


@function("aten.nll_loss", "aten.nll_loss_nd")
def nll_loss(
    at: Site, self: Value, target: Value, weight: Stored | None = None, reduction: int = 1,
    ignore_index: int = -100,
) -> Loss:  # fmt: skip
    return labels.nll_loss(
        at, self, target, weight, ignore_index=ignore_index, reduction=REDUCTIONS[reduction]
    )


@function("aten.multi_margin_loss")
def multi_margin_loss(
    at: Site, self: Value, target: Value, p: int = 1, margin: float = 1, weight: Stored | None = None,
    reduction: int = 1,
) -> Loss:  # fmt: skip
    return labels.multi_margin_loss(at, self, target, int(p), margin, weight, reduction=REDUCTIONS[reduction])
