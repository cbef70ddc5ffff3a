"""The file of a dataset: a safetensors file with one tensor for each column, (rows, *shape).

It is written block by block, and mapped where it is read: neither takes memory for all of it. Its bytes
follow from the columns alone, so equal datasets have equal files.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson

from deltawire import wire
from deltawire.wire import Array
from deltawire_service.datasets.statistics import Statistics
from deltawire_service.datasets.table import RESERVED, Column, Table
from deltawire_service.engine import check_deadline
from deltawire_service.mapped_pages import MappedFile, released_pieces
from deltawire_service.store.errors import disk_errors
from deltawire_service.store.folders import opened, sync_folder, write_all

CODES = {"float64": "F64", "float32": "F32", "int64": "I64"}
"""The dtypes of columns, as the file names them."""

LIMITS = replace(wire.DEFAULT, tensor_header_bytes=2**30, tensors=2**30, elements=2**62, rank=64)
"""No bounds: the service wrote the file itself."""


class Written(NamedTuple):
    """A file that is complete and on the disk.

    Attributes:
        dataset_id: its SHA-256, in hex.
        bytes: its length.
        statistics: those of each column, in order, as JSON.
    """

    dataset_id: str
    bytes: int
    statistics: list[dict[str, Any]]


class _Layout(NamedTuple):
    """The header of a file, and where the numbers of each column begin."""

    header: bytes
    begins: dict[str, int]
    size: int


def file_bytes(columns: Sequence[Column], rows: int) -> int:
    """Return the length of the file of a table.

    columns, rows: those of the table.
    """
    return _layout(columns, rows).size


def write_columns(path: Path, table: Table) -> Written:
    """Write a table to a new file, for good.

    The caller makes the folder, and removes it after an error.

    Raises:
        Refused: a block cannot be read.
        StoreFull, StoreUnavailable: there is no room, or the disk fails.
        DeadlineExceeded: it takes longer than the request may.
    """
    layout = _layout(table.columns, table.rows)
    columns = {column.name: column for column in table.columns}
    statistics = {name: Statistics() for name in columns}
    with opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as descriptor:
        with disk_errors():
            # Reserve all blocks first: a full disk is an error before anything is written.
            os.posix_fallocate(descriptor, 0, layout.size)
            write_all(descriptor, layout.header, 0)
        for name, start, numbers in table.blocks():
            check_deadline()
            block = np.ascontiguousarray(numbers, wire.DTYPES[columns[name].dtype])
            statistics[name].add(block)
            with disk_errors():
                place = layout.begins[name] + start * columns[name].row_bytes
                write_all(descriptor, block.reshape(-1).view(np.uint8).data, place)
        with disk_errors():
            os.fsync(descriptor)
    with disk_errors():
        sync_folder(path.parent)
    return Written(digest(path), layout.size, [each.result() for each in statistics.values()])


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hex. Raises StoreUnavailable where it cannot be read."""
    found = hashlib.sha256()
    for piece in released_pieces(_map(path)):
        check_deadline()
        found.update(piece)
    return found.hexdigest()


def map_columns(path: Path) -> dict[str, Array]:
    """Return the columns of a file by name, as read-only views. The file stays mapped as long as one lives.

    Raises:
        StoreUnavailable: the file is gone, or the disk fails.
    """
    return wire.read_checkpoint(_map(path), LIMITS, align=False)


def _map(path: Path) -> memoryview:
    with disk_errors(), opened(path, os.O_RDONLY) as descriptor:
        return memoryview(MappedFile.of(descriptor, path))


def _layout(columns: Sequence[Column], rows: int) -> _Layout:
    header: dict[str, Any] = {}
    categories = {column.name: column.categories for column in columns if column.categories is not None}
    if categories:
        header[RESERVED] = {"categories": orjson.dumps(categories).decode()}
    begins, end = dict[str, int](), 0
    # The widest dtype first, so that all numbers are aligned.
    for column in sorted(columns, key=lambda each: -wire.DTYPES[each.dtype].itemsize):
        begins[column.name], end = end, end + rows * column.row_bytes
    for column in columns:
        begin = begins[column.name]
        header[column.name] = {
            "dtype": CODES[column.dtype],
            "shape": [rows, *column.shape],
            "data_offsets": [begin, begin + rows * column.row_bytes],
        }
    text = orjson.dumps(header)
    text += b" " * (-len(text) % 8)
    before = 8 + len(text)
    begins = {name: before + begin for name, begin in begins.items()}
    return _Layout(len(text).to_bytes(8, "little") + text, begins, before + end)
