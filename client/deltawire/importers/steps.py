"""What several foreign operations come to, in layers."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any

from deltawire.importers.builder import Site, Stored, Value

LEARNED = {"add": ("shift", "bias"), "multiply": ("scale", "weight")}
"""The layer that holds one of two inputs as its parameter, and what it calls it."""


def of_two(at: Site, kind: str, a: Any, b: Any) -> Value:
    """A layer of two inputs of one shape; one that is stored becomes a layer's parameter, or a constant."""
    out = at.shape()
    for stored, x in ((a, b), (b, a)):
        if isinstance(x, Value) and x.shape != out:
            at.refuse(f"stretches examples of {list(x.shape)} to {list(out)}: nothing broadcasts")
        if not isinstance(stored, Stored) or not stored.trainable:
            continue
        if kind in LEARNED and isinstance(x, Value) and stored.array.size == prod(out):
            layer, local = LEARNED[kind]
            named = at.name if stored.name.startswith(f"{at.name}.") else stored.name
            return at.layer(layer, x, params={local: stored.shaped(out)}, name=named)
    return at.layer(kind, *(x if isinstance(x, Value) else at.constant(x, out) for x in (a, b)))


def part(at: Site, x: Value, axis: int, start: int | None, stop: int | None) -> Value:
    """The part of x from start up to stop along an axis of the example; x itself when that is all of it."""
    first, last, _ = slice(start, stop).indices(x.shape[axis])
    if (first, last) == (0, x.shape[axis]):
        return x
    shape = (*x.shape[:axis], last - first, *x.shape[axis + 1 :])
    return at.step("slice", x, out=shape, axis=axis, start=first, stop=last)


def parts(at: Site, x: Value, axis: int) -> tuple[Value, ...]:
    """x cut along an axis into parts as wide as the results."""
    found: list[Value] = []
    start = 0
    for place in range(len(at.results[0])):
        stop = start + at.results[0][place].shape[axis + 1]
        found.append(part(at, x, axis, start, stop))
        start = stop
    return tuple(found)


def along(at: Site, kind: str, x: Value, axis: int) -> Value:
    """A layer that works along the last axis, along another one: the two change places, and back."""
    last = len(x.shape) - 1
    if axis == last:
        return at.layer(kind, x)
    order = [*range(axis), last, *range(axis + 1, last), axis]
    turned = at.step("transpose", x, out=tuple(x.shape[i] for i in order), axes=order)
    return at.layer("transpose", at.step(kind, turned, out=turned.shape), axes=order)


def reduced(at: Site, kind: str, x: Value, axes: Iterable[int]) -> Value:
    """sum, mean or max along some axes of the example, which the result has not, or of size 1."""
    gone = sorted(axes, reverse=True)
    if kind == "max":
        for axis in gone:
            x = at.step("max", x, out=x.shape[:axis] + x.shape[axis + 1 :], axis=axis)
        return at.reshaped(x)
    shape = tuple(size for axis, size in enumerate(x.shape) if axis not in gone)
    if shape == at.shape():
        return at.layer(kind, x, axes=gone[::-1])
    return at.reshaped(at.step(kind, x, out=shape, axes=gone[::-1]))
