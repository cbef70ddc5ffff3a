"""Tapes: operations number by number, recorded once, and computed by one call of a compiled kernel.

Values are named by integers while operations are recorded: each operation makes a new one. The kernel
computes all operations on one block of numbers after the other: what lies between stays in the nearest cache.
Every operation rounds as the compiled kernel of its layer does, or the numpy function in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

import numpy as np

from deltawire_layers.deadlines import check_deadline
from deltawire_layers.layer import Array
from deltawire_layers.numeric import kernels, sharing

OPERATIONS = 2**24
"""Operations on single numbers between two looks at the deadline: about 15 ms."""


class Operation(NamedTuple):
    """One operation on every number of one or two values."""

    name: str
    """One of `deltawire_kernels.operations`."""
    to: int
    """The value that it makes."""
    a: int
    b: int
    """The second value that it reads; the first once more where it reads only one."""


class Recorder:
    """Records operations.

    Attributes:
        operations: those recorded since `start`.
    """

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self._numbers = count()

    def new(self) -> int:
        """Return the name of a value that an array will have."""
        return next(self._numbers)

    def record(self, name: str, a: int, b: int | None = None) -> int:
        """Record an operation, and return the value that it makes.

        Args:
            name: one of `deltawire_kernels.operations`.
            a: the first value.
            b: the second value, for operations of two.
        """
        to = self.new()
        self.operations.append(Operation(name, to, a, a if b is None else b))
        return to

    def start(self) -> list[Operation]:
        """Return the operations recorded until now, and record others into a new list."""
        recorded, self.operations = self.operations, []
        return recorded


class Tape(NamedTuple):
    """Operations in the form that the kernel takes."""

    rows: Array
    """(operations, 4): the number of the operation, and the registers to write, and to read."""
    made: int
    """Arrays that it makes."""
    slots: int
    """Values in its memory."""
    scratch: int
    """Values that exist for a moment, at the same time."""
    piece: int
    """Numbers between two looks at the deadline; 0 where there are no operations."""

    def empty_memory(self, first: Array) -> Array:
        """Return the memory of a pass, flat, `slots` times as long as an array. first: one of the arrays."""
        return np.empty(self.slots * first.size, first.dtype)

    def compute(self, given: tuple[Array, ...], memory: Array) -> tuple[tuple[Array, ...], bool]:
        """Compute all operations.

        Args:
            given: the arrays that are read, all of one shape and dtype.
            memory: written by the tape, or read.

        Returns:
            The arrays that they make, and True: there are no gradients among them.
        """
        first = given[0]
        shape, dtype, numbers = first.shape, first.dtype, first.size
        made = tuple([np.empty(shape, dtype) for _ in range(self.made)])
        if not self.piece:
            return made, True
        for each in given:
            if not each.flags.c_contiguous:
                given = tuple(map(np.ascontiguousarray, given))
                break
        rest = self.rows, given, made, memory, self.scratch, numbers
        team, compute = sharing.team.get(), kernels.compiled.tape
        if numbers <= self.piece:
            compute(*rest, 0, numbers, team)
            return made, True
        for start in range(0, numbers, self.piece):
            check_deadline()
            compute(*rest, start, min(numbers, start + self.piece), team)
        return made, True


def make_tape(
    operations: Sequence[Operation], given: Sequence[int], made: Sequence[int], memory: Sequence[int]
) -> Tape:
    """Return recorded operations as a tape.

    Args:
        operations: the operations.
        given: the values that arrays have, in their order.
        made: the values that are returned as arrays.
        memory: the values in the memory.
    """
    register = {value: place for place, value in enumerate([*given, *made, *memory])}
    first, stop = len(register), len(register)
    last = {value: place for place, each in enumerate(operations) for value in (each.to, each.a, each.b)}
    free: list[int] = []
    rows = []
    for place, each in enumerate(operations):
        if each.to not in register:
            if not free:
                free.append(stop)
                stop += 1
            register[each.to] = free.pop()
        rows.append((_number(each.name), register[each.to], register[each.a], register[each.b]))
        for value in {each.to, each.a, each.b}:
            if last[value] == place and register[value] >= first:
                free.append(register[value])
    block = kernels.compiled.block
    piece = max(block, OPERATIONS // len(rows) // block * block) if rows else 0
    numbers = np.array(rows, np.int32).reshape(-1, 4)
    return Tape(numbers, len(made), len(memory), stop - first, piece)


def _number(operation: str) -> int:
    return int(kernels.compiled.operations.index(operation))
