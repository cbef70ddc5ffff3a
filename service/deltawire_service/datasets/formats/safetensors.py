"""Tables as safetensors files: every tensor is a column, and its first axis is that of the rows."""

from __future__ import annotations

from dataclasses import replace

from deltawire import wire
from deltawire_service.datasets.formats import arrays
from deltawire_service.datasets.table import MOST_COLUMNS, CheckTable, Table

LIMITS = replace(wire.DEFAULT, tensor_header_bytes=2**24, tensors=MOST_COLUMNS, elements=2**48)
"""The numbers are read from the body, a piece at a time: only the header takes memory."""


def read(body: memoryview, check: CheckTable) -> Table:
    """Return the table in a file.

    Args:
        body: the file.
        check: checks the columns before their numbers are read.

    Raises:
        Refused: the file is not well formed, or is no table.
    """
    return arrays.make_table(body, wire.read_checkpoint(body, LIMITS, align=False), check)
