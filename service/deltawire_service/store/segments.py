"""Segments: files of batches that are too large for the database, one after the other.

A batch is synced before its row is committed. The blocks of a segment are allocated, and its name is synced,
when it is made; so storing a batch is one sync. A batch that no row names is written over by the next one.
"""

from __future__ import annotations

import os
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


def append(folder: Path, last: Stretch | None, data: bytes) -> Stretch:
    """Write a batch behind the last one, for good, or into a new segment. The caller holds the model's lock.

    Args:
        folder: the folder of the model's segments.
        last: the last batch that a row names.
        data: the batch.

    Raises:
        StoreFull, StoreUnavailable: there is no room, or the disk fails.
    """
    with disk_errors():
        if last is None or last.end + len(data) > (folder / last.segment).stat().st_size:
            last = Stretch(_make(folder, max(SEGMENT_BYTES, len(data))), 0, 0)
        with opened(folder / last.segment, os.O_WRONLY) as descriptor:
            write_all(descriptor, data, last.end)
            os.fdatasync(descriptor)
    return Stretch(last.segment, last.end, len(data))


def read(folder: Path, stretch: Stretch) -> bytes:
    """Return a batch.

    folder: the folder of the model's segments.

    Raises:
        StoreUnavailable: the segment is gone, or the disk fails.
    """
    with disk_errors(), opened(folder / stretch.segment, os.O_RDONLY) as descriptor:
        data = bytearray()
        while len(data) < stretch.size:
            more = os.pread(descriptor, stretch.size - len(data), stretch.begin + len(data))
            if not more:
                raise OSError(f"{stretch} ends beyond its segment")
            data += more
    return bytes(data)


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
