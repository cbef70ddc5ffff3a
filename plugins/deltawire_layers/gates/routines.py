"""Routines: operations on matrices and on single numbers, recorded once, and computed by one call.

Values have a row of numbers for each example, or are parameters and their gradients. Every operation rounds
as numpy does in the layer that it is recorded of: products are those of numpy's own BLAS.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import accumulate
from math import prod
from typing import NamedTuple

import numpy as np

from deltawire_layers.gates.tapes import Operation
from deltawire_layers.layer import Array, Shape
from deltawire_layers.numeric import kernels, sharing

LEAST_SHARED = 2**22
"""Operations on single numbers from which other threads help: some 0.1 ms."""


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
    places: Array
    """(values, 2): where numbers of an example begin, and how many: in the memory, then in a scratch area."""
    kept: int
    """Values in the memory; the others exist for a moment."""
    memory: int
    """Numbers of an example in the memory."""
    scratch: int
    """Numbers of an example in the scratch area."""
    gradients: int
    """Arrays among `made` that are gradients."""
    work: int
    """Operations on single numbers for each example."""

    def empty_memory(self, first: Array) -> Array:
        """Return the memory of a pass, (rows, `memory`). first: an array with a row for each example."""
        return np.empty((len(first), self.memory), first.dtype)

    def compute(self, given: tuple[Array, ...], memory: Array) -> tuple[tuple[Array, ...], bool]:
        """Compute all operations.

        Args:
            given: the arrays that are read, of one dtype.
            memory: written by the routine, or read.

        Returns:
            The arrays made, and whether every number of the gradients among them is finite.

        Raises:
            TypeError: an array lies in Fortran order, which numpy multiplies in another way.
            ValueError: a matrix is multiplied by itself, likewise.
        """
        rows, dtype = len(memory), memory.dtype
        made = tuple([np.empty((rows, *shape) if each else shape, dtype) for shape, each in self.made])
        if not len(self.rows):
            return made, True
        for each in given:
            if not each.flags.forc:
                given = tuple([each if each.flags.forc else np.ascontiguousarray(each) for each in given])
                break
        team = sharing.team.get() if rows * self.work >= LEAST_SHARED else None
        rest = memory, self.places, self.kept, self.scratch, rows, self.gradients, team
        finite: bool = kernels.compiled.routine(self.rows, given, made, *rest)
        return made, finite


class _Area:
    """Gives values places on a line of numbers, each the first that is free."""

    def __init__(self) -> None:
        self.length = 0
        self._taken: dict[int, tuple[int, int]] = {}

    def take(self, value: int, width: int) -> tuple[int, int]:
        """Return where a value begins, and its width."""
        start = 0
        for begin, numbers in sorted(self._taken.values()):
            if begin - start >= width:
                break
            start = begin + numbers
        self._taken[value] = start, width
        self.length = max(self.length, start + width)
        return start, width

    def leave(self, value: int) -> None:
        """Free the place of a value, if it has one."""
        self._taken.pop(value, None)


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
    places = list(zip(accumulate([0, *widths]), widths, strict=False))
    gradients = {value for value in made if not sizes[value].of_example}
    freed = _last_uses(operations, gradients)
    area, rows = _Area(), []
    for place, each in enumerate(operations):
        if each.to not in register:
            register[each.to] = len(given) + len(made) + len(places)
            places.append(area.take(each.to, prod(sizes[each.to].shape)))
        rows.append((_number(each.name), register[each.to], register[each.a], register[each.b]))
        for value in freed[place]:
            area.leave(value)
    arrays = tuple(sizes[value] for value in made)
    return Routine(
        np.array(rows, np.int32).reshape(-1, 4),
        arrays,
        np.array(places, np.int64).reshape(-1, 2),
        len(memory),
        sum(widths),
        area.length,
        len(gradients),
        sum(_work(each, sizes) for each in operations),
    )


def _work(operation: Operation, sizes: Mapping[int, Size]) -> int:
    """Return how many operations on single numbers an operation takes for each example."""
    name, to, a, b = operation
    matrix = {"project": b, "send": b, "outer": to}.get(name, a)
    return prod(sizes[matrix].shape)


def _last_uses(operations: Sequence[Operation], gradients: Collection[int]) -> dict[int, list[int]]:
    """Return the values that nothing uses any more after each operation.

    Another thread may compute a gradient until a number of others are begun.
    """
    begun = [place for place, each in enumerate(operations) if each.to in gradients]
    begun = begun[kernels.compiled.most_left :] + [len(operations)] * kernels.compiled.most_left
    ended, last = iter(begun), dict[int, int]()
    for place, each in enumerate(operations):
        until = next(ended) if each.to in gradients else place
        last.update({value: max(until, last.get(value, 0)) for value in (each.to, each.a, each.b)})
    uses = defaultdict[int, list[int]](list)
    for value, place in last.items():
        uses[place].append(value)
    return uses


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
