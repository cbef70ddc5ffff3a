"""The headers of the pages in a Parquet file: how large each page is, before any of them is decompressed.

The sizes in the footer of a file are not those that its pages are decompressed by. A header is a struct of
Thrift's compact protocol.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

DEEPEST = 4
"""Structs inside each other: a header has three."""

MOST_FIELDS = 32
"""Fields of a struct: a header has eight."""

DELTA_BYTE_ARRAY = 7
"""An encoding of texts by what they share with the one before: few bytes stand for very many."""

FALSE, BYTE, DOUBLE, BINARY, STRUCT = 2, 3, 7, 8, 12
INTEGERS = (4, 5, 6)

SIZES = {BYTE: 1, DOUBLE: 8}
"""Bytes of other numbers, which are left out."""


class PageDamaged(ValueError):
    """A header is damaged, or has what no header has."""


class Page(NamedTuple):
    """A page.

    Attributes:
        size: its bytes, decompressed.
        encoding: the number of its encoding; None for a dictionary.
    """

    size: int
    encoding: int | None


def read_pages(body: memoryview, start: int, end: int) -> Iterator[Page]:
    """Yield the pages of one column in one row group.

    Args:
        body: the file.
        start: the offset of the first page.
        end: the offset after the last page.

    Raises:
        PageDamaged: a header is damaged.
    """
    end = min(end, len(body))
    reader = _Reader(body, start)
    while reader.place < end:
        header = reader.read_struct()
        size, compressed = header.get(2), header.get(3)
        if not isinstance(size, int) or not isinstance(compressed, int) or size < 0 or compressed < 0:
            raise PageDamaged("the header of a page has no sizes")
        # The encoding is the second field of a data page, and the fourth of one of version 2.
        first, second = header.get(5), header.get(8)
        encoding = first.get(2) if isinstance(first, dict) else None
        yield Page(size, second.get(4) if isinstance(second, dict) else encoding)
        reader.place += compressed


class _Reader:
    def __init__(self, body: memoryview, place: int):
        self.place = place
        self._body = body

    def read_struct(self, depth: int = 0) -> dict[int, Any]:
        """Return the fields of a struct by their numbers."""
        fields, number, count = dict[int, Any](), 0, 0
        while kind := self._byte():
            count += 1
            if depth > DEEPEST or count > MOST_FIELDS:
                raise PageDamaged("the header of a page is too large")
            step, kind = kind >> 4, kind & 15
            number = number + step if step else self._integer()
            fields[number] = kind if kind <= FALSE else self._value(kind, depth + 1)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if kind in INTEGERS:
            return self._integer()
        if kind == STRUCT:
            return self.read_struct(depth)
        if kind == BINARY:
            size = self._varint()
        elif kind in SIZES:
            size = SIZES[kind]
        else:
            raise PageDamaged("the header of a page is damaged")
        self.place += size
        return None

    def _byte(self) -> int:
        if self.place >= len(self._body):
            raise PageDamaged("the file ends in the header of a page")
        self.place += 1
        return self._body[self.place - 1]

    def _varint(self) -> int:
        found, byte, shift = 0, 128, 0
        while byte & 128:
            byte = self._byte()
            found |= (byte & 127) << shift
            shift += 7
            if shift > 70:
                raise PageDamaged("the header of a page is damaged")
        return found

    def _integer(self) -> int:
        number = self._varint()
        return number >> 1 ^ -(number & 1)
