"""Files in memory: reading them from one end to the other without keeping their pages."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from deltawire.wire import Array

PIECE_BYTES = 2**20


class MappedFile(mmap.mmap):
    """A file mapped for reading, which tells its path: others can be told where its numbers are."""

    path: Path

    @classmethod
    def of(cls, descriptor: int, path: Path) -> Self:
        """Map a file that is open. path: where it is."""
        mapped = cls(descriptor, 0, access=mmap.ACCESS_READ)
        mapped.path = path
        return mapped


class FilePlace(NamedTuple):
    """The place of numbers in a file, one after the other."""

    path: Path
    begin: int


def released_pieces(view: memoryview | Array, size: int = PIECE_BYTES) -> Iterator[memoryview]:
    """Yield the bytes of contiguous memory in pieces; each one's pages are released after its use.

    Args:
        view: bytes, or an array whose numbers lie one after the other.
        size: bytes of a piece.
    """
    numbers: Array = np.frombuffer(view, np.uint8) if view.nbytes else np.empty(0, np.uint8)
    for start in range(0, numbers.size, size):
        yield numbers[start : start + size].data
        # Once more the piece before: the system may have mapped pages around the first that was read.
        release_pages(numbers[max(0, start - size) : start + size])


def release_pages(array: Array) -> None:
    """Take the pages of an array out of this process's memory, if it is a read-only view of a mapped file.

    They stay in the system's cache, and come back when the array is read again. The file must be mapped as
    shared, or for reading: of a private copy, what was written to it would be lost.
    """
    mapped = _mapped(array)
    if mapped is None:
        return
    start = _begin(array, mapped)
    begin = start - start % mmap.PAGESIZE
    if array.nbytes:
        mapped.madvise(mmap.MADV_DONTNEED, begin, start + array.nbytes - begin)


def find_place(array: Array) -> FilePlace | None:
    """Return the place of an array's numbers in a `MappedFile`; None when it is no read-only view of one."""
    mapped = _mapped(array)
    return FilePlace(mapped.path, _begin(array, mapped)) if isinstance(mapped, MappedFile) else None


def _begin(array: Array, mapped: mmap.mmap) -> int:
    return array.ctypes.data - np.frombuffer(mapped, np.uint8).ctypes.data


def _mapped(array: Array) -> mmap.mmap | None:
    """Return the mapped file that an array is a read-only view of, if it is one."""
    if array.flags.writeable or not array.flags.c_contiguous:
        return None
    base = array.base
    while isinstance(base, np.ndarray | memoryview):
        base = base.base if isinstance(base, np.ndarray) else base.obj
    return base if isinstance(base, mmap.mmap) else None
