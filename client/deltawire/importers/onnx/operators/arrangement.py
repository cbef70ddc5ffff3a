"""Translate ONNX operators that rearrange, join, cut or copy numbers."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

import numpy as np

from deltawire.importers import steps
from deltawire.importers.arguments import Shown
from deltawire.importers.onnx.constants import ByBatch
from deltawire.importers.onnx.node_site import NodeSite
from deltawire.importers.onnx.operators.table import operator
from deltawire.importers.operands import Stored, Unbatched, Value


@operator("Reshape", "Flatten", "Squeeze", "Unsqueeze")
def reshape(at: NodeSite, x: Value, *, axis: Shown = 1, allowzero: Shown = 0) -> Value:
    """Reshape to the shape of the result; the other inputs add nothing to it."""
    at.check_rows(x)
    return at.reshaped(x)


@operator("Expand")
def expand(at: NodeSite, x: Any) -> Value:
    return steps.operand(at, x, at.shape())


@operator("Transpose")
def transpose(at: NodeSite, x: Value, *, perm: list[int] | None = None) -> Value:
    rank = len(x.shape) + at.batched
    order = list(reversed(range(rank))) if perm is None else perm
    axes = [at.axis(axis, len(x.shape)) for axis in order if axis != at.batch_axis]
    return x if axes == sorted(axes) else at.layer("transpose", x, axes=axes)


@operator("Concat")
def concat(at: NodeSite, *values: Any, axis: int) -> Value:
    out = at.shape()
    along = at.axis(axis, len(out))
    parts = [_part_of(at, x, along) for x in values if not _is_empty(x)]
    return at.layer("concat", *parts, axis=along) if len(parts) > 1 else parts[0]


def _is_empty(x: Any) -> bool:
    return isinstance(x, Stored) and x.array.size == 0


def _part_of(at: NodeSite, x: Any, axis: int) -> Value:
    """Return one of the parts to join: a value, or an array repeated for each example."""
    if isinstance(x, Value):
        return x
    own = x.value.shape if isinstance(x, Unbatched) else x.array.shape
    shape = list(at.shape())
    shape[axis] = own[axis - len(shape)]
    return steps.operand(at, x, tuple(shape))


@operator("Split")
def split(
    at: NodeSite, x: Value, sizes: Shown = None, *, axis: int = 0, num_outputs: Shown = 0
) -> tuple[Value | None, ...]:
    """Split x; the sizes show in the shapes of the results, and a part without places is None."""
    along = at.axis(axis, len(x.shape))
    shapes = [at.shape(itemgetter(place)) for place in range(len(at.results[0]))]
    stops = np.cumsum([shape[along] for shape in shapes]).tolist()
    return tuple(
        steps.part(at, x, along, stop - shape[along], stop) if shape[along] else None
        for shape, stop in zip(shapes, stops, strict=True)
    )


@operator("Slice")
def cut(at: NodeSite, x: Value, starts: Any, ends: Any, axes: Any = None, strides: Any = None) -> Value:
    if not all(one is None or isinstance(one, Stored | ByBatch) for one in (starts, ends, axes, strides)):
        at.refuse("cuts at places that are computed from data")
    rank = len(x.shape) + at.batched
    given = [_pairs(one) for one in (starts, ends)]
    count = len(given[0])
    along = range(count) if axes is None else [int(pair[0]) for pair in _pairs(axes)]
    apart = [1] * count if strides is None else [int(pair[0]) for pair in _pairs(strides)]
    for place, (axis, step) in enumerate(zip(along, apart, strict=True)):
        (first, start), (last, stop) = (bounds[place] for bounds in given)
        if axis % rank == at.batch_axis:
            _require_all(at, (first, start), (last, stop), step)
            continue
        if (first, last) != (start, stop):
            at.refuse("cuts by the number of examples, which a network does not know")
        x = _sliced(at, x, at.axis(axis, len(x.shape)), first, last, step)
    return x


def _pairs(given: Any) -> list[tuple[int, int]]:
    """Return the numbers of an input for both batches."""
    arrays = given.arrays if isinstance(given, ByBatch) else (given.array, given.array)
    return list(zip(*(array.reshape(-1).tolist() for array in arrays), strict=True))


def _require_all(at: NodeSite, starts: tuple[int, int], stops: tuple[int, int], step: int) -> None:
    """Raise Refused when a slice leaves out an example."""
    counts = [result.shape[at.result_axis()] for result in at.results]
    whole = all(start in (0, -count) for start, count in zip(starts, counts, strict=True))
    if not whole or any(stop < count for stop, count in zip(stops, counts, strict=True)) or step != 1:
        at.refuse("works along the batch, and examples are independent of each other")


def _sliced(at: NodeSite, x: Value, axis: int, start: int, stop: int, step: int) -> Value:
    """Cut x along one axis; a negative step goes from the end to the start.

    Args:
        at: The node.
        x: The value.
        axis: The axis of an example.
        start, stop, step: As in ONNX: bounds beyond an end are at the end.
    """
    size = x.shape[axis]
    if step < 0:
        # Place i from the end is place size - 1 - i from the start.
        x = at.step("flip", x, out=x.shape, axes=[axis])
        first, last, _ = slice(start, stop, step).indices(size)
        start, stop, step = size - 1 - first, size - 1 - last, -step
    first, last, _ = slice(start, stop, step).indices(size)
    count = len(range(first, last, step))
    if count == size:
        return x
    shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
    more = {"step": step} if step != 1 else {}
    return at.step("slice", x, out=shape, axis=axis, start=first, stop=last, **more)


@operator("Tile")
def tile(at: NodeSite, x: Value, repeats: Stored) -> Value:
    for place, count in enumerate(repeats.array.tolist()):
        if count == 1:
            continue
        axis = at.axis(place, len(x.shape))
        shape = (*x.shape[:axis], count * x.shape[axis], *x.shape[axis + 1 :])
        x = at.step("concat", *[x] * count, out=shape, axis=axis)
    return x


MODES = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}


@operator("Pad")
def pad(
    at: NodeSite, x: Value, pads: Stored, value: Stored | None = None, axes: Stored | None = None, *,
    mode: str = "constant",
) -> Value:  # fmt: skip
    """Add places; negative ones cut."""
    rank = len(x.shape)
    along = range(rank + at.batched) if axes is None else axes.array.tolist()
    befores, afters = np.split(pads.array, 2)
    widths = [[0, 0] for _ in range(rank)]
    out = x.shape
    for axis, before, after in zip(along, befores.tolist(), afters.tolist(), strict=True):
        if before or after:
            own = at.axis(axis, rank)
            x = steps.part(at, x, own, max(-before, 0), x.shape[own] - max(-after, 0))
            widths[own] = [max(before, 0), max(after, 0)]
    if not any(map(any, widths)):
        return x if x.shape != out else at.layer("identity", x)
    first = next(axis for axis, pair in enumerate(widths) if any(pair))
    constant = 0.0 if value is None else at.number(value, "constant_value")
    more: dict[str, Any] = {"mode": MODES[mode]} if mode != "constant" else {}
    more |= {"value": constant} if constant and mode == "constant" else {}
    return at.layer("pad", x, widths=widths[first:], **more)


@operator("DepthToSpace")
def depth_to_space(at: NodeSite, x: Value, *, blocksize: int, mode: str = "DCR") -> Value:
    if mode == "CRD":
        return at.layer("pixel_shuffle", x, factor=blocksize)
    channels, height, width = x.shape
    split_channels = (blocksize, blocksize, channels // blocksize**2, height, width)
    y = at.view(x, split_channels)
    order = [2, 3, 0, 4, 1]
    turned = at.step("transpose", y, out=tuple(split_channels[axis] for axis in order), axes=order)
    return at.reshaped(turned)


@operator("SpaceToDepth")
def space_to_depth(at: NodeSite, x: Value, *, blocksize: int, mode: str = "DCR") -> Value:
    channels, height, width = x.shape
    blocks = (channels, height // blocksize, blocksize, width // blocksize, blocksize)
    y = at.view(x, blocks)
    order = [2, 4, 0, 1, 3] if mode == "DCR" else [0, 2, 4, 1, 3]
    return at.reshaped(at.step("transpose", y, out=tuple(blocks[axis] for axis in order), axes=order))


@operator("Trilu")
def triangle(at: NodeSite, x: Value, k: Stored | None = None, *, upper: int = 1) -> Value:
    """Fill the other triangle of the last two axes with zeros."""
    at.axis(-1, len(x.shape))
    at.axis(-2, len(x.shape))
    diagonal = 0 if k is None else int(at.number(k, "k"))
    places = np.ones(x.shape[-2:], np.int64)
    hidden = np.tril(places, diagonal - 1) if upper else np.triu(places, diagonal + 1)
    mask = at.builder.constant(f"{at.name}_mask", hidden, "", whole=True)
    return at.layer("masked_fill", x, mask, value=0.0)
