"""Tables of the caller as bodies of an upload: arrays, frames and files."""

from __future__ import annotations

import csv
import io
import mmap
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from deltawire import wire
from deltawire.arrays import as_numbers, to_tensor
from deltawire.connection import Body
from deltawire.errors import Fault, Refused, wrong_argument
from deltawire.wire import Array

CSV = "text/csv"

MEDIA_TYPES = {
    ".safetensors": wire.SAFETENSORS,
    ".npy": "application/x-npy",
    ".csv": CSV,
    ".parquet": "application/vnd.apache.parquet",
}
"""Media types of files, by the end of their names."""


@contextmanager
def open_source(source: Any) -> Iterator[Body]:
    """Return the body of an upload, while its file is open.

    A file is mapped, so that it takes no memory of its own.

    Args:
        source: A path; or arrays by column, a structured array, or a frame of pandas or polars.

    Raises:
        Refused: It is none of these, or a column has neither numbers nor texts.
        OSError: The file cannot be read.
    """
    if not isinstance(source, str | os.PathLike):
        yield body_of(read_columns(source))
        return
    path = Path(source)
    media_type = MEDIA_TYPES.get(path.suffix.lower())
    if media_type is None:
        raise wrong_argument("/source", f"a file that ends in {', '.join(MEDIA_TYPES)}", str(source))
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            raise Refused([Fault("/source", "dataset_invalid", f"{path} is empty")])
        # The mapping goes with its last view, which the transport may still hold after an error.
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    yield Body(media_type, [memoryview(mapped)])


def read_columns(source: Any, argument: str = "source") -> dict[str, Array]:
    """Return the columns of a table in memory: numbers of the dtypes that datasets have, or texts.

    Args:
        source: Arrays by column, a structured array, or a frame of pandas or polars.
        argument: The argument that it was passed as, for messages.

    Raises:
        Refused: It is none of these, or a column has neither numbers nor texts.
    """
    names = _names(source)
    if names is None:
        expected = 'arrays by column, as {"x": X, "y": y}, a structured array or a frame'
        expected += ", or the path of a file" if argument == "source" else ""
        raise wrong_argument(f"/{argument}", expected, source)
    return {str(name): _column(source[name], f"/{argument}/{name}") for name in names}


def _names(source: Any) -> list[Any] | None:
    if isinstance(source, Mapping):
        return [*source]
    if isinstance(source, np.ndarray):
        return None if source.dtype.names is None else [*source.dtype.names]
    frame = hasattr(source, "columns") and hasattr(source, "__getitem__")
    return [*source.columns] if frame else None


def _column(values: Any, pointer: str) -> Array:
    array = np.asarray(values) if not isinstance(values, np.ndarray) else values
    if array.dtype.kind in "UT" or (array.dtype.kind == "O" and any(isinstance(v, str) for v in array.flat)):
        return np.array([None if _is_missing(value) else str(value) for value in array.tolist()], object)
    if array.dtype.kind == "b":
        return array.astype(np.int64)
    if array.dtype.kind == "O":
        values = [np.nan if value is None else value for value in array.tolist()]
    numbers = as_numbers(values, pointer)
    if not isinstance(numbers, np.ndarray):
        dtype = "int64" if np.asarray(numbers).dtype.kind in "iu" else "float64"
        return to_tensor(numbers, dtype, pointer)
    if numbers.dtype.kind in "iu":
        return to_tensor(numbers, "int64", pointer)
    return numbers.astype(np.float32 if numbers.dtype.itemsize <= 4 else np.float64, copy=False)


def _is_missing(value: Any) -> bool:
    return value is None or value != value


def body_of(columns: Mapping[str, Array]) -> Body:
    """Return columns as the body of an upload: CSV where one has texts, else their bits."""
    if any(column.dtype.kind == "O" for column in columns.values()):
        return Body(CSV, [_csv(columns)])
    return Body(wire.SAFETENSORS, wire.encode_in_parts(columns, wire.SAFETENSORS))


def _csv(columns: Mapping[str, Array]) -> bytes:
    """Return columns as CSV, which every number comes back from with its bits."""
    for name, column in columns.items():
        if column.ndim != 1:
            detail = "a table with texts has one number or text in a cell, and no arrays"
            raise Refused([Fault(f"/source/{name}", "shape_invalid", detail)])
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    cells = (column.tolist() for column in columns.values())
    writer.writerows(
        ["" if _is_missing(cell) else repr(cell) if isinstance(cell, float) else cell for cell in row]
        for row in zip(*cells, strict=True)
    )
    return text.getvalue().encode()
