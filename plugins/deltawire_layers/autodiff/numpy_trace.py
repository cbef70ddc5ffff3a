"""Trace a function of numpy on a few examples: the shape of its value, its memory and its operations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import isfinite, prod
from typing import Any, NamedTuple

import numpy as np

from deltawire_layers.autodiff.extras import load
from deltawire_layers.autodiff.forward_only import Measures, shape_of_example
from deltawire_layers.autodiff.tapes import follow
from deltawire_layers.layer import CALL, NUMBER, Array, Integers, LayerError, Parameter, Shape, Work

tracer = load("autograd.tracer", "autograd")
core = load("autograd.core", "autograd")
as_tuple = load("autograd.builtins", "autograd").tuple

ROWS = (2, 4)
"""Batches to trace: what grows between them belongs to an example."""

WRITES = re.compile(
    "item assignment|only integer scalar arrays|array element with a sequence|all returned NotImplemented"
)
"""Messages of autograd and numpy where a traced array is written to, or into another one."""

CALLS = 8
"""Calls of numpy that take as long as a traced one, with the reverse pass of its graph."""

PRODUCTS = ("dot", "matmul", "inner", "tensordot", "einsum")
"""Functions that multiply along axes they sum over."""


class Traced(NamedTuple):
    """The measures of one batch.

    shape:      the shape of the value, batch first
    numbers:    numbers of all results on the way
    largest:    numbers of the largest result
    operations: operations of the forward pass
    calls:      traced functions that were called
    """

    shape: Shape
    numbers: int
    largest: int
    operations: int
    calls: int


class Recorder(tracer.Node):  # type: ignore[misc, name-defined]
    """A node of autograd's graph that records the size of every result.

    Args:
        value: the result.
        function: the function of autograd that returned it.
        args: its arguments.
        kwargs: its options.
        argnums: the positions of traced arguments.
        parents: the nodes of those.
    """

    __slots__ = ("found",)

    def __init__(self, value: Any, function: Any, args: Any, kwargs: Any, argnums: Any, parents: Any) -> None:
        if function not in core.primitive_vjps:
            raise LayerError(f"autograd has no derivative of numpy.{function.__name__}")
        self.found: list[tuple[int, int]] = parents[0].found
        size = int(np.size(value))
        operations = NUMBER * size
        if function.__name__ in PRODUCTS:
            arrays = [np.shape(arg) for arg in args if isinstance(arg, np.ndarray)]
            operations += _multiplications(arrays, size)
        self.found.append((size, operations))

    def initialize_root(self, found: list[tuple[int, int]]) -> None:
        """Begin a record."""
        self.found = found


tracer.notrace_primitives[Recorder] = tracer.notrace_primitives[core.VJPNode]  # those of constant slope 0


def _multiplications(shapes: list[Shape], size: int) -> int:
    """Return the multiplications of a product: its longest sum has as many terms as its factors allow."""
    factors = [prod(shape) for shape in shapes if shape]
    if len(factors) < 2 or not size:
        return size
    return int((prod(factors[:2]) * size) ** 0.5)


def traced(
    function: Callable[[Any], Any],
    parameters: Mapping[str, Parameter],
    shapes: tuple[Shape, ...],
    integers: Mapping[int, Integers],
    domain: tuple[float, float],
    name: str,
) -> Measures:
    """Trace a function of (parameters, *inputs), all float32, for inputs of these shapes.

    Args:
        function: takes all arrays as one sequence.
        parameters: the parameters, by name.
        shapes: the shape of one example of each input.
        integers: the positions of inputs that take integers, with the range of each.
        domain: the open interval of the other inputs.
        name: the layer's name, for messages.

    Raises:
        LayerError: the function does not take these shapes, or its value has no batch axis.
    """
    passes = []
    for rows in ROWS:
        usual = np.float32(_inside(domain))
        arrays: list[Array] = [np.broadcast_to(np.float32(0.5), p.shape) for p in parameters.values()]
        for position, shape in enumerate(shapes):
            number = _first(integers[position]) if position in integers else usual
            arrays.append(np.broadcast_to(number, (rows, *shape)))
        passes.append(_pass(function, tuple(arrays), name))
    few, more = passes
    shape = shape_of_example(name, {rows: each.shape for rows, each in zip(ROWS, passes, strict=True)})
    span = ROWS[1] - ROWS[0]
    each = max(0, more.operations - few.operations) // span
    held = more.numbers - few.numbers + 2 * (more.largest - few.largest)  # and two δ of the reverse pass
    saved = -(-max(0, held) // span)
    once = max(0, few.operations - ROWS[0] * each) + CALLS * CALL * few.calls
    return Measures(shape, saved, Work(each=each, once=once))


def _pass(function: Callable[[Any], Any], arrays: tuple[Array, ...], name: str) -> Traced:
    found: list[tuple[int, int]] = []
    try:
        with np.errstate(all="ignore"):
            value, _ = follow(Recorder.new_root(found), function, as_tuple(arrays))
    except LayerError as error:
        raise LayerError(f"{name}: {error}") from error
    except (ValueError, IndexError, TypeError) as error:
        if WRITES.search(str(error)):
            mend = "a forward line writes to no array: compute a new one, as np.where does"
            raise LayerError(f"{name} cannot be traced ({error}): {mend}") from error
        raise LayerError(f"{name} does not take these inputs: {error}") from error
    dtype = np.asarray(tracer.getval(value)).dtype
    if dtype.kind != "f":
        raise LayerError(f"the value of {name} is {dtype}, expected real numbers")
    sizes = [size for size, _ in found]
    operations = sum(operations for _, operations in found)
    return Traced(tuple(np.shape(value)), sum(sizes), max(sizes, default=0), operations, len(found))


def _inside(domain: tuple[float, float]) -> float:
    """Return a number inside an open interval."""
    low, high = domain
    if isfinite(low) and isfinite(high):
        return (low + high) / 2
    if isfinite(low):
        return low + 1
    return high - 1 if isfinite(high) else 0.5


def _first(allowed: Integers) -> np.int64:
    return np.int64((allowed[0] if isinstance(allowed, tuple) else allowed)[0])
