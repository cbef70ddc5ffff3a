"""The columns of a dataset in memory: rows of them become arrays of the dtype that an input needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from deltawire.errors import Fault, Refused
from deltawire.wire import Array
from deltawire_plugins.shown import shown
from deltawire_service.datasets.table import Column

PIECE = 2**16
"""Numbers that are converted at once."""

Rows = slice | Array
"""Rows of a dataset: `slice(start, stop)`, or their indices as an int64 array, with order and repeats."""


class Columns(Mapping[str, Column]):
    """The columns of a dataset by name. Shared between threads.

    Args:
        columns: what they are.
        arrays: their numbers by name, read-only views of the file.
        rows: number of rows.
    """

    def __init__(self, columns: tuple[Column, ...], arrays: Mapping[str, Array], rows: int):
        self.rows = rows
        self._columns = {column.name: column for column in columns}
        self._arrays = arrays

    def __getitem__(self, name: str) -> Column:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def gather(self, column: str, rows: Rows, dtype: str, pointer: str = "/data") -> Array:
        """Return rows of a column as a read-only array, (rows, *shape).

        A range is a view of the file where the column has the dtype; all else is copied.

        Args:
            column: the name of the column.
            rows: the rows; all are there.
            dtype: the dtype that is needed: float32, float64 or int64.
            pointer: the place of the input that needs it, as a JSON pointer.

        Raises:
            Refused: a number of a row has no equal in the dtype: an integer that a float does not hold, a
                float that is not whole, or one out of range. Floats are rounded to float32.
        """
        numbers = self._arrays[column]
        same = numbers.dtype == np.dtype(dtype)
        if isinstance(rows, slice) and same:
            chosen = numbers[rows]
        else:
            taken = numbers[rows] if isinstance(rows, slice) else np.take(numbers, rows, axis=0)
            chosen = _converted(taken, dtype, column, rows, pointer)
        view = chosen.view()
        view.flags.writeable = False
        return view


def _converted(numbers: Array, dtype: str, column: str, rows: Rows, pointer: str) -> Array:
    """Return numbers in another dtype. Raises Refused at the first row that has no equal there."""
    target = np.dtype(dtype)
    if numbers.dtype == target:
        return numbers
    converted = np.empty(numbers.shape, target)
    per_row = max(1, numbers[:1].size)
    step = max(1, PIECE // per_row)
    for start in range(0, len(numbers), step):
        piece = numbers[start : start + step]
        with np.errstate(over="ignore", invalid="ignore"):
            made = piece.astype(target)
            wrong = differs(piece, made)
        if wrong.any():
            place = int(np.argmax(wrong.reshape(len(piece), -1).any(axis=1)))
            value = piece[place][wrong[place]].reshape(-1)[0] if piece.ndim > 1 else piece[place]
            raise _unequal(column, row_number(rows, start + place), value, dtype, pointer)
        converted[start : start + step] = made
    return converted


def differs(numbers: Array, made: Array) -> Array:
    """Return where converted numbers are not those that they were made of, up to rounding to float32."""
    found: Array
    if made.dtype.kind == "i":
        found = ~((np.trunc(numbers) == numbers) & (numbers >= -(2.0**63)) & (numbers < 2.0**63))
    elif numbers.dtype.kind == "i":
        # The largest int64 becomes 2^63, which no int64 is: it may not be cast back.
        with np.errstate(invalid="ignore"):
            found = (made >= 2.0**63) | (made.astype(np.int64) != numbers)
    else:
        found = np.isinf(made) & np.isfinite(numbers)
    return found


def row_number(rows: Rows, place: int) -> int:
    """Return the number of a row in its dataset. place: its place among the rows that were taken."""
    return (rows.start or 0) + place if isinstance(rows, slice) else int(rows[place])


def _unequal(column: str, row: int, number: Array, dtype: str, pointer: str) -> Refused:
    what = f"column {shown(column)} has {number.item()!r} in row {row}"
    if dtype == "int64":
        code, reason = "dtype_mismatch", "this input takes integers"
    elif number.dtype.kind == "i":
        code, reason = "dtype_mismatch", f"{dtype} does not hold this integer"
    else:
        code, reason = "tensor_invalid", f"it is out of the range of {dtype}"
    return Refused([Fault(pointer, code, f"{what}: {reason}")])
