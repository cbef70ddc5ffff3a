"""Trace a jax function: the shape of its value, the memory of both passes, its operations, and its draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any, NamedTuple

from deltawire_layers.autodiff.extras import load
from deltawire_layers.autodiff.forward_only import Measures, shape_of_example
from deltawire_layers.layer import CALL, NUMBER, LayerError, Work

jax = load("jax", "jax")

ROWS = (2, 4)
"""Batches to trace: what grows between them belongs to an example."""

CALLS = 100
"""Calls of numpy that take as long as a call of a compiled program."""

ITEMSIZE = 4
"""Bytes of a number of float32, in which memory is counted."""

DRAWS = ("random_bits", "rng_bit_generator", "rng_uniform", "threefry2x32")
"""Operations that draw random numbers."""


class Traced(NamedTuple):
    """The measures of one batch.

    shape:      the shape of the value, batch first
    operations: operations of the forward pass
    peak:       the most bytes that both passes hold at once, without fusing any
    draws:      the shapes of random numbers
    """

    shape: tuple[int, ...]
    operations: int
    peak: int
    draws: list[tuple[int, ...]]


def measured(name: str, trace: Callable[[int], Traced], padding: float) -> Measures:
    """Return what a layer declares, from traces of two batches.

    Args:
        name: the layer's name, for messages.
        trace: traces a batch of so many rows.
        padding: the greatest factor by which rows are added to a batch.

    Raises:
        LayerError: the value has no batch axis, or random numbers are drawn for each example.
    """
    few, more = (trace(rows) for rows in ROWS)
    shape = shape_of_example(name, dict(zip(ROWS, (few.shape, more.shape), strict=True)))
    if few.draws != more.draws:
        mend = "multiply by a mask that is an input (docs/write-a-layer.md)"
        raise LayerError(f"{name} draws random numbers for each example, which then depend on others: {mend}")
    span = ROWS[1] - ROWS[0]
    each = max(0, more.operations - few.operations) // span
    saved = -int(-padding * max(0, more.peak - few.peak) // (span * ITEMSIZE))
    once = max(0, few.operations - ROWS[0] * each) + CALLS * CALL
    return Measures(shape, saved, Work(each=each, once=once))


def operations(jaxpr: Any) -> int:
    """Return the operations of a program: multiplications of products, and numbers written."""
    total = 0
    for eqn in jaxpr.eqns:
        size = sum(prod(v.aval.shape) for v in eqn.outvars)
        inner = sum(operations(body) for body in _bodies(eqn))
        if inner:
            total += inner * eqn.params.get("length", 1)
        elif eqn.primitive.name == "dot_general":
            (axes, _), _ = eqn.params["dimension_numbers"]
            total += size * prod(eqn.invars[0].aval.shape[axis] for axis in axes)
        elif eqn.primitive.name == "conv_general_dilated":
            kernel = eqn.invars[1].aval.shape
            total += size * prod(kernel) // kernel[eqn.params["dimension_numbers"].rhs_spec[0]]
        else:
            total += NUMBER * size
    return total


def peak(jaxpr: Any) -> int:
    """Return the most bytes that a program holds at once besides its arguments, when nothing is fused."""
    last: dict[Any, int] = {}
    for place, eqn in enumerate(jaxpr.eqns):
        last |= {v: place for v in eqn.invars if not hasattr(v, "val")}
    last |= {v: len(jaxpr.eqns) for v in jaxpr.outvars if not hasattr(v, "val")}
    live = most = 0
    sizes: dict[Any, int] = {}
    for place, eqn in enumerate(jaxpr.eqns):
        for v in eqn.outvars:
            sizes[v] = _bytes(v)
            live += sizes[v]
        most = max(most, live + sum(peak(body) for body in _bodies(eqn)))
        for v in {*eqn.outvars, *(v for v in eqn.invars if not hasattr(v, "val"))}:
            if last.get(v, -1) <= place:
                live -= sizes.pop(v, 0)
    return most


def draws(jaxpr: Any) -> list[tuple[int, ...]]:
    """Return the shapes of all random numbers that a program draws."""
    found = []
    for eqn in jaxpr.eqns:
        if eqn.primitive.name in DRAWS:
            found += [tuple(v.aval.shape) for v in eqn.outvars]
        for body in _bodies(eqn):
            found += draws(body)
    return found


def _bytes(v: Any) -> int:
    itemsize: int = getattr(v.aval.dtype, "itemsize", ITEMSIZE)
    return int(prod(v.aval.shape)) * itemsize


def _bodies(eqn: Any) -> Iterator[Any]:
    """Yield the programs inside an operation: of loops, branches and compiled functions."""
    for value in eqn.params.values():
        for item in value if isinstance(value, tuple | list) else (value,):
            body = getattr(item, "jaxpr", item)
            if hasattr(body, "eqns"):
                yield body
