"""Segments: files of batches that are too large for the database, one after the other.

A batch is synced before its row is committed. It goes to the end of a segment, and is never written over: a
commit that seemed to fail may come to light after a crash, and its row names the batch then.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from deltawire_service.store.errors import disk_errors
from deltawire_service.store.folders import new_id, opened, sync_folder, write_all

SEGMENT_BYTES = 64 * 2**20
"""The length that a segment may have, unless it has one larger batch."""


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
    """Write a batch to the end of the last segment, for good, or into a new segment.

    The caller holds the model's lock.

    Args:
        folder: the folder of the model's segments.
        last: the last batch that a row names.
        parts: the bytes of the batch, in pieces that are never joined.

    Raises:
        StoreFull, StoreUnavailable: there is no room, or the disk fails.
    """
    size = sum(map(len, parts))
    with disk_errors():
        path, begin = _find_place(folder, last, size)
        try:
            _write(path, begin, parts)
        except OSError:
            _remove(path, begin)  # no row will name what was written
            raise
    return Stretch(path.name, begin, size)


def remove_last(folder: Path, stretch: Stretch) -> None:
    """Remove the last batch of a segment, which no row ever named. The caller holds the model's lock.

    Args:
        folder: the folder of the model's segments.
        stretch: the batch.

    Raises:
        StoreUnavailable: the disk fails.
    """
    with disk_errors():
        _remove(folder / stretch.segment, stretch.begin)


def _remove(path: Path, begin: int) -> None:
    if begin:
        os.truncate(path, begin)
    else:
        path.unlink(missing_ok=True)


def _find_place(folder: Path, last: Stretch | None, size: int) -> tuple[Path, int]:
    """Return the segment for a batch, and the first byte there that no batch was ever written to."""
    if last is not None:
        path = folder / last.segment
        begin = max(last.end, path.stat().st_size)
        if begin + size <= SEGMENT_BYTES:
            return path, begin
    return folder / new_id(), 0


def _write(path: Path, begin: int, parts: Sequence[bytes | memoryview]) -> None:
    with opened(path, os.O_WRONLY | os.O_CREAT) as descriptor:
        offset = begin
        for part in parts:
            write_all(descriptor, part, offset)
            offset += len(part)
        os.fdatasync(descriptor)
    if not begin:
        sync_folder(path.parent)


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
