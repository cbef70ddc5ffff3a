"""Tables as CSV (RFC 4180) with a header: types are inferred, and every refusal names its line.

A file is read twice: for the types, and for the numbers. Neither takes memory for more than some lines.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np

from deltawire.errors import Fault
from deltawire.wire import Array
from deltawire_plugins.shown import shown
from deltawire_service.datasets.formats.cells import CellColumn, HeldCells, Misfit
from deltawire_service.datasets.formats.csv_header import read_header
from deltawire_service.datasets.formats.csv_lines import Lines, broken, read_lines
from deltawire_service.datasets.formats.plain_cells import KnownCells, PlainCells
from deltawire_service.datasets.table import Block, CheckTable, Column, Table
from deltawire_service.faults import Faults, nearest


def read(body: memoryview, check: CheckTable, texts: Collection[str] = ()) -> Table:
    """Return the table in a file.

    A column of integers is int64, one of other numbers float64, and one of texts int64 with the texts as its
    categories. An empty cell among numbers is NaN. Empty lines are left out.

    Args:
        body: the file.
        check: checks the columns before the first row is read, and all when their types are known.
        texts: names of columns whose cells are all texts, whatever they look like.

    Raises:
        Refused: a line is broken, there is no table, or no column has one of the names.
    """
    header, held = read_header(body), HeldCells()
    _check_named(texts, header.names)
    check([Column(name, "int64") for name in header.names], 1)
    columns = [CellColumn(name, held, is_text=name in texts) for name in header.names]
    read_rows = partial(read_lines, header.rows, header.line)
    reading, rows = _Reading(columns), 0
    for lines in read_rows():
        rows += reading.examine(lines)
    described = tuple(_described(column, place, read_rows) for place, column in enumerate(columns))
    check(described, rows)
    return Table(described, rows, lambda: _blocks(columns, read_rows()))


def _check_named(texts: Collection[str], names: Collection[str]) -> None:
    """Refuse names of columns of texts that are in no header."""
    Faults(
        Fault("/texts", "field_invalid", f"there is no column {shown(name)}{nearest(name, names)}")
        for name in texts
        if name not in names
    ).refuse()


def _blocks(columns: list[CellColumn], pieces: Iterator[Lines]) -> Iterator[Block]:
    reading, start = _Reading(columns), 0
    for lines in pieces:
        numbers = reading.numbers(lines)
        for column, block in zip(columns, numbers, strict=True):
            yield Block(column.name, start, block)
        start += len(numbers[0])


class _Reading:
    """One reading of the lines of a file.

    Args:
        columns: its columns, which know what an earlier reading has found.
    """

    def __init__(self, columns: list[CellColumn]):
        self._columns = columns
        self._known = [KnownCells(column) for column in columns]

    def examine(self, lines: Lines) -> int:
        """Examine the next lines, and return how many rows they have. Raises Refused at a broken line."""
        plain = self._read_plain(lines)
        if plain is None:
            cells_by_column = self._split(lines)
            for place, column in enumerate(self._columns):
                with _at_line(lines, place):
                    column.examine(cells_by_column[place])
            return len(cells_by_column[0])
        cells, numbers = plain
        missing = cells.missing()
        for column, count in zip(self._columns, missing.tolist(), strict=True):
            column.add_missing(count)
        for place, found in numbers.items():
            column = self._columns[place]
            if column.is_whole and not (
                cells.is_whole(place) and np.count_nonzero(np.isnan(found)) == missing[place]
            ):
                column.set_float()
        for place, column in enumerate(self._columns):
            if place not in numbers:
                with _at_line(lines, place):
                    if (keys := cells.keys(place)) is None:
                        column.examine_different(set(cells.texts(place)))
                    else:
                        self._known[place].examine(keys)
        return cells.rows

    def numbers(self, lines: Lines) -> list[Array]:
        """Return the numbers of the next lines by column. Raises Refused where float64 does not hold one."""
        plain = self._read_plain(lines)
        if plain is None:
            cells_by_column = self._split(lines)
            found = []
            for place, column in enumerate(self._columns):
                with _at_line(lines, place):
                    found.append(column.numbers(cells_by_column[place]))
            return found
        cells, numbers = plain
        return [
            self._numbers_of(cells, place, lines)
            if place not in numbers
            else numbers[place].astype(np.int64 if column.is_whole else np.float64, copy=False)
            for place, column in enumerate(self._columns)
        ]

    def _numbers_of(self, cells: PlainCells, place: int, lines: Lines) -> Array:
        with _at_line(lines, place):
            if (keys := cells.keys(place)) is None:
                return self._columns[place].numbers(cells.texts(place))
            return self._known[place].numbers(keys)

    def _read_plain(self, lines: Lines) -> tuple[PlainCells, dict[int, Array]] | None:
        """Return the cells of plain lines, and the numbers of columns with many; None for other lines."""
        cells = PlainCells.split(lines.data, len(self._columns))
        if cells is None:
            return None
        many = [place for place, column in enumerate(self._columns) if column.has_many]
        if not many:
            return cells, {}
        numbers = cells.numbers(many)
        return None if numbers is None else (cells, dict(zip(many, numbers.T, strict=True)))

    def _split(self, lines: Lines) -> list[tuple[str, ...]]:
        """Return the cells of lines by column. Raises Refused at a row that has too few or too many."""
        count = len(self._columns)
        for row, cells in enumerate(lines.rows):
            if len(cells) != count:
                detail = f"expected {count} cells, as in the header, got {len(cells)}"
                raise broken(lines.line_of(row), detail)
        return [*zip(*lines.rows, strict=True)] or [()] * count


def _described(column: CellColumn, place: int, read_rows: Callable[[], Iterator[Lines]]) -> Column:
    """Return a column after all lines were examined. Raises Refused at the first text that it cannot have."""
    try:
        return column.described()
    except Misfit as error:
        for lines in read_rows():
            _refuse_first(lines, place, error)
        raise


@contextmanager
def _at_line(lines: Lines, place: int) -> Iterator[None]:
    """Turn the misfit of a cell into the refusal of its line. place: that of the column."""
    try:
        yield
    except Misfit as error:
        _refuse_first(lines, place, error)
        raise


def _refuse_first(lines: Lines, place: int, error: Misfit) -> None:
    """Refuse the first line whose cell does not fit.

    Args:
        lines: the lines.
        place: that of the column.
        error: has the cells that do not fit.
    """
    for row, cells in enumerate(lines.rows):
        if cells[place] in error.cells:
            raise broken(lines.line_of(row), error.reason(cells[place])) from None
