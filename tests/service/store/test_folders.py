"""The folder of the store."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deltawire_service.store.errors import StoreUnavailable
from deltawire_service.store.folders import PARTS, StoreFolder, new_id, opened, remove_unnamed, write_all


def test_a_folder_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    folder = StoreFolder(tmp_path / "a" / "store")
    for _ in range(2):
        folder.prepare()
    model = folder.make_model(new_id())
    assert sorted(os.listdir(model.path)) == sorted([*PARTS, "lock"])
    assert all(path.stat().st_mode & 0o077 == 0 for path in (model.path, model.lock, folder.write_lock))
    folder.remove_model(model.path.name)
    assert not os.listdir(folder.models)


def test_a_place_that_is_no_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable):
        StoreFolder(tmp_path / "file").prepare()


def test_all_bytes_are_written_also_where_the_system_writes_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, offset: pwrite(fd, data[:3], offset))
    with opened(tmp_path / "file", os.O_WRONLY | os.O_CREAT) as descriptor:
        write_all(descriptor, b"0123456789", 2)
    assert (tmp_path / "file").read_bytes() == b"\0\x000123456789"


def test_files_that_no_row_names_are_removed(tmp_path: Path) -> None:
    for name in ("named", "other"):
        (tmp_path / name).touch()
    remove_unnamed(tmp_path, frozenset(["named", "gone"]))
    assert os.listdir(tmp_path) == ["named"]
