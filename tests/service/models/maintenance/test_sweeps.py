"""Sweeps remove what no row names, and nothing else."""

from __future__ import annotations

from math import inf

import pytest
from support.models import OWNER, batch, create, id_of, step

from deltawire_service.models import batches
from deltawire_service.models.maintenance.sweeps import sweep
from deltawire_service.models.model_store import ModelStore
from deltawire_service.store.file_locks import shared_lock
from deltawire_service.store.folders import ModelFolder, new_id


@pytest.fixture
def folder(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> ModelFolder:
    """The folder of a model, with a snapshot and a segment that no row names."""
    monkeypatch.setattr(batches, "INLINE_BYTES", 1000)
    create(store)
    step(store, 0, arrays=batch(0, 100))
    folder = store.folder_of(store.find(OWNER, "model").id)
    for part in (folder.snapshots, folder.segments):
        (part / "left behind").touch()
    return folder


def left(folder: ModelFolder) -> int:
    return sum((part / "left behind").exists() for part in (folder.snapshots, folder.segments))


def test_what_no_row_names_is_removed(store: ModelStore, folder: ModelFolder) -> None:
    orphan = store.folder.make_model(new_id())
    ids = [id_of(store, version=version) for version in (0, 1)]
    for _ in range(2):
        sweep(store)
        assert not left(folder) and not orphan.path.exists()
    step(store, 1)
    assert [id_of(store, version=version) for version in (0, 1)] == ids


def test_what_others_are_at_work_on_is_left(store: ModelStore, folder: ModelFolder) -> None:
    orphan = store.folder.make_model(new_id())
    with shared_lock(store.folder.making_lock):
        sweep(store)
        assert left(folder) == 2 and orphan.path.exists()
    with store.locked(OWNER, "model", inf):
        sweep(store)
    assert left(folder) == 2 and not orphan.path.exists()


def test_while_the_log_is_read_nothing_is_removed(store: ModelStore, folder: ModelFolder) -> None:
    orphan = store.folder.make_model(new_id())
    with store.database.reading() as transaction:
        transaction.execute("SELECT * FROM models").fetchall()
        step(store, 1)
        sweep(store)
    assert left(folder) == 2 and orphan.path.exists()
