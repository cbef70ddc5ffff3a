"""Rules about the shapes of inputs that several layers share; each raises a `LayerError` for the caller.

Shapes are those of one example, without the batch axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from deltawire_layers.layer import LayerError, Shape


def equal_shapes(first: Shape, *rest: Shape) -> Shape:
    """Return the shape that all inputs have.

    Raises:
        LayerError: a shape differs from the first; the error names the first input that does.
    """
    for position, shape in enumerate(rest, start=1):
        if shape != first:
            message = f"expected the shape of the first input, {list(first)}, got {list(shape)}"
            raise LayerError(message + _repeated(first, shape), input=position)
    return first


def _repeated(*shapes: Shape) -> str:
    """Return how to repeat an input where numpy would broadcast it; empty for other shapes."""
    sizes = zip_longest(*(reversed(shape) for shape in shapes), fillvalue=1)
    if all(len({*pair} - {1}) <= 1 for pair in sizes):
        return ": nothing broadcasts; repeat an input by reshape and expand"
    return ""


def last_axis(x: Shape, least: int = 0) -> int:
    """Return the size of the last axis of the first input.

    Raises:
        LayerError: there is no axis, or the last one has fewer than `least` places.
    """
    if not x:
        raise LayerError("expected at least one axis, got a single number of shape ()", input=0)
    if x[-1] < least:
        expected = "one place" if least == 1 else f"{least} places"
        raise LayerError(f"expected at least {expected} along the last axis, got {list(x)}", input=0)
    return x[-1]


def axis_index(axis: int, x: Shape) -> int:
    """Return an axis of the first input as an index from 0; a negative one counts from the last.

    Raises:
        LayerError: the shape has no such axis.
    """
    if not -len(x) <= axis < len(x):
        # numpy's axis 0 of a batch is no axis here: who counts it finds the last axis missing.
        beyond = ": the batch is no axis of an example" if axis == len(x) else ""
        raise LayerError(f"axis {axis} does not exist in shape {list(x)}{beyond}", input=0)
    return axis % len(x)


def axis_indices(axes: Sequence[int] | None, x: Shape) -> tuple[int, ...]:
    """Return axes of the first input as indices from 0; None stands for all axes.

    Raises:
        LayerError: an axis does not exist, or is named twice.
    """
    if axes is None:
        return tuple(range(len(x)))
    indices = tuple(axis_index(axis, x) for axis in axes)
    if len(set(indices)) != len(indices):
        raise LayerError(f"axes {axes} name an axis of shape {list(x)} twice", input=0)
    return indices


def without_axes(axes: Sequence[int], x: Shape) -> Shape:
    """Return the shape that is left when these axes, indices from 0, are removed."""
    return tuple(size for axis, size in enumerate(x) if axis not in axes)


def shape_text(*sizes: int | str) -> str:
    """Return an expected shape as an error shows it; a word such as `any` may stand for a size."""
    return f"[{', '.join(map(str, sizes))}]"
