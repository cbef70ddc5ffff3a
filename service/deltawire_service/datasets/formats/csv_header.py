"""The first line of a CSV: the names of its columns."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from deltawire_plugins.shown import shown
from deltawire_service.datasets.formats.cells import ONE_NUMBER
from deltawire_service.datasets.formats.csv_lines import Lines, broken, line_offset, read_lines
from deltawire_service.datasets.table import MOST_COLUMNS, refuse

BOM = b"\xef\xbb\xbf"

OTHER_SEPARATORS = {";": "';'", "\t": "tabs", "|": "'|'"}
"""What other programs separate cells by, and how a message names it."""

DIGITS = re.compile(r"[0-9]+", re.A)

COUNTER = re.compile(r"0|[1-9][0-9]{0,8}", re.A)

YEARS = range(1000, 3000)


class Header(NamedTuple):
    """A header.

    Attributes:
        names: the names of the columns, without spaces around them.
        line: the number of the header's last line.
        rows: the bytes after the header.
    """

    names: list[str]
    line: int
    rows: memoryview


def read_header(body: memoryview) -> Header:
    """Return the header of a file.

    Raises:
        Refused: there is none, its cells are separated by something else than commas, it has numbers in
            place of names, or too many columns.
    """
    body = body[len(BOM) :] if body[: len(BOM)] == BOM else body
    before = 0
    for lines in read_lines(body):
        if lines.rows:
            break
        before += len(lines.data)
    else:
        raise refuse("dataset_invalid", "a CSV has a header: a line with the names of its columns")
    names = [name.strip() for name in lines.rows[0]]
    if len(names) > MOST_COLUMNS:
        raise refuse("dataset_invalid", f"{len(names)} columns, at most {MOST_COLUMNS} are allowed")
    line = lines.line_of(0)
    if len(names) == 1:
        _check_separator(lines, line)
    if "" in names:
        _refuse_nameless(names, line)
    _check_names(names, line)
    return Header(names, line, body[before + line_offset(lines.data, line - lines.line) :])


def read_names(text: str) -> list[str]:
    """Return names that are written as in a header, `a,"b,c"`; none for an empty text."""
    rows = csv.reader([text])
    return [name.strip() for name in next(rows, [])]


def _check_separator(lines: Lines, line: int) -> None:
    """Refuse a header of one cell that is several to another program, together with the row after it."""
    header, row = lines.rows[0][0], ",".join(lines.rows[1]) if len(lines.rows) > 1 else ""
    for mark, name in OTHER_SEPARATORS.items():
        if header.count(mark) and (not row or row.count(mark) == header.count(mark)):
            _refuse_separator(line, name, mark)
    parts = row.split()
    if len(parts) > 1 and len(header.split()) == len(parts) and all(map(ONE_NUMBER.fullmatch, parts)):
        _refuse_separator(line, "spaces", r"\s+")


def _refuse_separator(line: int, name: str, mark: str) -> None:
    detail = f"its cells are separated by {name}, expected commas, and decimals with a point"
    raise broken(line, f"{detail}: in Python, pandas.read_csv(path, sep={mark!r}).to_csv(path, index=False)")


def _refuse_nameless(names: Sequence[str], line: int) -> None:
    place = names.index("")
    if place == len(names) - 1 > 0:
        detail = "the header ends in a comma, after which a name is missing: remove the comma from all lines"
    else:
        detail = f"column {place + 1} has no name: write one; pandas leaves its index out with index=False"
    raise broken(line, detail)


def _check_names(names: Sequence[str], line: int) -> None:
    """Refuse a header that looks like a row of numbers.

    Beside other names, digits are one, as in `label,152,153`. All may count up, as 0, 1, 2, or be years.
    """
    numbers = [name for name in names if ONE_NUMBER.fullmatch(name) and name[-1] in ".0123456789"]
    if len(numbers) < len(names) or _counts_up(numbers):
        numbers = [name for name in numbers if not DIGITS.fullmatch(name)]
    if numbers:
        detail = f"the header has the number {shown(numbers[0])} in place of a name"
        raise broken(line, f"{detail}: begin the file with a line of names, such as width,height")


def _counts_up(numbers: Sequence[str]) -> bool:
    if len(numbers) < 2 or not all(map(COUNTER.fullmatch, numbers)):
        return False
    counted = [int(number) for number in numbers]
    if counted == [*range(counted[0], counted[0] + len(counted))] and counted[0] in (0, 1):
        return True
    rising = all(before < after for before, after in pairwise(counted))
    return rising and all(number in YEARS for number in counted)
