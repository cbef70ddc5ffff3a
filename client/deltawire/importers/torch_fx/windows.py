"""Translate torch's convolutions, pooling and padding."""

from __future__ import annotations

from math import prod
from typing import Any

from deltawire.importers import steps
from deltawire.importers.arguments import Default, Shown
from deltawire.importers.operands import Shape, Stored, Value
from deltawire.importers.site import Site
from deltawire.importers.torch_fx.functions import function
from deltawire.importers.torch_fx.shapes import sizes


@function("conv1d", "conv2d")
def conv(
    at: Site, x: Value, weight: Stored, bias: Stored | None = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1, *, padding_mode: str = "zeros",
) -> Value:  # fmt: skip
    """Add a convolution; `padding_mode` is a setting of the module alone."""
    channels, _, *kernel = weight.array.shape
    rank = len(kernel)
    dilation = sizes(at, dilation, rank, "dilation")
    if isinstance(padding, str):
        padding = _named_padding(padding, tuple(kernel), dilation)
    else:
        padding = sizes(at, padding, rank, "padding")
    if padding_mode != "zeros" and any(padding):
        x, padding = _padded(at, x, padding, padding_mode), (0,) * rank
    return at.layer(
        f"conv{rank}d", x, params={"weight": weight, "bias": bias}, channels=channels, kernel=kernel,
        stride=sizes(at, stride, rank, "stride"), padding=padding, dilation=dilation, groups=groups,
        bias=bias is not None,
    )  # fmt: skip


def _named_padding(padding: str, kernel: Shape, dilation: Shape) -> list[Any]:
    """Return the zeros at each end for padding="same" or "valid"; an odd one more goes behind."""
    if padding == "valid":
        return [0] * len(kernel)
    added = [places * (size - 1) for size, places in zip(kernel, dilation, strict=True)]
    return [[zeros // 2, zeros - zeros // 2] if zeros % 2 else zeros // 2 for zeros in added]


def _padded(at: Site, x: Value, padding: Any, mode: str) -> Value:
    widths = [[one, one] if isinstance(one, int) else one for one in padding]
    places = zip(x.shape[-len(widths) :], widths, strict=True)
    out = (*x.shape[: -len(widths)], *(size + sum(pair) for size, pair in places))
    return at.step("pad", x, out=out, widths=widths, mode=mode)


@function("conv_transpose1d", "conv_transpose2d")
def conv_transpose(
    at: Site, x: Value, weight: Stored, bias: Stored | None = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Value:  # fmt: skip
    _, channels, *kernel = weight.array.shape
    settings = {"stride": stride, "padding": padding, "output_padding": output_padding, "dilation": dilation}
    each: dict[str, Any] = {name: sizes(at, value, len(kernel), name) for name, value in settings.items()}
    return at.layer(
        f"conv_transpose{len(kernel)}d", x, params={"weight": weight, "bias": bias},
        channels=channels * groups, kernel=kernel, groups=groups, bias=bias is not None, **each,
    )  # fmt: skip


@function("max_pool1d", "max_pool2d", "max_pool3d")
def max_pool(
    at: Site, x: Value, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: Default = False,
) -> Value:  # fmt: skip
    rank = _rank(at)
    windows = _windows(at, rank, kernel_size, stride, padding)
    if not _all(dilation, 1):
        windows["dilation"] = sizes(at, dilation, rank, "dilation")
    return _pooled(at, "max_pool", x, windows, {"ceil_mode": True} if ceil_mode else {})


@function("avg_pool1d", "avg_pool2d", "avg_pool3d")
def avg_pool(
    at: Site, x: Value, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Value:  # fmt: skip
    windows = _windows(at, _rank(at), kernel_size, stride, padding)
    flags: dict[str, Any] = {"ceil_mode": True} if ceil_mode else {}
    if divisor_override is None:
        flags |= {} if count_include_pad or _all(padding, 0) else {"count_include_pad": False}
        return _pooled(at, "avg_pool", x, windows, flags)
    if ceil_mode:
        at.refuse("divisor_override with ceil_mode: windows at the end have another divisor in the layer")
    mean = _pooled(at, "avg_pool", x, windows, flags)
    return at.step("affine", mean, out=mean.shape, scale=prod(windows["kernel"]) / divisor_override)


@function("lp_pool1d", "lp_pool2d", "lp_pool3d")
def lp_pool(
    at: Site, x: Value, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: Default = False
) -> Value:
    """Add the root of the sums of powers; at a sum of 0 its derivative is infinite, as in torch."""
    windows = _windows(at, _rank(at), kernel_size, stride, 0)
    powers = at.step("power", x, out=x.shape, exponent=float(norm_type))
    mean = _pooled(at, "avg_pool", powers, windows, {})
    total = at.step("affine", mean, out=mean.shape, scale=float(prod(windows["kernel"])))
    return at.step("power", total, out=total.shape, exponent=1 / norm_type)


def _windows(at: Site, rank: int, kernel: Any, stride: Any, padding: Any) -> dict[str, Any]:
    """Return the settings that have one number for each axis that is pooled."""
    kernel = sizes(at, kernel, rank, "kernel_size")
    apart = kernel if stride is None or stride == [] else sizes(at, stride, rank, "stride")
    windows = {"kernel": kernel, "padding": sizes(at, padding, rank, "padding")}
    return windows if apart == kernel else windows | {"stride": apart}


def _pooled(
    at: Site, kind: str, x: Value, windows: dict[str, Any], flags: dict[str, Any] | None = None
) -> Value:
    """Pool one or two axes; three as two, and then the one before them.

    A window over three axes is a product: its mean is that of means, and its first greatest number is found
    in the same order.

    Args:
        at: The operation.
        kind: The kind of the layers, without the number of axes.
        x: The input.
        windows: Settings that have one number for each axis.
        flags: Settings of all axes.
    """
    rank, flags = _rank(at), flags or {}
    if rank < 3:
        return at.layer(f"{kind}{rank}d", x, **windows, **flags)
    plane, line = ({name: each[part] for name, each in windows.items()} for part in (slice(1, 3), slice(1)))
    *leading, depth, height, width = at.shape()
    first = len(leading)
    across = (*leading, x.shape[first], height, width)
    y = at.step(f"{kind}2d", x, out=across, **plane, **flags)
    turned = (*leading, height, width, x.shape[first])
    order = [*range(first), first + 1, first + 2, first]
    y = at.step("transpose", y, out=turned, axes=order)
    y = at.step(f"{kind}1d", y, out=(*turned[:-1], depth), **line, **flags)
    return at.layer("transpose", y, axes=[*range(first), first + 2, first, first + 1])


def _rank(at: Site) -> int:
    """Return the number of axes that an operation pools: 2 for max_pool2d."""
    return int(at.function[-2])


def _all(setting: Any, number: int) -> bool:
    return all(one == number for one in (setting if isinstance(setting, tuple | list) else [setting]))


@function(*(f"adaptive_{kind}_pool{rank}d" for kind in ("avg", "max") for rank in (1, 2, 3)))
def adaptive_pool(at: Site, x: Value, output_size: Shown, return_indices: Default = False) -> Value:
    """Pool to the size of the result, by windows of one size where they divide the input evenly."""
    rank, kind = _rank(at), at.function[:-2]
    places, wanted = x.shape[-rank:], at.shape()[-rank:]
    if any(not count or size % count for size, count in zip(places, wanted, strict=True)):
        return _pooled(at, kind, x, {"size": wanted})
    kernel = tuple(size // count for size, count in zip(places, wanted, strict=True))
    return _pooled(at, kind.removeprefix("adaptive_"), x, {"kernel": kernel})


@function("interpolate")
def interpolate(
    at: Site, x: Value, size: Shown = None, scale_factor: Any = None, mode: str = "nearest",
    align_corners: bool | None = None, recompute_scale_factor: bool | None = None, antialias: Default = False,
) -> Value:  # fmt: skip
    """Resize the axes after the channels."""
    kinds = {"nearest": "nearest", "linear": "linear", "bilinear": "linear", "trilinear": "linear"}
    before, after = x.shape[1:], at.shape()[1:]
    if mode not in kinds:
        at.refuse(f"mode='{mode}': the layer upsample takes the nearest numbers, or is linear between them")
    if scale_factor is not None and not recompute_scale_factor and not align_corners:
        factors = scale_factor if isinstance(scale_factor, tuple | list) else [scale_factor] * len(before)
        if any(b * factor != a for b, factor, a in zip(before, factors, after, strict=True)):
            at.refuse(f"scale_factor={scale_factor}: places of {list(before)} do not become {list(after)}")
    more: dict[str, Any] = {"align_corners": True} if align_corners else {}
    return at.layer("upsample", x, size=after, mode=kinds[mode], **more)


@function("pad")
def pad(at: Site, x: Value, pad: Any, mode: str = "constant", value: float | None = None) -> Value:
    """Add places to the last axes; torch names them from the last one on."""
    pairs = list(zip(pad[::2], pad[1::2], strict=True))[::-1]
    if any(not isinstance(one, int) for one in pad) or len(pairs) > len(x.shape):
        at.refuse(f"pad={pad!r:.60}: expected whole numbers, and no places along the batch")
    out = x.shape
    for axis, (before, after) in enumerate(pairs, start=len(x.shape) - len(pairs)):
        x = steps.part(at, x, axis, max(-before, 0), x.shape[axis] - max(-after, 0))  # a negative one crops
    widths = [[max(before, 0), max(after, 0)] for before, after in pairs]
    if not any(map(any, widths)):
        return x if x.shape != out else at.layer("identity", x)
    more = {"mode": mode} if mode != "constant" else {"value": float(value)} if value else {}
    return at.layer("pad", x, widths=widths, **more)


@function("pixel_shuffle")
def pixel_shuffle(at: Site, x: Value, upscale_factor: int) -> Value:
    return at.layer("pixel_shuffle", x, factor=upscale_factor)
