"""Programs with the number of their runs, which decides when they are flattened."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import NamedTuple, Self

from deltawire_service.engine.execute.flat.program import FlatProgram
from deltawire_service.engine.execute.flat.runs import most_rows
from deltawire_service.engine.plan.program import Program

FLAT_AFTER = 1
"""Writing and compiling code takes as long as a few runs: it does not pay for a single one."""


class CountedProgram(NamedTuple):
    """A program, and the counter of its runs."""

    program: Program
    runs: Iterator[int]
    most_rows: int
    """For how many examples at most its layers with matrices may be joined to others."""

    @classmethod
    def start(cls, program: Program) -> Self:
        """Return a program that has not run."""
        return cls(program, count(), most_rows(program))

    def rows(self, size: int) -> int:
        """Return for how many examples at most the flat program of a chunk is; 0 for any number.

        It serves up to twice as many as another: fewer programs are kept.

        Args:
            size: the examples of the chunk.
        """
        rows = 1 << (size - 1).bit_length()
        return rows if rows <= self.most_rows else 0


class Flattened(NamedTuple):
    """The result of flattening a program, in a form that caches keep: they keep no None."""

    program: FlatProgram | None
