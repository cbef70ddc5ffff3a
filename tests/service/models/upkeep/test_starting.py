"""A folder that cannot be used stops the start; every model is sound before the service is ready."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.models import OWNER, create, id_of, open_store, step

from deltawire_service.app import create_app
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.newest import read_newest
from deltawire_service.models.upkeep import starting
from deltawire_service.models.upkeep.starting import StoreUnusable, prepare, recover_all
from deltawire_service.settings import Settings
from deltawire_service.store.errors import StoreUnavailable

LOG = logging.getLogger("test")


def slot_of(store: ModelStore, name: str = "model") -> Path:
    row = store.find(OWNER, name)
    return store.folder_of(row.id).slots / row.slot


def is_sound(store: ModelStore, name: str = "model") -> bool:
    with read_newest(store, store.find(OWNER, name)) as newest:
        return newest is not None


def test_no_connection_is_open_when_the_process_forks(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=str(tmp_path / "new")))
    assert app.extensions["deltawire"].models
    opened = [link.resolve() for link in Path("/proc/self/fd").iterdir() if link.exists()]
    assert not [path for path in opened if tmp_path in path.parents]


def test_what_dead_processes_have_left_behind_is_removed(store: ModelStore) -> None:
    create(store)
    left = store.folder.make_model("0" * 32)
    prepare(store)
    assert not left.path.exists() and slot_of(store).exists()


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


def test_models_whose_slots_are_lost_are_recovered(store: ModelStore) -> None:
    for name in ("lost", "sound"):
        create(store, name)
        step(store, 1, name)
    expected = id_of(store, "lost")
    slot_of(store, "lost").unlink()
    assert not is_sound(store, "lost")
    recover_all(store, LOG)
    assert is_sound(store, "lost") and id_of(store, "lost") == expected


def test_a_model_that_cannot_be_recovered_stops_no_other(
    store: ModelStore, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a", "b", "c"):
        create(store, name)
        slot_of(store, name).unlink()
    spoilt = store.find(OWNER, "b")
    for snapshot in store.folder_of(spoilt.id).snapshots.iterdir():
        snapshot.unlink()
    recover_all(store, LOG)
    assert [is_sound(store, name) for name in ("a", "b", "c")] == [True, False, True]
    assert [record.getMessage() for record in caplog.records] == [f"model {spoilt.id} cannot be recovered"]


def test_a_database_that_fails_is_logged(
    store: ModelStore, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise StoreUnavailable

    monkeypatch.setattr(store.database, "reading", fail)
    recover_all(store, LOG)
    assert [record.getMessage() for record in caplog.records] == ["the models cannot be looked at"]


def test_nothing_is_computed_where_all_are_sound(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    create(store)
    monkeypatch.setattr(starting, "recover", lambda *_: pytest.fail("recovered"))
    recover_all(store, LOG)
