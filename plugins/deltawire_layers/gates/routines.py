"""Routines: operations on matrices and on single numbers, recorded once, and computed by one call.

Values have a row of numbers for each example, or are parameters and their gradients. Every operation rounds
as numpy does in the layer that it is recorded of: products are those of numpy's own BLAS.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import NamedTuple

import numpy as np

from deltawire_layers.gates.tapes import Operation
from deltawire_layers.layer import Array, Shape
from deltawire_layers.numeric import kernels


class Size(NamedTuple):
    """The shape of a value."""

    shape: Shape
    """That of one example, or of a parameter or gradient."""
    of_example: bool = True


class Routine(NamedTuple):
    """Operations in the form that the kernel takes."""

    rows: Array
    """(operations, 4): the number of the operation, and the registers to write, and to read."""
    made: tuple[Size, ...]
    """The arrays that it makes; gradients are the last."""
    widths: Array
    """Numbers of an example in the values of the memory, and then in those that exist for a moment."""
    kept: int
    """Values in the memory."""
    memory: int
    """Numbers of an example in them."""
    gradients: int
    """Arrays among `made` that are gradients."""

    def empty_memory(self, first: Array) -> Array:
        """Return the memory of a pass, (rows, `memory`). first: an array with a row for each example."""
        return np.empty((len(first), self.memory), first.dtype)

    def compute(self, given: tuple[Array, ...], memory: Array) -> tuple[tuple[Array, ...], bool]:
        """Compute all operations.

        Args:
            given: the arrays that are read, contiguous, of one dtype.
            memory: written by the routine, or read.

        Returns:
            The arrays made, and whether every number of the gradients among them is finite.

        Raises:
            TypeError: an array is not contiguous.
        """
        rows, dtype = len(memory), memory.dtype
        made = tuple([np.empty((rows, *shape) if each else shape, dtype) for shape, each in self.made])
        if not len(self.rows):
            return made, True
        finite: bool = kernels.compiled.routine(
            self.rows, given, made, memory, self.widths, self.kept, rows, self.gradients
        )
        return made, finite


def make_routine(
    sizes: Mapping[int, Size],
    operations: Sequence[Operation],
    given: Sequence[int],
    made: Sequence[int],
    memory: Sequence[int],
) -> Routine:
    """Return recorded operations as a routine.

    Args:
        sizes: the sizes of all values.
        operations: the operations.
        given: the values that arrays have, in their order.
        made: the values that are returned as arrays, gradients behind the others.
        memory: the values in the memory.
    """
    register = {value: place for place, value in enumerate([*given, *made, *memory])}
    widths = [prod(sizes[value].shape) for value in memory]
    kept, first = len(widths), len(register)
    last = {value: place for place, each in enumerate(operations) for value in (each.to, each.a, each.b)}
    free: dict[int, list[int]] = {}
    rows = []
    for place, each in enumerate(operations):
        if each.to not in register:
            width = prod(sizes[each.to].shape)
            if not free.get(width):
                free[width] = [first + len(widths) - kept]
                widths.append(width)
            register[each.to] = free[width].pop()
        rows.append((_number(each.name), register[each.to], register[each.a], register[each.b]))
        for value in {each.to, each.a, each.b}:
            if last[value] == place and register[value] >= first:
                free[prod(sizes[value].shape)].append(register[value])
    arrays = tuple(sizes[value] for value in made)
    gradients = sum(not each.of_example for each in arrays)
    steps = np.array(rows, np.int32).reshape(-1, 4)
    return Routine(steps, arrays, np.array(widths, np.int32), kept, sum(widths[:kept]), gradients)


def value_sizes(operations: Iterable[Operation], given: Mapping[int, Size]) -> dict[int, Size]:
    """Return the sizes of all values.

    Args:
        operations: what makes them.
        given: the sizes of those that nothing makes.
    """
    sizes = dict(given)
    for name, to, a, b in operations:
        shape, other = sizes[a].shape, sizes[b].shape
        match name:
            case "project":
                sizes[to] = Size(other[:1])
            case "send":
                sizes[to] = Size(other[1:])
            case "outer":
                sizes[to] = Size(shape + other, of_example=False)
            case "sum_rows":
                sizes[to] = Size(shape, of_example=False)
            case _:
                sizes[to] = sizes[a]
    return sizes


def _number(operation: str) -> int:
    single, matrices = kernels.compiled.operations, kernels.compiled.matrix_operations
    return int((*single, *matrices).index(operation))
