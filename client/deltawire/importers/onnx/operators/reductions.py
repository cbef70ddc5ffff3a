"""Translate ONNX operators that reduce axes, or that work along one."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltawire.importers import steps
from deltawire.importers.arguments import Shown
from deltawire.importers.onnx.node_site import NodeSite
from deltawire.importers.onnx.operators.table import operator
from deltawire.importers.operands import Stored, Value

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "ReduceSum": ("sum", {}),
    "ReduceMean": ("mean", {}),
    "ReduceMax": ("max", {}),
    "ReduceMin": ("min", {}),
    "ReduceL1": ("norm", {"order": 1}),
    "ReduceL2": ("norm", {}),
    "ReduceLogSumExp": ("logsumexp", {}),
}
"""The layer of an operator, and its settings."""


@operator(*KINDS, "ReduceLogSum", "ReduceSumSquare")
def reduce(
    at: NodeSite, x: Value, axes: Stored | list[int] | None = None, *, keepdims: Shown = 1,
    noop_with_empty_axes: int = 0,
) -> Value:  # fmt: skip
    given = axes.array.tolist() if isinstance(axes, Stored) else axes
    rank = len(x.shape)
    if not given and noop_with_empty_axes:
        given = []
    elif not given:
        if at.batched:
            at.refuse("reduces the batch too, and examples are independent of each other: name its axes")
        given = list(range(rank))
    along = [at.axis(axis, rank) for axis in given]
    if at.function == "ReduceSumSquare":
        return _reduced(at, "sum", at.step("multiply", x, x, out=x.shape), along)
    if at.function == "ReduceLogSum":
        out = tuple(size for axis, size in enumerate(x.shape) if axis not in along)
        total = at.step("sum", x, out=out, axes=along)
        return at.layer("log", at.view(total, at.shape()))
    kind, settings = KINDS[at.function]
    return _reduced(at, kind, x, along, **settings)


def _reduced(at: NodeSite, kind: str, x: Value, axes: list[int], **settings: Any) -> Value:
    """Add a reduction; that of no axis computes with each number by itself."""
    if axes:
        return steps.reduced(at, kind, x, axes, **settings)
    if kind == "norm":
        return at.layer("abs", x)
    return at.layer("identity", x)  # the sum, mean, greatest or log of the exponential of one number


@operator("Softmax", "LogSoftmax")
def softmax(at: NodeSite, x: Value, *, axis: int = -1) -> Value:
    kind = {"Softmax": "softmax", "LogSoftmax": "log_softmax"}[at.function]
    return steps.along(at, kind, x, at.axis(axis, len(x.shape)))


@operator("CumSum")
def cumsum(at: NodeSite, x: Value, axis: Stored, *, exclusive: int = 0, reverse: int = 0) -> Value:
    """Add up along an axis; in reverse by two flips, and exclusive by a zero in front."""
    along = at.axis(int(at.number(axis, "axis")), len(x.shape))
    if not exclusive and not reverse:
        return at.layer("cumsum", x, axis=along)
    y = at.step("flip", x, out=x.shape, axes=[along]) if reverse else x
    if exclusive:
        longer = (*x.shape[:along], x.shape[along] + 1, *x.shape[along + 1 :])
        y = at.step("pad", y, out=longer, widths=[[1, 0]] + [[0, 0]] * (len(x.shape) - along - 1))
    y = at.step("cumsum", y, out=y.shape, axis=along)
    if exclusive:
        y = steps.part(at, y, along, 0, x.shape[along])
    return at.layer("flip", y, axes=[along]) if reverse else at.layer("identity", y)


@operator("LpNormalization")
def lp_normalization(at: NodeSite, x: Value, *, axis: int = -1, p: int = 2) -> Value:
    """Divide by the norm along an axis."""
    along = at.axis(axis, len(x.shape))
    if p not in (1, 2):
        at.refuse(f"p={p}: the layer norm is of order 1 or 2")
    kept = tuple(size for place, size in enumerate(x.shape) if place != along)
    size = at.step("norm", x, out=kept, axes=[along], order=p)
    tiny = float(np.finfo(at.builder.dtype).tiny)
    size = at.step("clip", size, out=kept, low=tiny)  # 0 divided by a norm of 0 is 0
    row = at.view(size, (*x.shape[:along], 1, *x.shape[along + 1 :]))
    return at.layer("divide", x, steps.operand(at, row, x.shape))
