"""Names as one text, with sets of its places as integers: a step of a pattern goes through all names at once.

A set of places is an integer with a bit for each. The letters of a name are followed by its end, and that by
a gap. A step takes a few operations on integers that have a bit for each letter of the text. So the time of
a pattern grows with its length alone, and with the text's length only slowly.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from operator import or_


class NamePlaces(dict[str, int]):
    """The places of each letter of some names, found when they are first asked for.

    Attributes:
        starts: the first place of each name.
        ends: the place behind the last letter of each.
        letters: the places of all letters.
    """

    def __init__(self, names: Sequence[str]):
        super().__init__()
        self._names = names
        self._ends = [end - 2 for end in accumulate(len(name) + 2 for name in names)]
        self._text = "".join([name + "\0\0" for name in names])[::-1]  # the lowest bit is the last digit
        self._digits = dict.fromkeys(map(ord, set(self._text)), "0")
        digits, every = bytearray(b"0") * (len(self._text) + 1), (1 << len(self._text)) - 1
        for end in self._ends:
            digits[~end] = ord("1")
        self.ends = int(digits, 2)
        self._gaps = self.ends << 1
        self.starts = (self._gaps << 1 | 1) & every
        self.letters = every ^ self.ends ^ self._gaps
        self._within = self.letters | self.ends

    def __missing__(self, letter: str) -> int:
        found = 0
        if ord(letter) in self._digits:
            found = int(self._text.translate(self._digits | {ord(letter): "1"}), 2) & self.letters
        self[letter] = found
        return found

    def between(self, first: str, last: str) -> int:
        """Return the places of all letters from one to another, both among them."""
        letters, sums = self._sums
        return sums[bisect_left(letters, first)] ^ sums[bisect_right(letters, last)]

    def onward(self, places: int) -> int:
        """Return the places from the first one in each name to its end."""
        # Within a name, gap - places is the two's complement: it adds the bits above the lowest one.
        return (places | (self._gaps - places)) & self._within

    def names_at(self, ends: int) -> set[str]:
        """Return the names that end at some places."""
        digits = f"{ends:0{len(self._text) + 1}b}"
        return {name for name, end in zip(self._names, self._ends, strict=True) if digits[~end] == "1"}

    @cached_property
    def _sums(self) -> tuple[list[str], list[int]]:
        """The letters in order, and for each number of them the places of the first so many."""
        letters = sorted(map(chr, self._digits))
        return letters, list(accumulate((self[letter] for letter in letters), or_, initial=0))
