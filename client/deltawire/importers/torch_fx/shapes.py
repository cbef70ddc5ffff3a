"""Translate torch's functions that rearrange, slice, join or reduce axes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from deltawire.importers import steps
from deltawire.importers.arguments import Shown
from deltawire.importers.builder import Rows, Shape, Stored, Value
from deltawire.importers.site import Site, described
from deltawire.importers.torch_fx.functions import function


@function("view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "_unsafe_view")
def reshape(at: Site, x: Value | Rows) -> Value | Rows:
    return steps.with_leading_ones(at, x) if isinstance(x, Rows) else at.reshaped(x)


@function("expand", "expand_as")
def expand(at: Site, x: Value | Rows | Stored) -> Value:
    """Repeat rows or a constant for each example; refuse to repeat along other axes."""
    shape = at.shape()
    if isinstance(x, Stored):
        if x.kept:
            at.refuse(f"repeats {described(x)} for each example: no layer does this")
        return at.constant(x, shape, whole=x.array.dtype.kind in "iu")
    value = x.value if isinstance(x, Rows) else x
    if value.shape != shape:
        at.refuse(f"repeats numbers, from {list(value.shape)} to {list(shape)}: nothing broadcasts")
    return value


@function("permute")
def permute(at: Site, x: Value, *dims: Any) -> Value:
    order = dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims
    rank = len(x.shape)
    if order[0] % (rank + 1) != 0:
        at.refuse("moves the batch away from the leading axis")
    return at.layer("transpose", x, axes=[at.axis(dim, rank) for dim in order[1:]])


@function("transpose", "swapaxes", "swapdims")
def transpose(at: Site, x: Value, dim0: int, dim1: int) -> Value:
    first, second = at.axis(dim0, len(x.shape)), at.axis(dim1, len(x.shape))
    order = list(range(len(x.shape)))
    order[first], order[second] = second, first
    return at.layer("transpose", x, axes=order)


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
    values = _all_computed(at, tensors)
    return at.layer("concat", *values, axis=at.axis(dim, len(values[0].shape)))


@function("stack")
def stack(at: Site, tensors: list[Any], dim: int = 0) -> Value:
    values = _all_computed(at, tensors)
    axis = at.axis(dim, len(values[0].shape) + 1)
    shape = values[0].shape[:axis] + (1,) + values[0].shape[axis:]
    columns = [at.step("reshape", x, out=shape, shape=shape) for x in values]
    return at.layer("concat", *columns, axis=axis)


def _all_computed(at: Site, tensors: Iterable[Any]) -> list[Value]:
    """Return the tensors to join. Raises Refused when one is not computed from the batch."""
    values = list(tensors)
    for value in values:
        if not isinstance(value, Value):
            at.refuse(f"joins {described(value)} to what is computed: no layer does this")
    return values


@function("getitem", "__getitem__")
def getitem(at: Site, x: Any, index: Any) -> Any:
    """Slice along each axis; an integer removes its axis."""
    places = list(index) if isinstance(index, tuple) else [index]
    if isinstance(x, Rows) and all(place is None or isinstance(place, slice | int) for place in places):
        return steps.with_leading_ones(at, x)
    if not isinstance(x, Value):
        at.refuse(f"takes a part of {described(x)}: no layer does this")
    if Ellipsis in places:
        first = places.index(Ellipsis)
        places[first : first + 1] = [slice(None)] * (len(x.shape) + 2 - len(places) + places.count(None))
    if not places or places[0] != slice(None):
        at.refuse("takes some of the examples: an index begins with the whole batch, ':'")
    axis = 0
    for step in places[1:]:
        if step is None:
            continue
        if isinstance(step, int) and not isinstance(step, bool):
            x = steps.part(at, x, axis, step, step + 1 or None)
        elif isinstance(step, slice) and step.step in (None, 1) and _known(step.start) and _known(step.stop):
            x = steps.part(at, x, axis, step.start, step.stop)
        else:
            at.refuse(f"an index of {step!r:.60}: only whole numbers and slices without a step are expressed")
        axis += 1
    return at.reshaped(x)


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


@function("sum", "mean")
def total(at: Site, x: Value, dim: Any = None, keepdim: Shown = False, *, dtype: Shown = None) -> Value:
    return steps.reduced(at, at.function, x, _axes_of(at, x, dim))


@function("amax")
def amax(at: Site, x: Value, dim: Any = (), keepdim: Shown = False) -> Value:
    return steps.reduced(at, "max", x, _axes_of(at, x, dim))


def _axes_of(at: Site, x: Value, dim: Any) -> list[int]:
    """Return the axes of an example to reduce. Raises Refused when the batch is one of them."""
    if dim is None or dim == ():
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
