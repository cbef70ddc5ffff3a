"""Faults of a batch of rows: they name the row and the column of the dataset, where the caller named it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from deltawire.errors import Fault, Refused
from deltawire.wire import Array
from deltawire_plugins.shown import shown
from deltawire_service.datasets.columns import row_number
from deltawire_service.datasets.rows import RowsReference


@contextmanager
def naming_rows(rows: RowsReference, arrays: Mapping[str, Array], pointer: str) -> Iterator[None]:
    """Have refusals of a batch point to `columns/x` in place of `/data/x`, and name the row and the column.

    Args:
        rows: the rows of the batch.
        arrays: the batch by input; empty while it is read.
        pointer: the place in the request of what names the rows, as a JSON pointer.

    Raises:
        Refused: the block has raised it.
    """
    try:
        yield
    except Refused as refused:
        faults = [_name_row(fault, rows, arrays, pointer) for fault in refused.faults]
        raise refused.with_faults(faults) from refused


def _name_row(fault: Fault, rows: RowsReference, arrays: Mapping[str, Array], pointer: str) -> Fault:
    _, first, name, *_ = [*fault.pointer.split("/"), "", ""]
    if first != "data" or not name:
        return fault
    detail = fault.detail
    if name in arrays and (place := _find_place(fault, f"/data/{name}", arrays[name])):
        source = rows.sources[name]
        column = source if isinstance(source, str) else source[place[-1]]
        row = row_number(rows.rows, place[0])
        detail += f"; it is in row {row} of the dataset, in column {shown(column)}"
    return replace(fault, pointer=f"{pointer}/columns/{name}", detail=detail)


def _find_place(fault: Fault, pointer: str, array: Array) -> tuple[int, ...]:
    """Return the place of the number that a fault is about, () where it is not about a number of the array.

    Args:
        fault: the fault.
        pointer: that of the array.
        array: the array.
    """
    if fault.pointer.startswith(f"{pointer}/"):
        return tuple(map(int, fault.pointer.removeprefix(f"{pointer}/").split("/")))
    if fault.pointer == pointer and fault.code == "non_finite":
        return tuple(np.argwhere(~np.isfinite(array))[0].tolist())
    return ()
