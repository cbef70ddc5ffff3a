"""Translations that several frameworks and operations share."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from operator import itemgetter
from typing import Any

import numpy as np

from deltawire.importers.constants import affine
from deltawire.importers.operands import Shape, Stored, Unbatched, Value
from deltawire.importers.site import Site

LEARNED = {"add": ("shift", "bias"), "multiply": ("scale", "weight")}
"""For a layer of two inputs: the layer that learns one of them, and the local name of that parameter."""


def of_two(at: Site, kind: str, a: Any, b: Any, name: str = "") -> Value:
    """Add a layer of two inputs of one shape; a stored input becomes a parameter or a constant.

    One number that is added, subtracted or multiplied, or divided by, goes into an `affine` layer.

    Args:
        at: The operation.
        kind: The kind of the layer, such as `add`.
        a, b: The inputs: values, stored arrays or numbers.
        name: The name of the node; by default, that of the operation or of a learned parameter.
    """
    out = at.shape()
    for stored, x in ((a, b), (b, a)):
        if not isinstance(stored, Stored) or not stored.trainable or not isinstance(x, Value):
            continue
        alike = x.shape == out and _same_but_for_leading_ones(stored.array.shape, out)
        if kind in LEARNED and alike:
            layer, local = LEARNED[kind]
            named = at.name if stored.name.startswith(f"{at.name}.") else stored.name
            return at.layer(layer, x, params={local: stored.shaped(out)}, name=name or named)
    if (y := affine(at, kind, a, b, name)) is not None:
        return y
    return at.layer(kind, *(operand(at, x, out) for x in (a, b)), name=name)


def _same_but_for_leading_ones(shape: Shape, other: Shape) -> bool:
    """Return True when two shapes differ only in leading axes of size 1."""
    rank = max(len(shape), len(other))
    return (1,) * (rank - len(shape)) + shape == (1,) * (rank - len(other)) + other


def operand(at: Site, x: Any, out: Shape) -> Value:
    """Return an input as a value of a shape: repeated along its axes of size 1, or a new constant.

    Args:
        at: The operation.
        x: A value, a stored array or a number.
        out: The shape of one example.

    Raises:
        Refused: The input does not broadcast to the shape.
    """
    if isinstance(x, Value):
        return _repeated(at, x, x.shape, out)
    if isinstance(x, Stored) and x.kept:
        x = Unbatched(at.learned(x))
    if not isinstance(x, Unbatched):
        return at.constant(x, out)
    shape = x.value.shape
    return _repeated(at, x.value, shape[1:] if shape[:1] == (1,) and len(shape) > len(out) else shape, out)


def _repeated(at: Site, x: Value, shape: Shape, out: Shape) -> Value:
    """Return x in another shape of the same numbers, repeated along axes of size 1.

    Args:
        at: The operation.
        x: The value.
        shape: Its shape without a leading axis of size 1, or the one it has.
        out: The shape of one example of the result.
    """
    try:
        fits = np.broadcast_shapes(shape, out) == out
    except ValueError:
        fits = False
    if not fits:
        at.refuse(f"repeats '{x.name}', {list(shape)}, to {list(out)}: they do not broadcast")
    if x.shape != shape:
        x = at.step("reshape", x, out=shape, shape=shape)
    return x if shape == out else at.step("expand", x, out=out, shape=out)


def linear(at: Site, x: Value, weight: Stored, bias: Stored | None = None) -> Value:
    """Add W x + b; a matrix that may not be learned becomes a constant of a matrix product.

    Where another node learns W alone, the bias is a node of its own.

    Args:
        at: The operation.
        x: The input, (..., inputs).
        weight: W, (units, inputs).
        bias: b, (units,) or with leading axes of size 1; None without one.

    Raises:
        Refused: The shapes of W and b do not fit.
    """
    if len(weight.array.shape) != 2 or (bias is not None and not _is_row(bias, len(weight.array))):
        of = "" if bias is None else f", and {list(bias.array.shape)} as its bias"
        at.refuse(f"expected a matrix, and a number for each of its rows, got {list(weight.array.shape)}{of}")
    units, width = weight.array.shape
    bias = None if bias is None else bias.shaped((units,))
    whole = bias is None or (bias.trainable and at.builder.learns(weight) == at.builder.learns(bias))
    if weight.trainable and whole:
        params = {"weight": weight, "bias": bias}
        return at.layer("linear", x, params=params, units=units, bias=bias is not None)
    out = (*x.shape[:-1], units)
    if weight.trainable:
        y = at.step("linear", x, out=out, params={"weight": weight}, units=units, bias=False)
        return of_two(at, "add", y, bias)
    places = prod(x.shape[:-1])
    rows = x if len(x.shape) == 2 else at.step("reshape", x, out=(places, width), shape=(places, width))
    matrix = at.constant(weight.transposed(), (width, units))
    y = at.step("matmul", rows, matrix, out=(places, units))
    if bias is None:
        return at.reshaped(y) if y.shape != at.shape() else at.layer("identity", y)
    return of_two(at, "add", y if y.shape == out else at.step("reshape", y, out=out, shape=out), bias)


def product(at: Site, a: Any, b: Any) -> Value:
    """Add a product of matrices; their leading axes are repeated to those of the result.

    Args:
        at: The operation.
        a: The first factor, (..., n, k).
        b: The second factor, (..., k, m).

    Raises:
        Refused: A factor is a vector, or belongs to the whole batch.
    """
    ahead = at.shape()[:-2]
    shapes = [_example_shape(at, x) for x in (a, b)]
    if any(len(shape) < 2 for shape in shapes):
        at.refuse(f"expected matrices, got {list(shapes[0])} and {list(shapes[1])}")
    factors = [operand(at, x, (*ahead, *shape[-2:])) for x, shape in zip((a, b), shapes, strict=True)]
    return at.layer("matmul", *factors)


def _example_shape(at: Site, x: Any) -> Shape:
    """Return the shape of one example of a factor; an array has none for a leading axis of size 1."""
    if isinstance(x, Value):
        return x.shape
    shape: Shape = x.value.shape if isinstance(x, Unbatched) else np.shape(getattr(x, "array", x))
    return shape[1:] if at.batched and len(shape) > 2 and shape[0] == 1 else shape


def _is_row(stored: Stored, size: int) -> bool:
    """Return True for an array of shape (size,), or with leading axes of size 1."""
    return stored.array.shape[-1:] == (size,) and stored.array.size == size


def normed(
    at: Site, kind: str, x: Value, *statistics: Value, spread: Shape, weight: Stored | None,
    bias: Stored | None, **config: Any,
) -> Value:  # fmt: skip
    """Add a norm; a scale or an offset that the norm cannot learn becomes a layer after it.

    Args:
        at: The operation.
        kind: The kind of the norm.
        x: The input.
        *statistics: Its other inputs, such as running statistics.
        spread: The shape in which weight and bias broadcast to an example: (C, 1, 1) for an image.
        weight: The scale, as many numbers; None without one.
        bias: The offset, as many numbers; None without one.
        **config: Settings of the layer.
    """
    learned = [one is not None and one.trainable for one in (weight, bias)]
    if all(learned):
        return at.layer(kind, x, *statistics, params={"weight": weight, "bias": bias}, **config)
    if learned[0] and bias is None and kind == "layer_norm":
        return at.layer(kind, x, *statistics, params={"weight": weight}, bias=False, **config)
    if weight is None and bias is None:
        return at.layer(kind, x, *statistics, affine=False, **config)
    y = at.step(kind, x, *statistics, out=x.shape, affine=False, **config)
    if weight is not None:
        last = bias is None
        y = of_two(at, "multiply", y, _along_channels(at, weight, spread), "" if last else f"{at.name}_scale")
    return y if bias is None else of_two(at, "add", y, _along_channels(at, bias, spread))


def scaled_norm(at: Site, x: Value, weight: Stored | None, eps: float) -> Value:
    """Add rms_norm; a scale that may not be learned becomes a layer after it.

    Args:
        at: The operation.
        x: The input, (..., n).
        weight: The scale, (n,); None without one.
        eps: The number added to the mean square.
    """
    if weight is None or weight.trainable:
        return at.layer("rms_norm", x, params={"weight": weight}, eps=eps, affine=weight is not None)
    y = at.step("rms_norm", x, out=x.shape, eps=eps, affine=False)
    return of_two(at, "multiply", y, _along_channels(at, weight, x.shape[-1:]))


def _along_channels(at: Site, stored: Stored, spread: Shape) -> Stored:
    if stored.array.size != prod(spread):
        at.refuse(f"'{stored.name}' is of {list(stored.array.shape)} instead of {list(spread)}")
    return stored.shaped(spread)


def by_channel(x: Value) -> Shape:
    """Return the shape in which one number for each channel broadcasts to an example, (C, 1, ...)."""
    return (x.shape[0], *[1] * (len(x.shape) - 1)) if x.shape else ()


def embedding(at: Site, index: Value | Stored, table: Stored, padding_idx: int | None = None) -> Value:
    """Look up rows of a table.

    Args:
        at: The operation.
        index: Integers: a value, or a stored array, whose rows are the same for all examples.
        table: The parameter, (rows, width).
        padding_idx: The row that is not learned here; None for none.

    Raises:
        Refused: The table is no matrix, or the stored index has no integers.
    """
    if len(table.array.shape) != 2:
        at.refuse(f"expected a table of rows, got {list(table.array.shape)}")
    rows, width = table.array.shape
    settings = {"params": {"weight": table}, "rows": rows, "width": width}
    settings |= {} if padding_idx is None else {"padding_idx": padding_idx}
    if isinstance(index, Value):
        return at.layer("embedding", index, **settings)
    if index.array.dtype.kind not in "iu":
        at.refuse(f"expected whole numbers as the index, got '{index.name}' of {index.array.dtype}")
    inside = index.array[0] if at.batched else index.array
    places = inside % rows  # ONNX counts negative ones from the end
    where = at.builder.constant(f"{at.name}_index", places, index.name, whole=True)
    return at.layer("embedding", where, out=(*places.shape, width), **settings)


def part(at: Site, x: Value, axis: int, start: int | None, stop: int | None) -> Value:
    """Slice x along an axis; return x itself when the slice is the whole axis.

    Args:
        at: The operation.
        x: The value.
        axis: The axis of an example, 0 or more.
        start, stop: The bounds, as those of a Python slice.
    """
    first, last, _ = slice(start, stop).indices(x.shape[axis])
    if (first, last) == (0, x.shape[axis]):
        return x
    shape = (*x.shape[:axis], last - first, *x.shape[axis + 1 :])
    return at.step("slice", x, out=shape, axis=axis, start=first, stop=last)


def parts(at: Site, x: Value, axis: int) -> tuple[Value, ...]:
    """Split x along an axis into parts of the sizes that the results have.

    Args:
        at: The operation, which has one result for each part.
        x: The value.
        axis: The axis of an example, 0 or more.
    """
    cut: list[Value] = []
    start = 0
    for place in range(len(at.results[0])):
        stop = start + at.shape(itemgetter(place))[axis]
        cut.append(part(at, x, axis, start, stop))
        start = stop
    return tuple(cut)


def along(at: Site, kind: str, x: Value, axis: int) -> Value:
    """Add a layer that works along the last axis; transpose before and after for another axis.

    Args:
        at: The operation.
        kind: The kind of the layer, such as `softmax`.
        x: The value.
        axis: The axis of an example, 0 or more.
    """
    last = len(x.shape) - 1
    if axis == last:
        return at.layer(kind, x)
    order = [*range(axis), last, *range(axis + 1, last), axis]
    turned = at.step("transpose", x, out=tuple(x.shape[i] for i in order), axes=order)
    return at.layer("transpose", at.step(kind, turned, out=turned.shape), axes=order)


def reduced(at: Site, kind: str, x: Value, axes: Iterable[int], **config: Any) -> Value:
    """Add a reduction along some axes; the result drops them or keeps them with size 1.

    Args:
        at: The operation.
        kind: `sum`, `mean`, `max` or another kind that reduces axes.
        x: The value.
        axes: The axes of an example, 0 or more each.
        **config: Further settings of the layer.
    """
    gone = sorted(set(axes))
    shape = tuple(size for axis, size in enumerate(x.shape) if axis not in gone)
    single = kind in ("max", "min")
    if single and len(gone) > 1:
        x, gone = _joined_axes(at, x, gone), [len(shape)]
    settings = config | ({"axis": gone[0]} if single else {"axes": gone})
    if shape == at.shape():
        return at.layer(kind, x, **settings)
    return at.reshaped(at.step(kind, x, out=shape, **settings))


def _joined_axes(at: Site, x: Value, axes: list[int]) -> Value:
    """Join some axes of x to one, the last.

    A single max along the joined axis splits a tie equally; several in sequence would not.
    """
    others = [axis for axis in range(len(x.shape)) if axis not in axes]
    order = [*others, *axes]
    if order != list(range(len(x.shape))):
        x = at.step("transpose", x, out=tuple(x.shape[axis] for axis in order), axes=order)
    shape = (*x.shape[: len(others)], prod(x.shape[len(others) :]))
    kind = "flatten" if len(shape) == 1 else "reshape"
    config = {} if kind == "flatten" else {"shape": shape}
    return at.step(kind, x, out=shape, **config)
