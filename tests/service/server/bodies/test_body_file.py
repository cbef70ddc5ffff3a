"""Bodies in files: whole, read-only, without a name, and with their room reserved."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltawire_service.server.bodies.body_file import BodyFile
from deltawire_service.store.errors import StoreFull, StoreUnavailable

BODY = np.random.default_rng(0).bytes(200_000)


def test_what_was_written_is_mapped(tmp_path: Path) -> None:
    file = BodyFile(tmp_path / "uploads", len(BODY))
    for start in range(0, len(BODY), 70_000):
        file.append(memoryview(BODY)[start : start + 70_000])
    mapped = file.map()
    assert mapped == BODY and mapped.readonly
    assert os.listdir(tmp_path / "uploads") == []
    file.close()
    assert mapped == BODY  # the mapping has the file


def descriptors(folder: Path) -> list[str]:
    """The descriptors of this process for files in a folder, or that were there."""
    links = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
    return [link for link in links if os.path.islink(link) and os.readlink(link).startswith(str(folder))]


def test_its_room_is_reserved_at_once(tmp_path: Path) -> None:
    file = BodyFile(tmp_path, 2**20)
    (descriptor,) = descriptors(tmp_path)
    assert os.stat(descriptor).st_blocks * 512 >= 2**20
    file.close()
    assert descriptors(tmp_path) == []


def test_some_of_the_disk_stays_free(tmp_path: Path) -> None:
    disk = os.statvfs(tmp_path)
    free = disk.f_bavail * disk.f_frsize
    BodyFile(tmp_path, 2**20, free // 2).close()
    with pytest.raises(StoreFull):
        BodyFile(tmp_path, 2**20, free)
    assert descriptors(tmp_path) == []


@pytest.mark.parametrize(
    "number, error",
    [
        (errno.ENOSPC, StoreFull),
        (errno.EDQUOT, StoreFull),
        (errno.EIO, StoreUnavailable),
        (errno.EROFS, StoreUnavailable),
    ],
)
@pytest.mark.parametrize("call", ["posix_fallocate", "pwrite"])
def test_errors_of_the_disk_have_codes(
    number: int, error: type[Exception], call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> None:
        raise OSError(number, "of the disk")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(error):
        file = BodyFile(tmp_path, 10)
        try:
            file.append(memoryview(b"0123456789"))
        finally:
            file.close()
    assert descriptors(tmp_path) == []


def test_a_missing_folder_is_no_crash(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        BodyFile(tmp_path / "gone" / "uploads", 10)
