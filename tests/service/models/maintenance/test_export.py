"""Exports have every model at a version of that time, and become stores elsewhere."""

from __future__ import annotations

import os
from math import inf
from pathlib import Path
from threading import Event, Thread

import pytest
from support.models import (
    OWNER,
    batch,
    create,
    id_of,
    numbers_of,
    open_store,
    open_without_layers,
    same,
    step,
)

from deltawire_service.models import batches, newest
from deltawire_service.models.alterations import delete
from deltawire_service.models.maintenance import export as module
from deltawire_service.models.maintenance.export import (
    ExportDamaged,
    Exported,
    FolderTaken,
    export_store,
    import_store,
)
from deltawire_service.models.maintenance.store_check import check_store
from deltawire_service.models.maintenance.sweeps import sweep
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.versions import list_models, read_ledger
from deltawire_service.store.errors import LockBusy, StoreFull
from deltawire_service.store.file_locks import FileLocks
from deltawire_service.store.folders import StoreFolder


def train(store: ModelStore, name: str = "model", steps: int = 4) -> None:
    create(store, name)
    for seed in range(steps):
        step(store, seed, name, key=f"{name} {seed}", arrays=batch(seed, 60 if seed == 1 else 5))


def test_a_store_made_from_an_export_goes_on_like_the_first_one(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "INLINE_BYTES", 1000)
    train(store)
    create(store, "other")
    assert export_store(store, tmp_path / "export") == Exported(2)
    assert import_store(tmp_path / "export", StoreFolder(tmp_path / "elsewhere")) == 2
    other = open_store(tmp_path / "elsewhere", "another machine")
    assert not check_store(other)
    assert same(numbers_of(store), numbers_of(other))  # from a snapshot: nothing is computed again
    assert id_of(other, "other") == id_of(store, "other")
    assert read_ledger(other, OWNER, "model", -1, 9) == read_ledger(store, OWNER, "model", -1, 9)
    assert other.find(OWNER, "model").lineage != store.find(OWNER, "model").lineage
    again = open_store(tmp_path / "elsewhere")
    assert [id_of(again, version=v) for v in range(5)] == [id_of(store, version=v) for v in range(5)]
    assert step(again, 3, key="model 3", arrays=batch(3, 5))["replayed"]
    step(again, 9)
    step(store, 9)
    assert same(numbers_of(store), numbers_of(again))
    for each in (other, again):
        each.database.close()


def test_steps_go_on_meanwhile_and_the_export_has_one_version(store: ModelStore, tmp_path: Path) -> None:
    train(store)
    ended, ids = Event(), dict[int, str]()

    def go_on() -> None:
        seed = 10
        while not ended.is_set():
            version = step(store, seed, key=str(seed))["version"]
            ids[version] = id_of(store, version=version)
            seed += 1

    thread = Thread(target=go_on)
    thread.start()
    try:
        export_store(store, tmp_path / "export")
    finally:
        ended.set()
        thread.join()
    import_store(tmp_path / "export", StoreFolder(tmp_path / "elsewhere"))
    other = open_store(tmp_path / "elsewhere")
    version = other.find(OWNER, "model").version
    assert version >= 4 and id_of(other) == id_of(store, version=version)
    for seed in range(10, 10 + len(ids)):  # each answer tells of a version that is there, or is forgotten
        assert step(other, seed, key=str(seed))["replayed"] == (seed - 5 <= version)
    other.database.close()


def test_no_file_is_removed_while_it_is_copied(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(store)
    train(store, "gone")
    monkeypatch.setattr(newest, "REPLAY_SECONDS", 0.0)
    copy_files = vars(module)["_copy_files"]

    def delete_first(*arguments: object) -> None:
        if "gone" in [model["name"] for model in list_models(store, OWNER, "", 9)]:
            delete(store, OWNER, "gone", inf)
            step(store, 9)
            sweep(store)
        copy_files(*arguments)

    monkeypatch.setattr(module, "_copy_files", delete_first)
    assert export_store(store, tmp_path / "export") == Exported(2)
    assert len(os.listdir(store.folder.models)) == 2
    sweep(store)
    assert len(os.listdir(store.folder.models)) == 1
    assert import_store(tmp_path / "export", StoreFolder(tmp_path / "elsewhere")) == 2


@pytest.mark.parametrize("call", ["copy_file", "sync_folder"])
def test_nothing_is_left_of_an_export_or_a_store_that_fails(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    train(store)

    def fail(*_: object) -> None:
        raise OSError(28, "full")

    export_store(store, tmp_path / "export")
    before = sorted(os.listdir(tmp_path))
    monkeypatch.setattr(module, call, fail)
    with pytest.raises(StoreFull):
        export_store(store, tmp_path / "another")
    with pytest.raises(StoreFull):
        import_store(tmp_path / "export", StoreFolder(tmp_path / "elsewhere"))
    assert sorted(os.listdir(tmp_path)) == before


def test_a_model_without_its_layer_is_exported_as_it_is_in_its_slot(
    store: ModelStore, tmp_path: Path
) -> None:
    train(store)
    create(store, "other")
    exported = export_store(open_without_layers(store.folder.path), tmp_path / "export")
    assert exported == Exported(2)
    import_store(tmp_path / "export", StoreFolder(tmp_path / "elsewhere"))
    other = open_store(tmp_path / "elsewhere", "another machine")
    assert same(numbers_of(store), numbers_of(other))  # from a snapshot: nothing is computed again
    other.database.close()


def test_a_model_that_cannot_be_computed_is_exported_with_its_steps(
    store: ModelStore, tmp_path: Path
) -> None:
    train(store)
    train(store, "other")
    row, expected = store.find(OWNER, "model"), numbers_of(store)
    (store.folder_of(row.id).slots / row.slot).unlink()
    exported = export_store(open_without_layers(store.folder.path), tmp_path / "export")
    reason = "model 'model' of 'anna': there is no layer 'linear'"
    assert exported == Exported(2, unfinished=[reason])
    import_store(tmp_path / "export", StoreFolder(tmp_path / "elsewhere"))
    other = open_store(tmp_path / "elsewhere")
    assert same(numbers_of(other), expected) and other.find(OWNER, "model").version == 4
    assert step(other, 3, key="model 3")["replayed"]
    other.database.close()


def test_a_model_whose_files_are_gone_is_left_out(store: ModelStore, tmp_path: Path) -> None:
    train(store)
    train(store, "other")
    row = store.find(OWNER, "model")
    (gone,) = store.folder_of(row.id).snapshots.iterdir()
    gone.unlink()
    exported = export_store(store, tmp_path / "export")
    assert exported.count == 1 and f"model 'model' of 'anna': its files {gone.name}" in exported.left_out[0]
    assert import_store(tmp_path / "export", StoreFolder(tmp_path / "elsewhere")) == 1
    other = open_store(tmp_path / "elsewhere")
    assert [each["name"] for each in list_models(other, OWNER, "", 9)] == ["other"]
    other.database.close()


def test_what_is_there_already_or_no_export_is_refused(store: ModelStore, tmp_path: Path) -> None:
    train(store)
    export_store(store, tmp_path / "export")
    with pytest.raises(FolderTaken, match="name a new folder"):
        export_store(store, tmp_path / "export")
    with pytest.raises(FolderTaken):
        import_store(tmp_path / "export", store.folder)
    for source, words in ((tmp_path / "none", "is no export"), (store.folder.path, "export it first")):
        with pytest.raises(ExportDamaged, match=words):
            import_store(source, StoreFolder(tmp_path / "elsewhere"))
    next((tmp_path / "export").glob("models/*/snapshots/*")).unlink()
    with pytest.raises(ExportDamaged, match="cannot be read"):
        import_store(tmp_path / "export", StoreFolder(tmp_path / "elsewhere"))
    assert not (tmp_path / "elsewhere").exists()


def test_two_exports_at_once_wait_for_each_other(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.02)
    with FileLocks().exclusive(store.folder.removal_lock, inf), pytest.raises(LockBusy):
        export_store(store, tmp_path / "export")
    assert not (tmp_path / "export").exists()
