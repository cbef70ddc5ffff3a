"""The cells of one column of text: which numbers they are, and their numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from deltawire.wire import Array
from deltawire_plugins.shown import shown
from deltawire_service.datasets.table import Column

MOST_CATEGORIES = 10_000
"""Different texts of a column."""

MOST_TEXTS = 100_000
"""Different texts of all columns together."""

FEW = 256
"""Different numbers after which a column is one of numbers: a text there is an error, and no category."""

LONGEST_TEXT = 256
"""Characters of a category. A column with a longer number has no categories, so its cells are not held."""

EXACT = 2.0**53
"""The integers below it are all in float64."""

INTEGER = r"[ \t]*+[+-]?[0-9]{1,18}[ \t]*+"
NUMBER = r"[ \t]*+[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++|nan|inf(?:inity)?)(?:e[+-]?[0-9]++)?[ \t]*+"
INTEGERS, NUMBERS = (
    re.compile(rf"(?:(?:{cell})?+,)*+(?:{cell})?+", re.I | re.A) for cell in (INTEGER, NUMBER)
)
ONE_NUMBER = re.compile(NUMBER, re.I | re.A)
LONG_INTEGER = re.compile(r"[ \t]*+[+-]?[0-9]{1,19}[ \t]*+", re.A)


class Misfit(ValueError):
    """A cell does not fit into its column. place: that of the cell among those that were given."""

    def __init__(self, place: int, reason: str):
        super().__init__(reason)
        self.place = place


class HeldCells:
    """Counts the different cells of all columns that are held in memory: texts, and numbers."""

    def __init__(self) -> None:
        self.texts = self.numbers = 0


class CellColumn:
    """A column of cells: first all are examined, then they become numbers.

    Args:
        name: its name.
        held: counts what all columns hold in memory.
    """

    def __init__(self, name: str, held: HeldCells):
        self.name = name
        self._dtype = "int64"
        self._missing = 0
        self._distinct: set[str] | None = set()
        self._is_text = False
        self._held = held
        self._codes: dict[str, int] = {}

    def examine(self, cells: Sequence[str]) -> None:
        """Look at the next cells. Raises Misfit at a text among numbers, and at one text too many."""
        self._missing += cells.count("")
        if not self._is_text:
            self._examine_numbers(cells)
        if self._distinct is not None:
            self._add_texts(cells)

    def described(self) -> Column:
        """Return the column, after all cells were examined."""
        if self._is_text:
            texts = tuple(sorted(self._distinct or ()))
            self._codes = {text: code for code, text in enumerate(texts)}
            return Column(self.name, "int64", categories=texts, missing=self._missing)
        if self._missing:
            self._dtype = "float64"
        return Column(self.name, self._dtype, missing=self._missing)

    def numbers(self, cells: Sequence[str]) -> Array:
        """Return the numbers of cells. Raises Misfit where float64 does not hold one."""
        if self._is_text:
            return np.fromiter(map(self._codes.__getitem__, cells), np.int64, len(cells))
        if self._dtype == "int64":
            return np.fromiter(map(int, cells), np.int64, len(cells))
        given = [cell or "nan" for cell in cells] if self._missing else cells
        numbers = np.fromiter(map(float, given), np.float64, len(cells))
        for place in np.flatnonzero(np.isinf(numbers)).tolist():
            if "inf" not in cells[place].lower():
                raise Misfit(place, f"{shown(cells[place])} is out of the range of float64")
        for place in np.flatnonzero(np.abs(numbers) >= EXACT).tolist():
            digits = cells[place].strip(" \t+-").lstrip("0")
            if digits.isdecimal() and int(digits) != abs(int(numbers[place])):
                reason = f"column {shown(self.name)} is float64, which does not hold {shown(cells[place])}"
                raise Misfit(place, reason)
        return numbers

    def _examine_numbers(self, cells: Sequence[str]) -> None:
        if self._dtype == "int64" and not _are_integers(cells):
            self._dtype = "float64"
        if self._dtype == "float64" and not _match(NUMBERS, cells):
            if self._distinct is None:
                place = next(i for i, cell in enumerate(cells) if cell and not ONE_NUMBER.fullmatch(cell))
                reason = f"column {shown(self.name)} has numbers, got {shown(cells[place])}"
                raise Misfit(place, reason)
            self._is_text = True

    def _add_texts(self, cells: Sequence[str]) -> None:
        assert self._distinct is not None
        before = len(self._distinct)
        self._distinct.update(cells)
        if not self._is_text:
            self._held.numbers += len(self._distinct) - before
            long = max(map(len, self._distinct), default=0) > LONGEST_TEXT
            if long or len(self._distinct) > FEW or self._held.numbers > MOST_TEXTS:
                self._held.numbers -= len(self._distinct)
                self._distinct = None
            return
        self._held.texts += len(self._distinct) - before
        if len(self._distinct) > MOST_CATEGORIES or self._held.texts > MOST_TEXTS:
            most = f"{MOST_CATEGORIES} in a column, {MOST_TEXTS} in all"
            raise Misfit(
                len(cells) - 1, f"column {shown(self.name)} has too many different texts: at most {most}"
            )
        if max(map(len, self._distinct)) > LONGEST_TEXT:
            place = next(i for i, cell in enumerate(cells) if len(cell) > LONGEST_TEXT)
            reason = f"column {shown(self.name)} has a text of more than {LONGEST_TEXT} characters"
            raise Misfit(place, reason)


def _are_integers(cells: Sequence[str]) -> bool:
    """Return whether all cells are integers of int64, or empty."""
    if _match(INTEGERS, cells):
        return True
    return all(
        LONG_INTEGER.fullmatch(cell) is not None and -(2**63) <= int(cell) < 2**63 for cell in cells if cell
    )


def _match(pattern: re.Pattern[str], cells: Sequence[str]) -> bool:
    """Return whether all cells match the pattern of their list. A cell that has a comma is no number."""
    joined = ",".join(cells)
    return joined.count(",") == len(cells) - 1 and pattern.fullmatch(joined) is not None
