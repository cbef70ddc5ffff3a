"""Work in pieces, which the threads of a request may share.

Shapes alone decide where sums are cut, so the bits are the same for any number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any

from deltawire_layers.deadlines import check_deadline
from deltawire_layers.layer import Array

MOST_PIECES = 16
"""Pieces that threads share, at most."""

NUMBERS = 2**16
"""Numbers of a piece of rows, at least: about 0.1 ms."""

Share = Callable[[Sequence[Callable[[], object]]], None]
"""Calls each of some functions once, perhaps in several threads, and returns when all have returned."""

sharing: ContextVar[Share | None] = ContextVar("sharing", default=None)
"""How the pieces of a product are computed; None: one after the other."""

team: ContextVar[Any] = ContextVar("team", default=None)
"""The `deltawire_kernels.Team` whose threads help kernels; None: nobody does."""


def cuts(length: int, count: int) -> list[slice]:
    """Return so many slices of an axis, as even as they come."""
    return [slice(length * piece // count, length * (piece + 1) // count) for piece in range(count)]


def compute(pieces: Sequence[Callable[[], object]]) -> None:
    """Call functions that compute pieces, in all threads that share them, with a look before each."""
    share = sharing.get()
    if share is not None:
        share([partial(_look_and_call, piece) for piece in pieces])
        return
    for piece in pieces:
        _look_and_call(piece)


def parts(count: int, numbers: int) -> int:
    """Return into how many pieces rows are cut at most, so that each has enough numbers."""
    return max(1, min(count, MOST_PIECES, numbers // NUMBERS))


def rows(count: int, numbers: int, compute_rows: Callable[[slice], object]) -> None:
    """Compute rows that do not depend on each other, in all threads that share them.

    Args:
        count: number of rows.
        numbers: of all rows together.
        compute_rows: computes a slice of them.
    """
    many = 1 if sharing.get() is None else parts(count, numbers)
    if many == 1:
        compute_rows(slice(0, count))
    else:
        compute([partial(compute_rows, piece) for piece in cuts(count, many)])


def over_numbers(function: Callable[..., object], *arrays: Array) -> None:
    """Call a function that computes each number by itself, in all threads that share the numbers.

    Args:
        function: takes the arrays, or the same pieces of all of them.
        arrays: contiguous, of equal shapes.
    """
    many = 1 if sharing.get() is None else parts(arrays[0].size, arrays[0].size)
    if many == 1:  # cutting and reshaping small arrays takes longer than computing them
        function(*arrays)
    else:
        _in_pieces(function, [array.reshape(-1) for array in arrays], many)


def over_rows(function: Callable[..., object], *arrays: Array) -> None:
    """Call a function that computes each row by itself, in all threads that share the rows.

    Args:
        function: takes the arrays, or the same rows of all of them.
        arrays: as many rows each; the first tells how much there is to compute.
    """
    many = 1 if sharing.get() is None else parts(len(arrays[0]), arrays[0].size)
    if many == 1:
        function(*arrays)
    else:
        _in_pieces(function, arrays, many)


def _in_pieces(function: Callable[..., object], arrays: Sequence[Array], many: int) -> None:
    pieces = cuts(len(arrays[0]), many)
    compute([partial(function, *(array[piece] for array in arrays)) for piece in pieces])


def _look_and_call(piece: Callable[[], object]) -> None:
    check_deadline()
    piece()
