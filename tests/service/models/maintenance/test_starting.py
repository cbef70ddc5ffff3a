"""A folder that cannot be used stops the start; one that can be is prepared before the process forks."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.models import create, open_store

from deltawire_service.app import create_app
from deltawire_service.models.maintenance.starting import StoreUnusable, prepare
from deltawire_service.models.model_store import ModelStore
from deltawire_service.settings import Settings


def test_no_connection_is_open_when_the_process_forks(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=str(tmp_path / "new")))
    assert app.extensions["deltawire"].models
    opened = [link.resolve() for link in Path("/proc/self/fd").iterdir() if link.exists()]
    assert not [path for path in opened if tmp_path in path.parents]


def test_what_dead_processes_have_left_behind_is_removed(store: ModelStore) -> None:
    create(store)
    left = store.folder.make_model("0" * 32)
    prepare(store)
    (kept,) = store.folder.models.iterdir()
    assert not left.path.exists() and list((kept / "slots").iterdir())


def file_in_its_place(folder: Path) -> str:
    folder.write_text("")
    return "Not a directory"


def a_later_version(folder: Path) -> str:
    open_store(folder).close()
    with closing(sqlite3.connect(folder / "database.sqlite3")) as database:
        database.execute("PRAGMA user_version = 1000")
    return "the database has version 1000, .* upgrade deltawire"


def no_database(folder: Path) -> str:
    open_store(folder).close()
    (folder / "database.sqlite3").write_bytes(b"x" * 10_000)
    return "file is not a database"


@pytest.mark.parametrize("spoil", [file_in_its_place, a_later_version, no_database])
def test_a_folder_that_cannot_be_used_stops_the_start(spoil, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path / "store"
    reason = spoil(folder)
    with pytest.raises(StoreUnusable, match=f"models cannot be kept in {folder}: .*{reason}") as raised:
        create_app(Settings(data_dir=str(folder)))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC, errno.EIO])
def test_a_disk_that_cannot_be_written_stops_the_start(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", fail)
    with pytest.raises(StoreUnusable, match=os.strerror(number)):
        create_app(Settings(data_dir=str(tmp_path / "store")))
