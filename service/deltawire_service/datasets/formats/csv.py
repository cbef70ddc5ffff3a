"""Tables as CSV (RFC 4180) with a header: types are inferred, and every refusal names its line.

A file is read twice: for the types, and for the numbers. Neither takes memory for more than some rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from csv import Error, reader
from functools import partial
from io import BufferedReader, RawIOBase

from deltawire.errors import Refused
from deltawire_service.datasets.formats.cells import CellColumn, HeldCells, Misfit
from deltawire_service.datasets.table import MOST_COLUMNS, Block, Table, check_table, refuse
from deltawire_service.engine import check_deadline
from deltawire_service.mapped_pages import released_pieces

BLOCK_CELLS = 2**15
"""Cells that are read at once."""

BLOCK_BYTES = 2**20
"""Bytes after which no more rows are read at once, however few cells they have."""

LINE_BYTES = 2**22
"""The longest line, and the longest row, whose cells may have several lines."""

BOM = b"\xef\xbb\xbf"


def read(body: memoryview) -> Table:
    """Return the table in a file.

    A column of integers is int64, one of other numbers float64, and one of texts int64 with the texts as its
    categories. An empty cell among numbers is NaN. Empty lines are left out.

    Raises:
        Refused: a line is broken, or there is no table.
    """
    names, held, rows = _header(body), HeldCells(), 0
    columns = [CellColumn(name, held) for name in names]
    for start, block in _blocks(body, names):
        for column, cells in zip(columns, block, strict=True):
            with _at_line(body, start):
                column.examine(cells)
        rows = start + len(block[0])
    known = tuple(column.described() for column in columns)
    check_table(known, rows)
    return Table(known, rows, partial(_numbers, body, names, columns))


def _numbers(body: memoryview, names: Sequence[str], columns: Sequence[CellColumn]) -> Iterator[Block]:
    for start, block in _blocks(body, names):
        for column, cells in zip(columns, block, strict=True):
            with _at_line(body, start):
                numbers = column.numbers(cells)
            yield Block(column.name, start, numbers)


class _Lines(RawIOBase):
    """The bytes of a body as a file. The pages of a mapped one are released as they are read."""

    def __init__(self, body: memoryview):
        self._pieces = released_pieces(body[len(BOM) :] if body[: len(BOM)] == BOM else body)
        self._piece = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._piece:
            self._piece = next(self._pieces, self._piece)
        count = min(len(buffer), len(self._piece))
        buffer[:count], self._piece = self._piece[:count], self._piece[count:]
        return count


class _Rows:
    """The rows of a body, the header first. Empty lines are left out."""

    def __init__(self, body: memoryview):
        self._lines = BufferedReader(_Lines(body), 2**16)
        self._reader = reader(self._decoded(), strict=True)
        self._pending = 0

    @property
    def line(self) -> int:
        """The number of the last line that was read, from 1."""
        return self._reader.line_num

    def read(self, most: int) -> list[list[str]]:
        """Return the next rows. Raises Refused at a broken line."""
        rows, self._pending = list[list[str]](), 0
        try:
            for row in filter(None, self._reader):
                rows.append(row)
                if len(rows) == most or self._pending > BLOCK_BYTES:
                    break
        except Error as error:
            raise _broken(self.line, str(error)) from None
        return rows

    def _decoded(self) -> Iterator[str]:
        while line := self._lines.readline(LINE_BYTES + 1):
            self._pending += len(line)
            if len(line) > LINE_BYTES or self._pending > BLOCK_BYTES + LINE_BYTES:
                raise _broken(self.line + 1, f"it has more than {LINE_BYTES} bytes")
            try:
                yield line.decode()
            except UnicodeDecodeError as error:
                raise _broken(self.line + 1, f"it is not UTF-8: {error.reason}") from None


def _header(body: memoryview) -> list[str]:
    header = _Rows(body).read(1)
    if not header:
        raise refuse("dataset_invalid", "a CSV has a header: a line with the names of its columns")
    if len(header[0]) > MOST_COLUMNS:
        raise refuse("dataset_invalid", f"{len(header[0])} columns, at most {MOST_COLUMNS} are allowed")
    return [name.strip() for name in header[0]]


def _blocks(body: memoryview, names: Sequence[str]) -> Iterator[tuple[int, list[tuple[str, ...]]]]:
    """Yield the first row of each block, and the block's cells by column."""
    rows, start = _Rows(body), 0
    rows.read(1)
    while block := rows.read(max(1, BLOCK_CELLS // len(names))):
        check_deadline()
        for place, row in enumerate(block):
            if len(row) != len(names):
                detail = f"expected {len(names)} cells, as in the header, got {len(row)}"
                raise _broken(_line(body, start + place), detail)
        yield start, list(zip(*block, strict=True))
        start += len(block)


@contextmanager
def _at_line(body: memoryview, start: int) -> Iterator[None]:
    """Turn the misfit of a cell into the refusal of its line. start: the row of the first cell."""
    try:
        yield
    except Misfit as error:
        raise _broken(_line(body, start + error.place), str(error)) from None


def _line(body: memoryview, row: int) -> int:
    """Return the number of the line where a row ends. The file is read once more, up to there."""
    rows = _Rows(body)
    rows.read(1)
    while row >= 0:
        row -= len(rows.read(min(row + 1, BLOCK_CELLS)))
    return rows.line


def _broken(line: int, reason: str) -> Refused:
    return refuse("dataset_invalid", f"line {line}: {reason}")
