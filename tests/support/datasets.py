"""Tables and datasets, without HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from support.models import OWNER, step

from deltawire.wire import Array
from deltawire_service.datasets.column_file import map_columns, write_columns
from deltawire_service.datasets.columns import Columns
from deltawire_service.datasets.rows import input_dtypes, read_reference, resolve_rows
from deltawire_service.datasets.table import Block, CheckTable, Column, Table
from deltawire_service.models.model_store import ModelStore


def make_table(arrays: Mapping[str, Array], at_once: int = 3) -> Table:
    """A table of arrays, some rows at a time."""
    columns = tuple(Column(name, array.dtype.name, array.shape[1:]) for name, array in arrays.items())
    rows = len(next(iter(arrays.values())))
    blocks = [
        Block(name, start, array[start : start + at_once])
        for start in range(0, rows, at_once)
        for name, array in arrays.items()
    ]
    return Table(columns, rows, lambda: blocks)


def table_reader(arrays: Mapping[str, Array]) -> Callable[[CheckTable], Table]:
    """What `put` reads a table with: one of arrays."""

    def read(check: CheckTable) -> Table:
        table = make_table(arrays)
        check(table.columns, table.rows)
        return table

    return read


def make_columns(folder: Path, arrays: Mapping[str, Array]) -> Columns:
    """The columns of a file with these arrays."""
    table, path = make_table(arrays), folder / "columns.safetensors"
    write_columns(path, table)
    return Columns(table.columns, map_columns(path), table.rows)


def step_on_rows(store: ModelStore, document: dict[str, Any], name: str = "model", **options: Any) -> Any:
    """Take a step on rows of the dataset `table`, as a document names them."""
    row = store.datasets.find(OWNER, "table")
    columns = store.datasets.open(row)
    inputs = input_dtypes(store.network_of(store.find(OWNER, name)), "float64")
    rows = resolve_rows(read_reference({"dataset": "table", **document}), row, columns, inputs)
    arrays = {f"data/{each}": array for each, array in rows.gather(columns, inputs).items()}
    return step(store, 0, name, arrays=arrays, rows=rows, **options)


def gathered(table: Table) -> dict[str, Array]:
    """The arrays of a table, its blocks put together in their order."""
    arrays = {c.name: np.full((table.rows, *c.shape), -77, c.dtype) for c in table.columns}
    filled = dict.fromkeys(arrays, 0)
    for name, start, numbers in table.blocks():
        assert start == filled[name] and numbers.dtype == arrays[name].dtype
        arrays[name][start : start + len(numbers)] = numbers
        filled[name] += len(numbers)
    assert set(filled.values()) == {table.rows}
    return arrays
