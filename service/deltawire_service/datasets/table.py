"""A table on its way into a dataset: what its columns are, and their numbers a block at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

from deltawire import wire
from deltawire.errors import Fault, Refused
from deltawire.wire import Array
from deltawire_plugins.shown import shown

LONGEST_NAME = 128
"""Characters of a column's name."""

MOST_COLUMNS = 10_000

MOST_AXES = 7
"""Axes of a row: a tensor has at most eight, and one of them is that of the rows."""

RESERVED = "__metadata__"
"""A key of the file's header that is no column."""


@dataclass(frozen=True)
class Column:
    """A column of a dataset.

    Attributes:
        name: its name.
        dtype: float32, float64 or int64.
        shape: the shape of one row; empty for a number.
        categories: the texts that the integers of a column stand for, in their order; None for other columns.
        missing: cells that were empty.
    """

    name: str
    dtype: str
    shape: tuple[int, ...] = ()
    categories: tuple[str, ...] | None = None
    missing: int = 0

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return prod(self.shape) * wire.DTYPES[self.dtype].itemsize


CheckTable = Callable[[Sequence["Column"], int], None]
"""Checks columns with so many rows, as `check_table` does. A reader calls it as soon as it knows them."""


class Block(NamedTuple):
    """Some rows of a column: its name, the first row, and the numbers, which have the dtype of the column."""

    column: str
    start: int
    numbers: Array


class Table(NamedTuple):
    """A table that was read as far as its columns are known.

    Attributes:
        columns: its columns in order.
        rows: number of rows.
        blocks: reads the numbers: every row of each column comes once, in the order of the rows.
    """

    columns: tuple[Column, ...]
    rows: int
    blocks: Callable[[], Iterable[Block]]


def refuse(code: str, detail: str) -> Refused:
    """Return the refusal of a body that is no table."""
    return Refused([Fault("", code, detail)])


def check_table(columns: Sequence[Column], rows: int) -> None:
    """Check that columns may be a dataset.

    Args:
        columns: the columns.
        rows: number of rows.

    Raises:
        Refused: there are no rows or columns, or too many columns, or one has a name or a shape that none may
            have.
    """
    names = [column.name for column in columns]
    if not names or not rows:
        raise refuse("dataset_invalid", f"a dataset has columns and rows, got {len(names)} and {rows}")
    if len(names) > MOST_COLUMNS:
        raise refuse("dataset_invalid", f"{len(names)} columns, at most {MOST_COLUMNS} are allowed")
    seen = set[str]()
    for column in columns:
        name = column.name
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or name == RESERVED:
            detail = f"{shown(name)} is no name of a column: 1 to {LONGEST_NAME} printable characters"
            raise refuse("dataset_invalid", detail)
        if name in seen:
            raise refuse("dataset_invalid", f"two columns have the name {shown(name)}")
        seen.add(name)
        if len(column.shape) > MOST_AXES or 0 in column.shape:
            detail = f"the rows of {shown(name)} have shape {list(column.shape)}"
            raise refuse("dataset_invalid", f"{detail}: at most {MOST_AXES} axes, none of size 0")


def describe(column: Column, statistics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the description of a column with its statistics, as JSON."""
    described: dict[str, Any] = {"name": column.name, "dtype": column.dtype, "shape": list(column.shape)}
    if column.categories is not None:
        described["categories"] = list(column.categories)
    return described | {"missing": column.missing, **statistics}


def read_columns(text: str) -> tuple[Column, ...]:
    """Return the columns that the JSON of their descriptions tells of."""
    return tuple(
        Column(
            *(each["name"], each["dtype"], tuple(each["shape"])),
            tuple(each["categories"]) if "categories" in each else None,
            each["missing"],
        )
        for each in json.loads(text)
    )
