"""The cells of one column of text: which numbers they are, and their numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

import numpy as np

from deltawire.wire import Array
from deltawire_plugins.shown import shown
from deltawire_service.datasets.formats.categories import LONGEST_TEXT, HeldTexts
from deltawire_service.datasets.table import Column

FEW = 256
"""Different numbers after which a column is one of numbers: a text there is an error, and no category."""

MOST_NUMBERS = 100_000
"""Different numbers of all columns together that are held."""

EXACT = 2.0**53
"""The integers below it are all in float64."""

INTEGER = r"[ \t]*+[+-]?[0-9]{1,18}[ \t]*+"
DIGITS = r"(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:e[+-]?[0-9]++)?"
NUMBER = rf"[ \t]*+[+-]?(?:{DIGITS}|nan|inf(?:inity)?)[ \t]*+"
INTEGERS, NUMBERS = (
    re.compile(rf"(?:(?:{cell})?+,)*+(?:{cell})?+", re.I | re.A) for cell in (INTEGER, NUMBER)
)
ONE_NUMBER = re.compile(NUMBER, re.I | re.A)
LONG_INTEGER = re.compile(r"[ \t]*+[+-]?[0-9]{1,19}[ \t]*+", re.A)

GROUPED = re.compile(
    r"[+-]?(?:[1-9][0-9]{0,2}([,.' _\u00a0\u202f])[0-9]{3}(?:\1[0-9]{3})*(?:[.,][0-9]+)?|[0-9]*,[0-9]+)"
)
"""Numbers with thousands apart, all by one mark, or a decimal comma."""

UNITS = " \t\u00a0\u202f$€£¥₩%"
"""What stands around a number that is written otherwise."""

GAPS = frozenset({"-", "--", ".", "?", "#n/a", "n/a", "na", "<na>", "none", "null", "missing"})
"""What other programs write in a cell without a number, in small letters."""


class Misfit(ValueError):
    """Cells do not fit into their column.

    Attributes:
        cells: the cells that do not.
        reason: returns why one of them does not.
    """

    def __init__(self, cells: Collection[str], reason: Callable[[str], str]):
        super().__init__(reason(next(iter(cells))))
        self.cells = cells
        self.reason = reason


class HeldCells:
    """Counts the different cells of all columns that are held in memory: texts, and numbers."""

    def __init__(self) -> None:
        self.texts, self.numbers = HeldTexts(), 0


class CellColumn:
    """A column of cells: first all are examined, then they become numbers.

    Args:
        name: its name.
        held: counts what all columns hold in memory.
        is_text: all its cells are texts, whatever they look like.
    """

    def __init__(self, name: str, held: HeldCells, is_text: bool = False):
        self.name = name
        self._dtype = "int64"
        self._missing = 0
        self._distinct: set[str] | None = set()
        self._is_named_text = self._is_text = is_text
        self._held = held
        self._codes: dict[str, int] = {}

    @property
    def has_many(self) -> bool:
        """True for a column of more different numbers than are held."""
        return self._distinct is None

    @property
    def is_whole(self) -> bool:
        """True as long as all cells were integers."""
        return self._dtype == "int64"

    def examine(self, cells: Sequence[str]) -> None:
        """Look at the next cells.

        Raises:
            Misfit: there is a text among many numbers, or one text too many.
        """
        self.add_missing(cells.count(""))
        self.examine_different(cells if self.has_many else set(cells))

    def add_missing(self, count: int) -> None:
        """Count empty cells."""
        self._missing += count

    def set_float(self) -> None:
        """Note that a cell was no integer."""
        self._dtype = "float64"

    def examine_different(self, cells: Collection[str]) -> None:
        """Look at different cells, in any order. Raises Misfit as `examine` does."""
        new = cells if self._distinct is None else set(cells) - self._distinct
        if new and not self._is_text:
            self._examine_numbers(new)
        if new and self._distinct is not None:
            self._hold(new)

    def described(self) -> Column:
        """Return the column, after all cells were examined.

        Raises:
            Misfit: all its texts are numbers in another spelling, or stand for gaps among numbers.
        """
        if self._is_text:
            assert self._distinct is not None
            if not self._is_named_text:
                self._check_texts(self._distinct)
            texts = tuple(sorted(self._distinct))
            self._codes = {text: code for code, text in enumerate(texts)}
            return Column(self.name, "int64", categories=texts, missing=self._missing)
        if self._missing:
            self._dtype = "float64"
        return Column(self.name, self._dtype, missing=self._missing)

    def numbers(self, cells: Collection[str]) -> Array:
        """Return the numbers of cells. Raises Misfit where float64 does not hold one."""
        if self._is_text:
            return np.fromiter(map(self._codes.__getitem__, cells), np.int64, len(cells))
        if self._dtype == "int64":
            return np.fromiter(map(int, cells), np.int64, len(cells))
        numbers = np.fromiter((float(cell or "nan") for cell in cells), np.float64, len(cells))
        if (np.abs(numbers) >= EXACT).any():
            self._check_exact(cells, numbers)
        return numbers

    def _check_exact(self, cells: Collection[str], numbers: Array) -> None:
        what = f"column {shown(self.name)} is float64, which does not hold"
        for cell, number in zip(cells, numbers.tolist(), strict=True):
            if abs(number) == np.inf and "inf" not in cell.lower():
                raise Misfit([cell], lambda cell: f"{shown(cell)} is out of the range of float64")
            digits = cell.strip(" \t+-").lstrip("0")
            if abs(number) >= EXACT and digits.isdecimal() and int(digits) != abs(int(number)):
                raise Misfit([cell], lambda cell: f"{what} {shown(cell)}")

    def _examine_numbers(self, cells: Collection[str]) -> None:
        if self._dtype == "int64" and not _are_integers(cells):
            self._dtype = "float64"
        if self._dtype == "float64" and not _match(NUMBERS, cells):
            if self._distinct is None:
                texts = {cell for cell in cells if cell and not ONE_NUMBER.fullmatch(cell)}
                what = f"column {shown(self.name)} has numbers, got"
                raise Misfit(texts, lambda cell: f"{what} {shown(cell)}; {self._mend}")
            self._is_text = True
            self._held.numbers -= len(self._distinct)
            self._hold_texts(self._distinct)

    def _hold(self, new: Collection[str]) -> None:
        assert self._distinct is not None
        if self._is_text:
            self._hold_texts(new)
            self._distinct.update(new)
            return
        self._distinct.update(new)
        self._held.numbers += len(new)
        long = max(map(len, new)) > LONGEST_TEXT
        if long or len(self._distinct) > FEW or self._held.numbers > MOST_NUMBERS:
            self._held.numbers -= len(self._distinct)
            self._distinct = None

    def _hold_texts(self, new: Collection[str]) -> None:
        assert self._distinct is not None
        long = {cell for cell in new if len(cell) > LONGEST_TEXT}
        if long:
            what = f"column {shown(self.name)} has a text of more than {LONGEST_TEXT} characters"
            raise Misfit(long, lambda cell: what)
        count = len(self._distinct | set(new))
        if problem := self._held.texts.add(new, count):
            raise Misfit(new, lambda cell: f"column {shown(self.name)} has {problem}")

    def _check_texts(self, texts: set[str]) -> None:
        """Refuse numbers that are written otherwise: as categories they would have no order and no size."""
        others = {text for text in texts if text and not ONE_NUMBER.fullmatch(text)}
        written = {text for text in others if _is_written_otherwise(text)}
        gaps = {text for text in others if text.strip().lower() in GAPS}
        if others != written | gaps or gaps == texts - {""}:
            return  # texts of a language, or nothing but gaps
        if written:
            mend = f"write numbers without separators and signs, and decimals with a point; {self._mend}"
            raise Misfit(written, lambda cell: f"column {shown(self.name)} has {shown(cell)}: {mend}")
        mend = f"leave the cell empty where a number is missing; {self._mend}"
        raise Misfit(gaps, lambda cell: f"column {shown(self.name)} has numbers, and {shown(cell)}: {mend}")

    @property
    def _mend(self) -> str:
        """What the caller does where the cells are texts."""
        return f"if its cells are texts, name it in texts={shown(self.name)}"


def _is_written_otherwise(text: str) -> bool:
    """Return whether a text that is no number is one to another program: `1,5`, `1 000`, `5 %`."""
    bare = text.strip(UNITS)
    return GROUPED.fullmatch(bare) is not None or ONE_NUMBER.fullmatch(bare) is not None


def _are_integers(cells: Collection[str]) -> bool:
    """Return whether all cells are integers of int64, or empty."""
    if _match(INTEGERS, cells):
        return True
    return all(
        LONG_INTEGER.fullmatch(cell) is not None and -(2**63) <= int(cell) < 2**63 for cell in cells if cell
    )


def _match(pattern: re.Pattern[str], cells: Collection[str]) -> bool:
    """Return whether all cells match the pattern of their list. A cell that has a comma is no number."""
    joined = ",".join(cells)
    return joined.count(",") == len(cells) - 1 and pattern.fullmatch(joined) is not None
