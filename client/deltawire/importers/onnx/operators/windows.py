"""Translate ONNX's convolutions and pooling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deltawire.importers import steps
from deltawire.importers.arguments import Harmless
from deltawire.importers.onnx.node_site import NodeSite
from deltawire.importers.onnx.operators.table import operator
from deltawire.importers.operands import Stored, Value

Pairs = list[int | list[int]]
"""The places at both ends of each axis: a number where they are equal."""


@operator("Conv")
def conv(
    at: NodeSite, x: Value, weight: Stored, bias: Stored | None = None, *, auto_pad: str = "NOTSET",
    group: int = 1, dilations: list[int] | None = None, kernel_shape: list[int] | None = None,
    pads: list[int] | None = None, strides: list[int] | None = None,
) -> Value:  # fmt: skip
    channels, _, *kernel = weight.array.shape
    rank = _checked_rank(at, kernel, kernel_shape, weight)
    stride, dilation = strides or [1] * rank, dilations or [1] * rank
    spans = [apart * (size - 1) + 1 for size, apart in zip(kernel, dilation, strict=True)]
    return at.layer(
        f"conv{rank}d", x, params={"weight": weight, "bias": bias}, channels=channels, kernel=kernel,
        stride=stride, padding=_padding(at, x, auto_pad, pads, spans, stride), dilation=dilation,
        groups=group, bias=bias is not None,
    )  # fmt: skip


def _checked_rank(at: NodeSite, kernel: list[int], kernel_shape: list[int] | None, weight: Stored) -> int:
    """Return the number of axes a kernel slides along. Raises Refused when no layer has so many."""
    if len(kernel) not in (1, 2):
        at.refuse(f"has {len(kernel)} axes: there are layers of 1 and 2")
    if kernel_shape not in (None, kernel):
        at.refuse(f"kernel_shape={kernel_shape}, and its weight is of {list(weight.array.shape)}")
    return len(kernel)


def _padding(
    at: NodeSite, x: Value, auto_pad: str, pads: Sequence[int] | None, spans: Sequence[int],
    strides: Sequence[int],
) -> Pairs:  # fmt: skip
    """Return the places to add at both ends of each axis.

    Args:
        at: The node.
        x: The value that windows slide along.
        auto_pad: How ONNX finds the places: NOTSET, VALID, SAME_UPPER or SAME_LOWER.
        pads: The places before each axis, then those after each; None for none.
        spans: The places from the first to the last of a window.
        strides: The places from one window to the next.
    """
    rank = len(spans)
    if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        sizes = zip(x.shape[-rank:], spans, strides, strict=True)
        added = [max((-(-size // stride) - 1) * stride + span - size, 0) for size, span, stride in sizes]
        less, more = [total // 2 for total in added], [total - total // 2 for total in added]
        return _pairs(less, more) if auto_pad == "SAME_UPPER" else _pairs(more, less)
    if pads and auto_pad == "NOTSET":
        if min(pads) < 0:
            at.refuse(f"pads={list(pads)}: no layer cuts places off")
        return _pairs(pads[:rank], pads[rank:])
    return [0] * rank


def _pairs(befores: Sequence[int], afters: Sequence[int]) -> Pairs:
    both = zip(befores, afters, strict=True)
    return [before if before == after else [before, after] for before, after in both]


@operator("ConvTranspose")
def conv_transpose(
    at: NodeSite, x: Value, weight: Stored, bias: Stored | None = None, *, auto_pad: str = "NOTSET",
    group: int = 1, dilations: list[int] | None = None, kernel_shape: list[int] | None = None,
    output_padding: list[int] | None = None, output_shape: list[int] | None = None,
    pads: list[int] | None = None, strides: list[int] | None = None,
) -> Value:  # fmt: skip
    _, channels, *kernel = weight.array.shape
    rank = _checked_rank(at, kernel, kernel_shape, weight)
    stride, dilation = strides or [1] * rank, dilations or [1] * rank
    behind = output_padding or [0] * rank
    wanted = at.shape()[1:]
    wholes = [
        (size - 1) * step + apart * (places - 1) + 1 + more
        for size, step, apart, places, more in zip(x.shape[1:], stride, dilation, kernel, behind, strict=True)
    ]
    if auto_pad in ("SAME_UPPER", "SAME_LOWER") or output_shape:
        short = [max(size - whole, 0) for whole, size in zip(wholes, wanted, strict=True)]
        behind = [more + places for more, places in zip(behind, short, strict=True)]
        cut = [max(whole - size, 0) for whole, size in zip(wholes, wanted, strict=True)]
        less, more = [total // 2 for total in cut], [total - total // 2 for total in cut]
        padding = _pairs(less, more) if auto_pad == "SAME_UPPER" else _pairs(more, less)
    else:
        padding = _pairs((pads or [0] * 2 * rank)[:rank], (pads or [0] * 2 * rank)[rank:])
    settings: dict[str, Any] = {"output_padding": behind} if any(behind) else {}
    return at.layer(
        f"conv_transpose{rank}d", x, params={"weight": weight, "bias": bias}, channels=channels * group,
        kernel=kernel, stride=stride, padding=padding, dilation=dilation, groups=group,
        bias=bias is not None, **settings,
    )  # fmt: skip


@operator("MaxPool", "AveragePool")
def pool(
    at: NodeSite, x: Value, *, kernel_shape: list[int], auto_pad: str = "NOTSET", ceil_mode: int = 0,
    count_include_pad: int = 0, dilations: list[int] | None = None, pads: list[int] | None = None,
    storage_order: Harmless = 0, strides: list[int] | None = None,
) -> Value:  # fmt: skip
    """Pool the last two axes, then each axis before them; storage_order affects the indices only."""
    rank = len(kernel_shape)
    kind = {"MaxPool": "max_pool", "AveragePool": "avg_pool"}[at.function]
    stride, dilation = strides or [1] * rank, dilations or [1] * rank
    spans = [apart * (size - 1) + 1 for size, apart in zip(kernel_shape, dilation, strict=True)]
    padding = _padding(at, x, auto_pad, pads, spans, stride)
    more: dict[str, Any] = {"ceil_mode": True} if ceil_mode else {}
    if at.function == "AveragePool" and count_include_pad and not ceil_mode:
        wide = [pair if isinstance(pair, list) else [pair, pair] for pair in padding]
        if any(2 * max(pair) > span for pair, span in zip(wide, spans, strict=True)):
            out = x.shape[:-rank] + tuple(
                size + sum(pair) for size, pair in zip(x.shape[-rank:], wide, strict=True)
            )
            x, padding = at.step("pad", x, out=out, widths=wide), [0] * rank  # zeros that count
    if at.function == "AveragePool" and (any(padding) or ceil_mode) and not count_include_pad:
        more["count_include_pad"] = False

    def settings(axes: slice) -> dict[str, Any]:
        """Return the config of windows along some axes."""
        own: dict[str, Any] = {"kernel": kernel_shape[axes], "padding": padding[axes]}
        own["stride"] = None if stride[axes] == kernel_shape[axes] else stride[axes]
        apart = {"dilation": dilation[axes]} if any(one != 1 for one in dilation[axes]) else {}
        return own | apart | more

    if rank <= 2:
        return at.layer(f"{kind}{rank}d", x, **settings(slice(rank)))
    out = at.shape()
    y = at.step(f"{kind}2d", x, out=(*x.shape[:-2], *out[-2:]), **settings(slice(-2, None)))
    for axis in range(1, rank - 1):
        order = [place for place in range(rank + 1) if place != axis] + [axis]
        turned = tuple(y.shape[place] for place in order)
        y = at.step("transpose", y, out=turned, axes=order)
        y = at.step(f"{kind}1d", y, out=(*turned[:-1], out[axis]), **settings(slice(axis - 1, axis)))
        back = [order.index(place) for place in range(rank + 1)]
        shape = tuple(y.shape[place] for place in back)
        y = at.step("transpose", y, out=shape, axes=back)
    return at.layer("identity", y)


@operator("GlobalAveragePool", "GlobalMaxPool")
def global_pool(at: NodeSite, x: Value) -> Value:
    """Pool all places of a channel: by one window along one axis or two, else by a reduction."""
    places = x.shape[1:]
    average = at.function == "GlobalAveragePool"
    if len(places) in (1, 2):
        kind = "avg_pool" if average else "max_pool"
        return at.layer(f"{kind}{len(places)}d", x, kernel=list(places))
    if not places or not average:
        at.refuse(f"pools {len(places)} axes: the layers pool 1 or 2")
    return steps.reduced(at, "mean", x, range(1, len(x.shape)))
