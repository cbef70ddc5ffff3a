"""Segments: files of batches that are too large for the database, one after the other.

A batch is synced before its row is committed. The blocks of a segment are allocated, and its name is synced,
when it is made; so storing a batch is one sync. A batch that no row names is written over by the next one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from deltawire_service.store.errors import disk_errors
from deltawire_service.store.folders import new_id, opened, sync_folder, write_all

SEGMENT_BYTES = 64 * 2**20


class Stretch(NamedTuple):
    """The place of a batch: its segment, its first byte there, and its bytes."""

    segment: str
    begin: int
    size: int

    @property
    def end(self) -> int:
        """The first byte after it."""
        return self.begin + self.size


def append(folder: Path, last: Stretch | None, parts: Sequence[bytes | memoryview]) -> Stretch:
    """Write a batch behind the last one, for good, or into a new segment. The caller holds the model's lock.

    Args:
        folder: the folder of the model's segments.
        last: the last batch that a row names.
        parts: the bytes of the batch, in pieces that are never joined.

    Raises:
        StoreFull, StoreUnavailable: there is no room, or the disk fails.
    """
    size = sum(map(len, parts))
    with disk_errors():
        if last is None or last.end + size > (folder / last.segment).stat().st_size:
            last = Stretch(_make(folder, max(SEGMENT_BYTES, size)), 0, 0)
        with opened(folder / last.segment, os.O_WRONLY) as descriptor:
            offset = last.end
            for part in parts:
                write_all(descriptor, part, offset)
                offset += len(part)
            os.fdatasync(descriptor)
    return Stretch(last.segment, last.end, size)


def read(folder: Path, stretch: Stretch) -> memoryview:
    """Return a batch, read-only.

    It is read and not mapped: its place in the file is not aligned, and arrays that are not aligned may be
    summed in another order.

    folder: the folder of the model's segments.

    Raises:
        StoreUnavailable: the segment is gone, or the disk fails.
    """
    with disk_errors(), opened(folder / stretch.segment, os.O_RDONLY) as descriptor:
        data, count = memoryview(bytearray(stretch.size)), 0
        while count < stretch.size:
            more = os.preadv(descriptor, [data[count:]], stretch.begin + count)
            if not more:
                raise OSError(f"{stretch} ends beyond its segment")
            count += more
    return data.toreadonly()


def _make(folder: Path, size: int) -> str:
    path = folder / new_id()
    try:
        with opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as descriptor:
            os.posix_fallocate(descriptor, 0, size)
            os.fsync(descriptor)
        sync_folder(folder)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return path.name
