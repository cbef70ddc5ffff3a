"""Translate torch's convolutions and pooling."""

from __future__ import annotations

from typing import Any

from deltawire.importers.arguments import Default, Shown
from deltawire.importers.builder import Shape, Stored, Value
from deltawire.importers.site import Site
from deltawire.importers.torch_fx.functions import function
from deltawire.importers.torch_fx.shapes import sizes


@function("conv1d", "conv2d")
def conv(
    at: Site, x: Value, weight: Stored, bias: Stored | None = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Value:  # fmt: skip
    channels, _, *kernel = weight.array.shape
    rank = len(kernel)
    dilation = sizes(at, dilation, rank, "dilation")
    if isinstance(padding, str):
        padding = _named_padding(at, padding, tuple(kernel), dilation)
    return at.layer(
        f"conv{rank}d", x, params={"weight": weight, "bias": bias}, channels=channels, kernel=kernel,
        stride=sizes(at, stride, rank, "stride"), padding=sizes(at, padding, rank, "padding"),
        dilation=dilation, groups=groups, bias=bias is not None,
    )  # fmt: skip


def _named_padding(at: Site, padding: str, kernel: Shape, dilation: Shape) -> Shape:
    """Return the zeros at each end for padding="same" or "valid". Raises Refused when the two ends differ."""
    if padding == "valid":
        return (0,) * len(kernel)
    added = [places * (size - 1) for size, places in zip(kernel, dilation, strict=True)]
    if any(zeros % 2 for zeros in added):
        at.refuse(f"padding='same' of a kernel {list(kernel)} adds more zeros at one end than at the other")
    return tuple(zeros // 2 for zeros in added)


@function("max_pool2d")
def max_pool2d(
    at: Site, x: Value, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: Default = False, return_indices: Default = False,
) -> Value:  # fmt: skip
    if sizes(at, dilation, 2) != (1, 1):
        at.refuse(f"dilation={dilation}: the layer max_pool2d has none")
    return _pooled(at, "max_pool2d", x, kernel_size, stride, padding)


@function("avg_pool2d")
def avg_pool2d(
    at: Site, x: Value, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: Default = False,
    count_include_pad: bool = True, divisor_override: Default = None,
) -> Value:  # fmt: skip
    if not count_include_pad and any(sizes(at, padding, 2)):
        at.refuse("count_include_pad=False: the layer counts the zeros around x")
    return _pooled(at, "avg_pool2d", x, kernel_size, stride, padding)


def _pooled(at: Site, kind: str, x: Value, kernel: Any, stride: Any, padding: Any) -> Value:
    kernel = sizes(at, kernel, 2, "kernel_size")
    apart = kernel if stride is None or stride == [] else sizes(at, stride, 2, "stride")
    zeros = sizes(at, padding, 2, "padding")
    return at.layer(kind, x, kernel=kernel, stride=None if apart == kernel else apart, padding=zeros)


@function("adaptive_avg_pool2d", "adaptive_max_pool2d")
def adaptive_pool2d(at: Site, x: Value, output_size: Shown, return_indices: Default = False) -> Value:
    """Pool adjacent windows; they must divide the input evenly."""
    places, wanted = x.shape[-2:], at.shape()[-2:]
    if any(size % count for size, count in zip(places, wanted, strict=True)):
        at.refuse(f"{list(places)} places cannot be divided evenly into {list(wanted)} windows")
    kernel = tuple(size // count for size, count in zip(places, wanted, strict=True))
    return at.layer(at.function.removeprefix("adaptive_"), x, kernel=kernel)
