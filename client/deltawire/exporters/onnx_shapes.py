"""Translate layers that rearrange, pick or reduce the numbers of an example to ONNX operators."""

from __future__ import annotations

from collections.abc import Sequence

from onnx import TensorProto

from deltawire.exporters.onnx_kinds import Place, kind


def aligned(at: Place, which: int, rank: int) -> str:
    """Return the name of an input with axes of size 1 put in, so that an example has `rank` axes.

    Args:
        at: The node being exported.
        which: The position of the input.
        rank: The number of axes of an example.
    """
    x, new = at.spread(which), rank - len(at.shape(which))
    return at.put("Unsqueeze", x, at.axes(*range(1, new + 1))) if new else x


@kind("expand")
def expand(at: Place, shape: Sequence[int]) -> None:
    sizes = at.shapes[at.name]
    at.end("Expand", aligned(at, 0, len(sizes)), at.axes(1, *sizes))


PAD_MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


@kind("pad")
def pad(at: Place, widths: Sequence[Sequence[int]], mode: str = "constant", value: float = 0.0) -> None:
    rest = [0] * (len(at.shape()) + 1 - len(widths))
    befores, afters = zip(*widths, strict=True)
    constant = [at.constants(value)] if mode == "constant" else []
    at.end("Pad", at.spread(0), at.axes(*rest, *befores, *rest, *afters), *constant, mode=PAD_MODES[mode])


@kind("take")
def take(at: Place, axis: int = -1) -> None:
    if at.inputs[1] not in at.shared:
        at.refuse("takes other places of each example: in ONNX they are those of all")
    at.end("Gather", at.spread(0), at.inputs[1], axis=axis % len(at.shape()) + 1)


@kind("take_along_axis")
def take_along_axis(at: Place, axis: int = -1) -> None:
    at.end("GatherElements", *at.repeated(), axis=axis % len(at.shape()) + 1)


@kind("flip")
def flip(at: Place, axes: Sequence[int] | None = None) -> None:
    rank = len(at.shape())
    along = [axis % rank + 1 for axis in (range(rank) if axes is None else axes)]
    if not along:
        at.end("Identity", at.spread(0))
        return
    last, before_first, back = ([number] * len(along) for number in (-1, -(2**62), -1))
    at.end("Slice", at.spread(0), *map(lambda numbers: at.axes(*numbers), (last, before_first, along, back)))


@kind("roll")
def roll(at: Place, shifts: Sequence[int], axes: Sequence[int]) -> None:
    x, shape = at.spread(0), at.shape()
    for shift, axis in zip(shifts, axes, strict=True):
        size, along = shape[axis], axis % len(shape) + 1
        cut = -shift % size
        parts = (
            at.put("Slice", x, at.axes(start), at.axes(stop), at.axes(along))
            for start, stop in ((cut, size), (0, cut))
        )
        x = at.put("Concat", *parts, axis=along)
    at.end("Identity", x)


@kind("pixel_shuffle")
def pixel_shuffle(at: Place, factor: int) -> None:
    at.end("DepthToSpace", at.spread(0), blocksize=factor, mode="CRD")


@kind("where")
def where(at: Place) -> None:
    mask = at.put("Cast", aligned(at, 0, len(at.shape(1))), to=TensorProto.BOOL)
    at.end("Where", mask, at.spread(1), at.spread(2))


@kind("masked_fill")
def masked_fill(at: Place, value: float) -> None:
    mask = at.put("Cast", aligned(at, 1, len(at.shape())), to=TensorProto.BOOL)
    at.end("Where", mask, at.constants(value), at.spread(0))


def reduced(at: Place, axes: Sequence[int] | None) -> tuple[str, list[int]]:
    """Return the name of the input, and the axes to reduce; a single number gets an axis."""
    rank = len(at.shape())
    if not rank:
        return at.put("Unsqueeze", at.spread(0), at.axes(1)), [1]
    return at.spread(0), [axis % rank + 1 for axis in (range(rank) if axes is None else axes)]


@kind("norm")
def norm(at: Place, axes: Sequence[int] | None = None, order: int = 2) -> None:
    x, along = reduced(at, axes)
    at.end(f"ReduceL{order}", x, at.axes(*along), keepdims=0)


@kind("logsumexp")
def logsumexp(at: Place, axes: Sequence[int] | None = None) -> None:
    x, along = reduced(at, axes)
    at.end("ReduceLogSumExp", x, at.axes(*along), keepdims=0)


@kind("variance")
def variance(at: Place, axes: Sequence[int] | None = None, correction: int = 0) -> None:
    x, along = reduced(at, axes)
    count = 1
    for axis in along:
        count *= at.shape()[axis - 1] if at.shape() else 1
    apart = at.put("Sub", x, at.put("ReduceMean", x, at.axes(*along), keepdims=1))
    squares = at.put("ReduceSumSquare", apart, at.axes(*along), keepdims=0)
    at.end("Div", squares, at.constant(count - correction))


@kind("cumsum")
def cumsum(at: Place, axis: int = -1) -> None:
    at.end("CumSum", at.spread(0), at.constant(axis % len(at.shape()) + 1, "int64"))


@kind("upsample")
def upsample(at: Place, size: Sequence[int], mode: str = "nearest", align_corners: bool = False) -> None:
    corners = "align_corners" if align_corners else "half_pixel"
    along = list(range(len(at.shape()) - len(size) + 1, len(at.shape()) + 1))
    at.end(
        "Resize", at.spread(0), "", "", at.axes(*size), axes=along, mode=mode, nearest_mode="floor",
        coordinate_transformation_mode="asymmetric" if mode == "nearest" else corners,
    )  # fmt: skip
