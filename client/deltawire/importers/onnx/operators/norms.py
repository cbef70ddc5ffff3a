"""Translate ONNX's norms."""

from __future__ import annotations

from math import prod
from typing import Any

from deltawire.importers import steps
from deltawire.importers.arguments import Harmless
from deltawire.importers.onnx.node_site import NodeSite
from deltawire.importers.onnx.operators.table import operator
from deltawire.importers.operands import Stored, Value


@operator("LayerNormalization")
def layer_norm(
    at: NodeSite, x: Value, scale: Stored, bias: Stored | None = None, *, axis: int = -1,
    epsilon: float = 1e-5, stash_type: Harmless = 1,
) -> tuple[Value | None, ...]:  # fmt: skip
    """Normalize along the last axes; stash_type is the precision of the mean.

    Returns:
        The value, the mean, and the reciprocal of the standard deviation.
    """
    spread = _last_axes(at, x, axis)
    settings = {"eps": epsilon} | ({"last_axes": len(spread)} if len(spread) > 1 else {})
    y = steps.normed(at, "layer_norm", x, spread=spread, weight=scale, bias=bias, **settings)
    wanted = [result.shape is not None for result in at.results[0]]
    rank, axes = len(x.shape), list(range(len(x.shape) - len(spread), len(x.shape)))
    kept, rest = (*x.shape[: rank - len(spread)], *[1] * len(spread)), x.shape[: rank - len(spread)]
    mean = deviation = None
    if wanted[1:2] == [True]:
        mean = at.view(at.step("mean", x, out=rest, axes=axes), kept)
    if wanted[2:] == [True]:
        variance = at.step("variance", x, out=rest, axes=axes)
        raised = at.step("affine", variance, out=rest, shift=epsilon)
        deviation = at.view(at.step("power", raised, out=rest, exponent=-0.5), kept)
    return (y, mean, deviation)[: len(wanted)]


@operator("RMSNormalization")
def rms_norm(
    at: NodeSite, x: Value, scale: Stored, *, axis: int = -1, epsilon: float = 1e-5, stash_type: Harmless = 1
) -> Value:
    spread = _last_axes(at, x, axis)
    if scale.array.size != prod(spread):
        at.refuse(f"its scale is of {list(scale.array.shape)}, and not of {list(spread)}")
    settings: dict[str, Any] = {"eps": epsilon}
    settings |= {"last_axes": len(spread)} if len(spread) > 1 else {}
    weight = scale.shaped(spread)
    if weight.trainable:
        return at.layer("rms_norm", x, params={"weight": weight}, **settings)
    y = at.step("rms_norm", x, out=x.shape, affine=False, **settings)
    return steps.of_two(at, "multiply", y, weight)


def _last_axes(at: NodeSite, x: Value, axis: int) -> tuple[int, ...]:
    """Return the sizes of the axes that a norm goes over. Raises Refused when the batch is one of them."""
    rank = len(x.shape) + at.batched
    for one in range(axis % rank, rank):
        at.axis(one, len(x.shape))
    return x.shape[at.axis(axis, len(x.shape)) :]


@operator("GroupNormalization")
def group_norm(
    at: NodeSite, x: Value, scale: Stored, bias: Stored, *, num_groups: int, epsilon: float = 1e-5,
    stash_type: Harmless = 1,
) -> Value:  # fmt: skip
    if scale.array.shape != x.shape[:1]:
        at.refuse("its scale has not one number for each channel, as of opset 21")
    settings = {"groups": num_groups, "eps": epsilon}
    return steps.normed(at, "group_norm", x, spread=steps.by_channel(x), weight=scale, bias=bias, **settings)


@operator("InstanceNormalization")
def instance_norm(at: NodeSite, x: Value, scale: Stored, bias: Stored, *, epsilon: float = 1e-5) -> Value:
    spread = steps.by_channel(x)
    return steps.normed(at, "instance_norm", x, spread=spread, weight=scale, bias=bias, eps=epsilon)


@operator("BatchNormalization")
def batch_norm(
    at: NodeSite, x: Value, scale: Stored, bias: Stored, mean: Stored, var: Stored, *, epsilon: float = 1e-5,
    momentum: Harmless = 0.9, training_mode: int = 0,
) -> Value:  # fmt: skip
    if training_mode:
        at.refuse("statistics of the batch would make its examples depend on each other")
    statistics = [at.constant(one, x.shape[:1]) for one in (mean, var)]
    settings: dict[str, Any] = {"weight": scale, "bias": bias, "eps": epsilon}
    return steps.normed(at, "batch_norm", x, *statistics, spread=steps.by_channel(x), **settings)


@operator("LRN")
def local_response_norm(
    at: NodeSite, x: Value, *, size: int, alpha: float = 1e-4, beta: float = 0.75, bias: float = 1.0
) -> Value:
    """Divide by a power of the mean square over neighbouring channels, which are pooled as one axis."""
    channels, *places = x.shape
    rows = (1, channels, prod(places))
    squares = at.view(at.step("multiply", x, x, out=x.shape), rows)
    before = (size - 1) // 2
    pooled = at.step(
        "avg_pool2d",
        squares,
        out=rows,
        kernel=[size, 1],
        stride=[1, 1],
        padding=[[before, size - 1 - before], 0],
    )
    raised = at.step("affine", at.view(pooled, x.shape), out=x.shape, scale=alpha, shift=bias)
    return at.layer("multiply", x, at.step("power", raised, out=x.shape, exponent=-beta))
