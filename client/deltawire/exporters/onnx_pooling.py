"""Translate pooling to ONNX operators."""

from __future__ import annotations

from typing import Any

from deltawire.exporters.onnx_kinds import KINDS, Place, each, pads


def check_axes(at: Place, axes: int) -> None:
    """Check that an example has channels and so many axes, as in ONNX.

    Raises:
        Refused: it has others.
    """
    if len(at.shape()) != axes + 1:
        count = {1: "one axis", 2: "two axes"}[axes]
        at.refuse(f"pools examples of shape {list(at.shape())}: in ONNX they have channels and {count}")


def pool(
    at: Place, axes: int, operator: str, kernel: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, **average: int,
) -> None:  # fmt: skip
    """Add a pooling operator with windows.

    Args:
        at: The node being exported.
        axes: The number of axes that windows slide along.
        operator: The ONNX operator.
        kernel: The size of the windows.
        stride: The numbers from one window to the next.
        padding: The places outside.
        dilation: The numbers from one place of a window to the next.
        ceil_mode: Whether a last window may end outside.
        **average: Attributes of means.
    """
    check_axes(at, axes)
    sizes = each(kernel, axes)
    at.end(
        operator, at.spread(0), kernel_shape=sizes, strides=sizes if stride is None else each(stride, axes),
        pads=pads(padding, axes), dilations=each(dilation, axes), ceil_mode=int(ceil_mode), **average,
    )  # fmt: skip


def adaptive(at: Place, axes: int, operator: str, size: Any) -> None:
    """Add a pooling operator whose windows touch and have equal sizes.

    Args:
        at: The node being exported.
        axes: The number of axes that are pooled.
        operator: The ONNX operator.
        size: The size after pooling.
    """
    check_axes(at, axes)
    sizes, own = each(size, axes), at.shape()[-axes:]
    if any(before % after for before, after in zip(own, sizes, strict=True)):
        at.refuse(f"pools {list(own)} places to {sizes}: ONNX has no windows of different sizes")
    kernel = [before // after for before, after in zip(own, sizes, strict=True)]
    at.end(operator, at.spread(0), kernel_shape=kernel, strides=kernel)


for axes in (1, 2):
    KINDS[f"max_pool{axes}d"] = lambda at, axes=axes, **config: pool(at, axes, "MaxPool", **config)
    KINDS[f"avg_pool{axes}d"] = lambda at, axes=axes, count_include_pad=True, **config: pool(
        at, axes, "AveragePool", **config, count_include_pad=int(count_include_pad)
    )
    KINDS[f"adaptive_max_pool{axes}d"] = lambda at, size, axes=axes: adaptive(at, axes, "MaxPool", size)
    KINDS[f"adaptive_avg_pool{axes}d"] = lambda at, size, axes=axes: adaptive(at, axes, "AveragePool", size)
