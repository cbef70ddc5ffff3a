"""Tables of arrays that lie in a body: some rows of one column at a time, without a copy of the whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from deltawire.wire import Array
from deltawire_plugins.shown import shown
from deltawire_service.datasets.table import Block, CheckTable, Column, Table, refuse
from deltawire_service.mapped_pages import release_pages

BLOCK_BYTES = 2**20

DTYPES = {
    **dict.fromkeys(("float16", "float32"), "float32"),
    "float64": "float64",
    **dict.fromkeys(("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"), "int64"),
}
"""The dtypes of columns by numpy's dtypes: each holds all their numbers."""


def column_dtype(name: str, dtype: np.dtype[Any]) -> str:
    """Return the dtype of a column that holds all numbers of another dtype.

    Args:
        name: the name of the column.
        dtype: of its numbers as they come.

    Raises:
        Refused: there is none.
    """
    found = DTYPES.get(dtype.name)
    if found is None:
        known = "float16, float32, float64, bool, int8 to int64, uint8 to uint32"
        raise refuse("dataset_invalid", f"column {shown(name)} is {dtype.name}: expected {known}")
    return found


def make_table(body: memoryview, arrays: Mapping[str, Array], check: CheckTable) -> Table:
    """Return the table of arrays.

    Args:
        body: the memory that they are views of. The pages of a mapped file are released as they are read.
        arrays: the arrays by column, (rows, *shape).
        check: checks the columns.

    Raises:
        Refused: they are no table.
    """
    for name, array in arrays.items():
        if not array.ndim:
            raise refuse("dataset_invalid", f"column {shown(name)} is one number: expected one for each row")
    counts = {name: len(array) for name, array in arrays.items()}
    if len(set(counts.values())) > 1:
        lengths = ", ".join(f"{shown(name)} {count}" for name, count in [*counts.items()][:8])
        raise refuse("dataset_invalid", f"columns have the same number of rows, got {lengths}")
    rows = next(iter(counts.values()), 0)
    columns = tuple(
        Column(name, column_dtype(name, array.dtype), array.shape[1:]) for name, array in arrays.items()
    )
    check(columns, rows)
    return Table(columns, rows, partial(_blocks, body, arrays, columns, rows))


def _blocks(
    body: memoryview, arrays: Mapping[str, Array], columns: tuple[Column, ...], rows: int
) -> Iterator[Block]:
    pages: Array = np.frombuffer(body, np.uint8)
    for column in columns:
        array, step = arrays[column.name], max(1, BLOCK_BYTES // column.row_bytes)
        for start in range(0, rows, step):
            yield Block(column.name, start, array[start : start + step].astype(column.dtype, copy=False))
            release_pages(pages)
