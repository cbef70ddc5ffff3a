"""Translate torch's functions that rearrange, slice, join or reduce axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltawire.importers import steps
from deltawire.importers.arguments import Harmless, Shown
from deltawire.importers.operands import Reduced, Shape, Stored, Unbatched, Value
from deltawire.importers.reductions import over_batch
from deltawire.importers.site import Site, described
from deltawire.importers.torch_fx.functions import function


@function("view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "_unsafe_view")
def reshape(at: Site, x: Value) -> Value:
    return at.reshaped(x)


@function("expand", "expand_as", "broadcast_to")
def expand(at: Site, x: Value | Unbatched | Stored) -> Value:
    return steps.operand(at, x, at.shape())


@function("permute")
def permute(at: Site, x: Value, *dims: Any) -> Value:
    order = dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims
    rank = len(x.shape)
    if at.batched and order[0] % (rank + 1) != 0:
        at.refuse("moves the batch away from the leading axis")
    return at.layer("transpose", x, axes=[at.axis(dim, rank) for dim in order[at.batched :]])


@function("transpose", "swapaxes", "swapdims")
def transpose(at: Site, x: Value, dim0: int, dim1: int) -> Value:
    first, second = at.axis(dim0, len(x.shape)), at.axis(dim1, len(x.shape))
    order = list(range(len(x.shape)))
    order[first], order[second] = second, first
    return at.layer("transpose", x, axes=order)


@function("t", "T")
def matrix(at: Site, x: Value) -> Value:
    return transpose(at, x, 0, 1)


@function("mT")
def matrix_transpose(at: Site, x: Value) -> Value:
    return transpose(at, x, -2, -1)


@function("getattr")
def attribute(at: Site, x: Value, name: str) -> Value:
    if name != "mT":
        at.refuse(f"no layer does '{name}'")
    return matrix_transpose(at, x)


@function("cat", "concat", "concatenate")
def cat(at: Site, tensors: list[Any], dim: int = 0) -> Value:
    rank = len(at.shape())
    axis = at.axis(dim, rank)
    values = [_part_of(at, x, axis) for x in tensors if _has_numbers(x)]
    return at.layer("concat", *values, axis=axis)


def _part_of(at: Site, x: Any, axis: int) -> Value:
    """Return one of the tensors to join: a value, or an array repeated for each example.

    Args:
        at: The operation.
        x: The tensor.
        axis: The axis of an example along which they are joined.
    """
    if isinstance(x, Value):
        return x
    array = x.value.shape if isinstance(x, Unbatched) else np.shape(getattr(x, "array", x))
    shape = list(at.shape())
    shape[axis] = array[axis - len(shape)]
    return steps.operand(at, x, tuple(shape))


def _has_numbers(x: Any) -> bool:
    """Return False for an empty array, which torch.cat passes over."""
    return not isinstance(x, Stored) or x.array.size > 0


@function("stack")
def stack(at: Site, tensors: list[Any], dim: int = 0) -> Value:
    out = at.shape()
    axis = at.axis(dim, len(out))
    shape = (*out[:axis], 1, *out[axis + 1 :])
    values = [steps.operand(at, x, out[:axis] + out[axis + 1 :]) for x in tensors]
    columns = [at.step("reshape", x, out=shape, shape=shape) for x in values]
    return at.layer("concat", *columns, axis=axis)


@function("getitem", "__getitem__")
def getitem(at: Site, x: Any, index: Any) -> Any:
    """Slice along each axis; an integer removes its axis, and one array of integers picks places."""
    places = list(index) if isinstance(index, tuple | list) else [index]
    if not isinstance(x, Value):
        at.refuse(f"takes a part of {described(x)}: no layer does this")
    if any(place is Ellipsis for place in places):
        first = next(axis for axis, place in enumerate(places) if place is Ellipsis)
        news = sum(place is None for place in places)
        places[first : first + 1] = [slice(None)] * (len(x.shape) + at.batched + 1 - len(places) + news)
    if at.batched and (not places or not isinstance(places[0], slice) or places[0] != slice(None)):
        at.refuse("takes some of the examples: an index begins with the whole batch, ':'")
    axis = 0
    for step in places[at.batched :]:
        if step is None:
            continue
        if isinstance(step, Stored) and _is_lookup(step) and sum(isinstance(p, Stored) for p in places) == 1:
            x = _picked(at, x, step, axis)
            axis += step.array.ndim
            continue
        if isinstance(step, int) and not isinstance(step, bool):
            x = steps.part(at, x, axis, step, step + 1 or None)
        elif isinstance(step, slice) and step.step in (None, 1) and _known(step.start) and _known(step.stop):
            x = steps.part(at, x, axis, step.start, step.stop)
        else:
            at.refuse(f"an index of {step!r:.60}: only whole numbers and slices without a step are expressed")
        axis += 1
    return at.reshaped(x)


def _is_lookup(index: Stored) -> bool:
    return index.array.dtype.kind in "iu"


def _picked(at: Site, x: Value, index: Stored, axis: int) -> Value:
    """Take the places of an axis that a stored index names; its axes replace that one.

    Args:
        at: The operation.
        x: The value.
        index: Integers, of any shape.
        axis: The axis of an example, 0 or more.
    """
    places = at.builder.constant(f"{at.name}_index", index.array % x.shape[axis], index.name, whole=True)
    shape = (*x.shape[:axis], *index.array.shape, *x.shape[axis + 1 :])
    return at.step("take", x, places, out=shape, axis=axis)


@function("gather")
def gather(at: Site, x: Value, dim: int, index: Value | Stored, *, sparse_grad: Harmless = False) -> Value:
    """Take the places along an axis that integers name, row by row; all other axes are equal."""
    axis, out = at.axis(dim, len(x.shape)), at.shape()
    if out[:axis] + out[axis + 1 :] != x.shape[:axis] + x.shape[axis + 1 :]:
        at.refuse(f"takes {list(out)} of {list(x.shape)}: the layer takes places along one axis only")
    if isinstance(index, Stored):
        index = at.constant(index, out, f"{at.name}_index", whole=True)
    return at.layer("take_along_axis", x, index, axis=axis)


@function("index_select")
def index_select(at: Site, x: Value, dim: int, index: Stored) -> Value:
    return _picked(at, x, index, at.axis(dim, len(x.shape)))


def _known(bound: Any) -> bool:
    return bound is None or isinstance(bound, int)


@function("select")
def select(at: Site, x: Value, dim: int, index: int) -> Value:
    return at.reshaped(steps.part(at, x, at.axis(dim, len(x.shape)), index, index + 1 or None))


@function("slice")
def cut(at: Site, x: Value, dim: int = 0, start: int | None = None, end: int | None = None) -> Value:
    if dim == 0 and not start and x.shape == at.shape():
        return x  # torch.export writes ':' of the batch as a slice
    return steps.part(at, x, at.axis(dim, len(x.shape)), start, end)


@function("narrow")
def narrow(at: Site, x: Value, dim: int, start: int, length: int) -> Value:
    axis = at.axis(dim, len(x.shape))
    first = start % x.shape[axis] if start < 0 else start
    return steps.part(at, x, axis, first, first + length)


@function("chunk", "split", "split_with_sizes")
def split(at: Site, x: Value, sizes: Shown, dim: int = 0) -> tuple[Value, ...]:
    return steps.parts(at, x, at.axis(dim, len(x.shape)))


@function("unbind")
def unbind(at: Site, x: Value, dim: int = 0) -> tuple[Value, ...]:
    axis = at.axis(dim, len(x.shape))
    out = x.shape[:axis] + x.shape[axis + 1 :]
    return tuple(
        at.reshaped(steps.part(at, x, axis, place, place + 1), out) for place in range(x.shape[axis])
    )


@function("sum", "mean")
def total(
    at: Site, x: Value, dim: Any = None, keepdim: Shown = False, *, dtype: Shown = None
) -> Value | Reduced:
    if at.batched and dim in (None, (), []):
        return over_batch(at, at.function, x)
    return steps.reduced(at, at.function, x, _axes_of(at, x, dim))


@function("cumsum")
def cumsum(at: Site, x: Value, dim: int, *, dtype: Shown = None) -> Value:
    return at.layer("cumsum", x, axis=at.axis(dim, len(x.shape)))


@function("flip")
def flip(at: Site, x: Value, dims: Any) -> Value:
    return at.layer("flip", x, axes=_axes_of(at, x, dims))


@function("roll")
def roll(at: Site, x: Value, shifts: Any, dims: Any = ()) -> Value:
    axes = _axes_of(at, x, dims)
    return at.layer("roll", x, shifts=[shifts] if isinstance(shifts, int) else shifts, axes=axes)


@function("logsumexp")
def logsumexp(at: Site, x: Value, dim: Any, keepdim: Shown = False) -> Value:
    return steps.reduced(at, "logsumexp", x, _axes_of(at, x, dim))


@function("linalg_vector_norm")
def vector_norm(
    at: Site, x: Value, ord: Any = 2, dim: Any = None, keepdim: Shown = False, *, dtype: Shown = None
) -> Value:
    if ord != 2:
        at.refuse(f"ord={ord}: only the Euclidean norm is expressed")
    return steps.reduced(at, "norm", x, _axes_of(at, x, dim))


@function("amax")
def amax(at: Site, x: Value, dim: Any = (), keepdim: Shown = False) -> Value:
    return steps.reduced(at, "max", x, _axes_of(at, x, dim))


def _axes_of(at: Site, x: Value, dim: Any) -> list[int]:
    """Return the axes of an example to reduce. Raises Refused when the batch is one of them."""
    if dim is None or dim in ((), []):
        if not at.batched:
            return list(range(len(x.shape)))
        at.refuse("reduces the batch too, and examples are independent of each other: name its axes")
    return [at.axis(one, len(x.shape)) for one in ([dim] if isinstance(dim, int) else dim)]


BY_RESULT = frozenset({reshape, expand})
"""Translations defined by the shape of the result; their other arguments may depend on the batch size."""


def sizes(at: Site, value: Any, rank: int, what: str = "an argument") -> Shape:
    """Return one size for each axis from an argument that is one size for all, or one for each.

    Args:
        at: The operation.
        value: An integer, or a sequence of them.
        rank: The number of axes.
        what: The name of the argument, for the error.

    Raises:
        Refused: The argument has no integers.
    """
    given = (value,) if isinstance(value, int) else tuple(value)
    if not all(isinstance(size, int) for size in given):
        at.refuse(f"expected whole numbers as {what}, got {value!r:.60}")
    return given * rank if len(given) == 1 else given
