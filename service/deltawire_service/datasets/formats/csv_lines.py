"""The lines of a CSV, some at a time, and the rows in them."""

from __future__ import annotations

from collections.abc import Iterator
from csv import Error, reader
from io import StringIO

from deltawire.errors import Refused
from deltawire_service.datasets.table import refuse
from deltawire_service.engine import check_deadline
from deltawire_service.mapped_pages import released_pieces

PIECE_BYTES = 2**18
"""Bytes that are read at once."""

LINE_BYTES = 2**20
"""The longest line, and about the longest row of several lines."""

OPEN_QUOTE = "unexpected end of data"
LONE_RETURN = "new-line character seen"
"""The beginnings of messages of Python's csv module."""


class Lines:
    """Some whole rows of a file.

    Attributes:
        data: their bytes: those given, without a last row whose quotation marks are not closed.
        line: how many lines of the file are before them.

    Raises:
        Refused: a quotation mark is not where one may be, or the bytes of a line with quotation marks are not
            UTF-8. Other lines are looked at when their rows are needed.
    """

    def __init__(self, data: bytes, line: int):
        self.data = data
        self.line = line
        self._rows: list[list[str]] | None = None
        if b'"' in data:
            self._parse()

    @property
    def rows(self) -> list[list[str]]:
        """The rows, without empty lines. Raises Refused at a line that is broken."""
        if self._rows is None:
            self._parse()
        return self._rows or []

    def line_of(self, row: int) -> int:
        """Return the number of the line in the file where a row ends."""
        lines = reader(StringIO(self._text(), newline="\n"), strict=True)
        for cells in lines:
            row -= bool(cells)
            if row < 0:
                break
        return self.line + lines.line_num

    def _parse(self) -> None:
        lines, whole, self._rows = reader(StringIO(self._text(), newline="\n"), strict=True), 0, []
        try:
            for row in lines:
                whole = lines.line_num
                if row:
                    self._rows.append(row)
        except Error as error:
            reason = str(error)
            if reason == OPEN_QUOTE:
                self.data = self.data[: line_offset(self.data, whole)]
                return
            if reason.startswith(LONE_RETURN):
                reason = "a carriage return is not followed by a line feed: end lines with LF or CRLF"
            raise broken(self.line + lines.line_num, reason) from None

    def _text(self) -> str:
        try:
            return self.data.decode()
        except UnicodeDecodeError as error:
            line = self.line + 1 + self.data[: error.start].count(b"\n")
            raise broken(line, f"it is not UTF-8: {error.reason}; save the file as UTF-8") from None


def read_lines(body: memoryview, line: int = 0) -> Iterator[Lines]:
    """Yield the lines of a file in pieces of whole rows. The pages of a mapped file are released meanwhile.

    Args:
        body: the file, from the beginning of a row.
        line: how many lines of the file are before it.

    Raises:
        Refused: a line is broken, or it, or its row, has more than 1 MiB.
        DeadlineExceeded: the deadline of the request has passed.
    """
    pending = b""
    for piece in released_pieces(body, PIECE_BYTES):
        check_deadline()
        pending += piece
        if end := pending.rfind(b"\n") + 1:
            lines = Lines(pending[:end], line)
            if lines.data:
                yield lines
            line, pending = line + lines.data.count(b"\n"), pending[len(lines.data) :]
        if len(pending) > LINE_BYTES:
            last = line + pending.count(b"\n") + 1
            raise broken(last, f"it, or its row, has more than {LINE_BYTES} bytes")
    if pending:
        lines = Lines(pending, line)
        if lines.data:
            yield lines
        if len(lines.data) < len(pending):
            last = line + pending.removesuffix(b"\n").count(b"\n") + 1
            raise broken(last, "it ends in quotation marks that are not closed")


def line_offset(data: bytes, lines: int) -> int:
    """Return where the line after so many lines begins."""
    return len(data) - len(data.split(b"\n", lines)[-1]) if data.count(b"\n") >= lines else len(data)


def broken(line: int, reason: str) -> Refused:
    """Return the refusal of a line.

    Args:
        line: its number, from 1.
        reason: what is wrong with it.
    """
    return refuse("dataset_invalid", f"line {line}: {reason}")
