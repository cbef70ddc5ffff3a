"""Before the service is ready, every model is made sound that can be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.dying import dies_before_line
from support.models import OWNER, create, numbers_of, open_store, same, step

from deltawire_service.models.maintenance import recovery
from deltawire_service.models.maintenance.recovery import is_sound, recover_all
from deltawire_service.models.model_store import ModelStore
from deltawire_service.observability.logs import make_log
from deltawire_service.store import slot_files
from deltawire_service.store.errors import LockBusy

LOG = make_log("warning")


def train(store: ModelStore, names: str) -> None:
    for name in names:
        create(store, name)
        for seed in range(3):
            step(store, seed, name)


def another_boot(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "boot").write_text("01234567-89ab-cdef-0123-456789abcdef\n")
    monkeypatch.setattr(slot_files, "BOOT_ID", folder / "boot")


def test_sound_models_are_only_looked_at(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    train(store, "ab")
    monkeypatch.setattr(recovery, "recover", None)
    monkeypatch.setattr(store, "compile_network", None)
    result = recover_all(store, LOG)
    assert (result.sound, result.recovered, result.failed) == (2, [], {})


def test_after_another_boot_every_slot_is_made_again(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(store, "ab")
    before = [numbers_of(store, name) for name in "ab"]
    another_boot(monkeypatch, tmp_path)
    assert not is_sound(store, store.find(OWNER, "a"))
    assert len(recover_all(store, LOG).recovered) == 2 and recover_all(store, LOG).sound == 2
    monkeypatch.setattr("deltawire_service.models.versions.recover", None)  # readers find it done
    assert all(same(each, numbers_of(store, name)) for each, name in zip(before, "ab", strict=True))


def test_a_writer_that_died_leaves_nothing_to_do_or_is_made_good(store: ModelStore, tmp_path: Path) -> None:
    train(store, "a")
    before = numbers_of(store, "a")
    store.database.close()
    for line in range(150, 900, 75):
        dies_before_line(lambda: step(open_store(tmp_path / "store"), 9, "a", key="9"), line)
        assert not recover_all(store, LOG).failed
        newest = store.find(OWNER, "a").version
        assert newest == 4 or same(before, numbers_of(store, "a"))


def test_a_model_that_cannot_be_recovered_does_not_stop_the_others(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    train(store, "abc")
    row = store.find(OWNER, "b")
    for snapshot in store.folder_of(row.id).snapshots.iterdir():
        snapshot.unlink()
    another_boot(monkeypatch, tmp_path)
    result = recover_all(store, make_log("warning"))
    assert len(result.recovered) == 2 and list(result.failed) == [row.id]
    (line,) = map(json.loads, capfd.readouterr().err.splitlines())
    assert (line["event"], line["model"]) == (
        "not recovered",
        row.id,
    )  # no name: a line has no text of callers


def test_a_model_that_others_hold_is_waited_for_until_the_deadline(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(store, "ab")
    another_boot(monkeypatch, tmp_path)
    with store.locked(OWNER, "a", 0.0) as row:
        result = recover_all(store, LOG, deadline=0.0)
    assert isinstance(result.failed[row.id], LockBusy) and len(result.recovered) == 1


def test_a_model_that_is_deleted_meanwhile_is_passed_over(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(store, "a")
    row = store.find(OWNER, "a")

    def delete_first(*_: object) -> bool:
        with store.database.writing() as transaction:
            transaction.execute("DELETE FROM models")
        store.folder.remove_model(row.id)
        return False

    monkeypatch.setattr(recovery, "is_sound", delete_first)
    assert recover_all(store, LOG).sound == 1
