"""Snapshots: the parameters and the optimizer state of one version, as a safetensors file.

A snapshot is synced, and so is its name, before a row names it. Its own name is random: a file that no row
names was never finished, or is not needed any more.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from mmap import ACCESS_READ, MADV_DONTNEED, mmap
from pathlib import Path

import numpy as np

from deltawire import wire
from deltawire.wire import Array
from deltawire_service.store.errors import FileMissing, disk_errors
from deltawire_service.store.folders import new_id, opened, sync_folder, write_all

SUFFIX = ".safetensors"
PIECE = 2**20
"""Numbers that are copied at once."""

LIMITS = replace(wire.DEFAULT, tensor_header_bytes=2**30, tensors=2**30, elements=2**62)
"""No bounds: the store wrote the file itself."""


def write_snapshot(folder: Path, arrays: Mapping[str, Array]) -> tuple[str, int]:
    """Write arrays to a new file, for good, and return its name and its length.

    folder: the folder of the model's snapshots.

    Raises:
        StoreFull, StoreUnavailable: there is no room, or the disk fails; the file is removed.
    """
    path = folder / f"{new_id()}{SUFFIX}"
    parts = wire.encode_in_parts(arrays, wire.SAFETENSORS, part="snapshot")
    with disk_errors():
        try:
            with opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as descriptor:
                # Reserve all blocks first: a full disk is an error before anything is written.
                size = sum(map(len, parts))
                os.posix_fallocate(descriptor, 0, size)
                offset = 0
                for part in parts:
                    write_all(descriptor, part, offset)
                    offset += len(part)
                os.fsync(descriptor)
            sync_folder(folder)
        except OSError:
            path.unlink(missing_ok=True)
            raise
    return path.name, size


def read_snapshot(path: Path) -> dict[str, Array]:
    """Return the arrays of a snapshot by name, as read-only views of the file.

    Raises:
        FileMissing: there is no such file.
        StoreUnavailable: the disk fails.
    """
    return wire.read_checkpoint(memoryview(_map(path)), LIMITS)


def load_snapshot(path: Path, arrays: Mapping[str, Array]) -> None:
    """Copy a snapshot into arrays of the same names, shapes and dtypes, each in C order.

    The file takes no more memory than a piece of it, however large it is.

    Raises:
        FileMissing: there is no such file.
        StoreUnavailable: the disk fails.
    """
    memory = _map(path)
    for name, array in wire.read_checkpoint(memoryview(memory), LIMITS).items():
        numbers, copies = array.reshape(-1), arrays[name].reshape(-1)
        for begin in range(0, numbers.size, PIECE):
            np.copyto(copies[begin : begin + PIECE], numbers[begin : begin + PIECE])
            memory.madvise(MADV_DONTNEED)


def _map(path: Path) -> mmap:
    try:
        with disk_errors(), opened(path, os.O_RDONLY) as descriptor:
            return mmap(descriptor, 0, access=ACCESS_READ)
    except FileMissing as error:
        raise FileMissing(f"snapshot {path.name} is missing") from error.__cause__
