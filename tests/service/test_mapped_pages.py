"""Mapped files are read whole, and their pages leave the process; other memory is left alone."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.memory import MIB, resident

from deltawire_service.mapped_pages import (
    FilePlace,
    MappedFile,
    find_place,
    release_pages,
    released_pieces,
)

THIS = Path("/proc/self")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "numbers"
    np.random.default_rng(0).normal(size=8 * MIB).astype(np.float32).tofile(path)
    return path


@pytest.mark.parametrize("begin", [0, 4, 4096, 5000])
def test_pages_are_released_as_they_are_read(file: Path, begin: int) -> None:
    with file.open("rb") as opened:
        view = memoryview(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))[begin:]
    before = resident(THIS, "RssFile")
    read = bytearray()
    for piece in released_pieces(view):
        assert len(piece) <= MIB
        read += piece
        assert resident(THIS, "RssFile") < before + 8 * MIB  # the system maps 2 MiB at once
    assert read == file.read_bytes()[begin:]


@pytest.mark.parametrize("access", [mmap.ACCESS_READ, mmap.ACCESS_WRITE])
def test_a_released_array_has_the_same_numbers(file: Path, access: int) -> None:
    with file.open("r+b") as opened:
        mapped = mmap.mmap(opened.fileno(), 0, access=access)
    if access == mmap.ACCESS_WRITE:
        mapped[4096:5000] = bytes(904)  # has not been written to the disk yet
    array: Any = np.ndarray((4, 1000, 1000), np.float32, mapped, 100)
    array.flags.writeable = False
    total, before = array.sum(dtype=np.float64), resident(THIS, "RssFile")
    release_pages(array[1:])
    assert resident(THIS, "RssFile") < before - 11 * MIB
    assert array.sum(dtype=np.float64) == total


def test_other_memory_keeps_its_numbers(file: Path) -> None:
    writable = np.memmap(file, np.float32, "c")
    writable[:] = 1
    for array in (np.ones((300, 300)), np.ones(10**6)[::2], np.ones(()), np.ones(0), writable):
        release_pages(array)
        assert (array == 1).all()
    assert b"".join(released_pieces(memoryview(b"abc" * 500), 1000)) == b"abc" * 500
    for array in (np.arange(6.0).reshape(2, 3), np.array(2.0), np.ones(0)):
        assert b"".join(released_pieces(array, 16)) == array.tobytes()
    unaligned = np.ndarray((3,), np.float64, memoryview(bytes(range(25))), 1)
    assert b"".join(released_pieces(unaligned)) == bytes(range(1, 25))


def test_the_place_of_numbers_in_a_file_is_told(file: Path) -> None:
    with file.open("rb") as opened:
        mapped = MappedFile.of(opened.fileno(), file)
    array: Any = np.ndarray((4, 1000, 1000), np.float32, memoryview(mapped), 100)
    assert find_place(array) == FilePlace(file, 100)
    assert find_place(array[1:3]) == FilePlace(file, 100 + 4 * 10**6)
    assert find_place(array[:, 1:]) is None  # its numbers do not lie one after the other
    assert find_place(np.ones(3)) is None
    with file.open("rb") as opened:
        other = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    assert find_place(np.frombuffer(other, np.float32)) is None  # a file whose path nobody knows
