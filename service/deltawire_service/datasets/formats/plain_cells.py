"""Cells without quotation marks, many at once: numpy finds, tells apart and converts them.

Everything here is a short cut. Where it cannot be taken, the rows are read one cell at a time, with the same
results and the same refusals.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from typing import Self

import numpy as np

from deltawire.wire import Array
from deltawire_service.datasets.formats.cells import EXACT, CellColumn

KEY_BYTES = 8
"""The longest cell that fits into an integer, in bytes."""

LONGEST_NUMBER = 64
"""The longest number that is read here, in bytes."""

COMMA, LINE_FEED = b","[0], b"\n"[0]

UNUSUAL = b'"\r\0\x0b\x0c\x1c\x1d\x1e\x1f'
"""Quotation marks, and what numpy takes for spaces or for the end of a line."""

NAN: Array = np.frombuffer(b"nan", np.uint8)

FRACTIONS: Array = np.isin(np.arange(256), [*b".eE"])
"""By byte: whether a number that is no integer may have it."""


class PlainCells:
    """The cells of some whole lines, all of which have the same number of them.

    Args:
        data: the bytes of the lines, UTF-8.
        ends: the place after each cell, (rows, columns).
    """

    def __init__(self, data: bytes, ends: Array):
        self._data = data
        self._bytes: Array = np.frombuffer(data, np.uint8)
        self._ends = ends
        self._starts: Array = np.roll(ends.reshape(-1) + 1, 1).reshape(ends.shape)
        self._starts[0, 0] = 0
        self._lengths = self._ends - self._starts

    @classmethod
    def split(cls, data: bytes, columns: int) -> Self | None:
        """Return the cells of lines; None where they must be read one by one.

        Args:
            data: the bytes of whole lines.
            columns: number of cells in each.
        """
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n")
        if len(data.translate(None, UNUSUAL)) < len(data) or not data.endswith(b"\n"):
            return None
        if columns == 1 and (data.startswith(b"\n") or b"\n\n" in data):
            return None  # an empty line is no cell
        if not data.isascii():
            try:
                data.decode()
            except UnicodeDecodeError:
                return None
        numbers: Array = np.frombuffer(data, np.uint8)
        places = np.flatnonzero((numbers == COMMA) | (numbers == LINE_FEED))
        if places.size % columns:
            return None
        ends: Array = places.reshape(-1, columns)
        is_last: Array = numbers[ends] == LINE_FEED
        if not is_last[:, -1].all() or np.count_nonzero(is_last) != len(ends):
            return None
        return cls(data, ends)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self._ends)

    def missing(self) -> Array:
        """Return how many cells of each column are empty."""
        counts: Array = (self._lengths == 0).sum(axis=0)
        return counts

    def texts(self, place: int) -> list[str]:
        """Return the cells of a column. place: that of the column."""
        starts, ends = self._starts[:, place].tolist(), self._ends[:, place].tolist()
        return [self._data[start:end].decode() for start, end in zip(starts, ends, strict=True)]

    def keys(self, place: int) -> Array | None:
        """Return the bytes of each cell of a column as an integer; None where one is too long.

        place: that of the column.
        """
        longest = int(self._lengths[:, place].max())
        if longest > KEY_BYTES:
            return None
        padded: Array = np.zeros((self.rows, KEY_BYTES), np.uint8)
        padded[:, :longest] = self._bytes_of(place, longest)
        return padded.view("<u8")[:, 0]

    def numbers(self, places: Sequence[int]) -> Array | None:
        """Return the numbers of columns, (rows, places): NaN for an empty cell.

        None where a cell is no number, or one whose digits matter: an integer of 2^53 or more, or one that is
        infinite.

        Args:
            places: those of the columns.
        """
        if not self._data.isascii() and self._is_foreign(places):
            return None
        if self._lengths[:, places].max() > LONGEST_NUMBER:
            return None
        data, gaps = self._data, self._starts[:, places][self._lengths[:, places] == 0]
        if gaps.size:
            data = np.insert(self._bytes, np.repeat(gaps, len(NAN)), np.tile(NAN, gaps.size)).tobytes()
        try:
            found: Array = np.loadtxt(
                StringIO(data.decode(), newline="\n"), delimiter=",", comments=None, ndmin=2, usecols=places
            )
        except ValueError:
            return None
        return None if (np.abs(found) >= EXACT).any() else found

    def is_whole(self, place: int) -> bool:
        """Return whether all numbers of a column are written as integers, `nan` aside. place: its place."""
        longest = int(self._lengths[:, place].max())
        return not FRACTIONS[self._bytes_of(place, longest)].any()

    def _bytes_of(self, place: int, longest: int) -> Array:
        """Return the bytes of the cells of a column, (rows, longest); 0 behind shorter ones."""
        steps = np.arange(longest)
        places = self._starts[:, place, None] + steps
        read = self._bytes[np.minimum(places, self._bytes.size - 1)]
        found: Array = np.where(steps < self._lengths[:, place, None], read, np.uint8(0))
        return found

    def _is_foreign(self, places: Sequence[int]) -> bool:
        """Return whether a column has bytes that are not ASCII, such as spaces that only numpy knows."""
        foreign = np.flatnonzero(self._bytes >= 128)
        columns = np.searchsorted(self._ends.reshape(-1), foreign) % self._ends.shape[1]
        return bool(np.isin(columns, list(places)).any())


class KnownCells:
    """The different cells of a column that have been seen, and the number of each.

    Args:
        column: the column.
    """

    def __init__(self, column: CellColumn):
        self._column = column
        self._examined: Array = np.empty(0, np.uint64)
        self._keys: Array = np.empty(0, np.uint64)
        self._numbers: Array = np.empty(0, np.int64)

    def examine(self, keys: Array) -> None:
        """Examine the cells with these keys. Raises Misfit as the column does."""
        new = _new(keys, self._examined)
        if new.size:
            self._examined = np.union1d(self._examined, new)
            self._column.examine_different(_cells(new))

    def numbers(self, keys: Array) -> Array:
        """Return the numbers of the cells with these keys. Raises Misfit as the column does."""
        new = _new(keys, self._keys)
        if new.size:
            made = self._column.numbers(_cells(new))
            joined = np.concatenate([self._keys, new])
            order = np.argsort(joined)
            self._numbers = np.concatenate([self._numbers.astype(made.dtype), made])[order]
            self._keys = joined[order]
        found: Array = self._numbers[np.searchsorted(self._keys, keys)]
        return found


def _new(keys: Array, known: Array) -> Array:
    """Return the different keys that are not known, sorted."""
    if known.size:
        places = np.minimum(np.searchsorted(known, keys), known.size - 1)
        keys = keys[known[places] != keys]
    return np.unique(keys)


def _cells(keys: Array) -> list[str]:
    """Return the cells with these keys."""
    return [key.to_bytes(KEY_BYTES, "little").rstrip(b"\0").decode() for key in keys.tolist()]
