"""Tables as CSV (RFC 4180) with a header: types are inferred, and every refusal names its line.

A file is read twice: for the types, and for the numbers. Neither takes memory for more than some rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from csv import Error, reader
from functools import partial
from io import StringIO
from itertools import chain, islice

from deltawire.errors import Refused
from deltawire_service.datasets.formats.cells import CellColumn, HeldCells, Misfit
from deltawire_service.datasets.table import MOST_COLUMNS, Block, Table, check_table, refuse
from deltawire_service.engine import check_deadline
from deltawire_service.mapped_pages import released_pieces

BLOCK_CELLS = 2**15
"""Cells that are read at once."""

PIECE_BYTES = 2**18
"""Bytes that are decoded at once."""

BLOCK_BYTES = 2**20
"""Bytes after which no more rows are read at once, however few cells they have."""

LINE_BYTES = 2**20
"""The longest line. Rows whose cells have several lines have no more each, where many are read together."""

AT_ONCE = 16
"""Rows that are read before their bytes are looked at."""

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


class _Rows:
    """The rows of a body, the header first. Empty lines are left out."""

    def __init__(self, body: memoryview):
        self._body = body[len(BOM) :] if body[: len(BOM)] == BOM else body
        self._pending = 0
        """Bytes of the rows that are being read."""
        self._reader = reader(chain.from_iterable(self._texts()), strict=True)
        self._rows = filter(None, self._reader)

    @property
    def line(self) -> int:
        """The number of the last line that was read, from 1."""
        return self._reader.line_num

    def read(self, most: int) -> list[list[str]]:
        """Return the next rows.

        Raises:
            Refused: a line is broken.
            DeadlineExceeded: the deadline of the request has passed.
        """
        rows, self._pending = list[list[str]](), 0
        try:
            while len(rows) < most and self._pending <= BLOCK_BYTES:
                more = list(islice(self._rows, min(AT_ONCE, most - len(rows))))
                if not more:
                    break
                rows += more
        except Error as error:
            raise _broken(self.line, str(error)) from None
        return rows

    def _texts(self) -> Iterator[StringIO]:
        """Yield the text in pieces of whole lines. The pages of a mapped body are released meanwhile."""
        rest = b""
        for piece in released_pieces(self._body, PIECE_BYTES):
            check_deadline()  # here, since a row may come after any number of empty lines
            data = rest + piece
            end = data.rfind(b"\n") + 1
            rest = data[end:]
            self._pending += end
            if len(rest) > LINE_BYTES or self._pending > BLOCK_BYTES + AT_ONCE * LINE_BYTES:
                line = self.line + 1 + data[:end].count(b"\n")
                raise _broken(line, f"it, or its row, has more than {LINE_BYTES} bytes")
            yield self._decoded(data[:end])
        yield self._decoded(rest)

    def _decoded(self, data: bytes) -> StringIO:
        try:
            return StringIO(data.decode(), newline="\n")
        except UnicodeDecodeError as error:
            line = self.line + 1 + data[: error.start].count(b"\n")
            raise _broken(line, f"it is not UTF-8: {error.reason}") from None


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
        if set(map(len, block)) != {len(names)}:
            place = next(place for place, row in enumerate(block) if len(row) != len(names))
            detail = f"expected {len(names)} cells, as in the header, got {len(block[place])}"
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
