"""Back to an earlier version, other hyperparameters, deletion."""

from __future__ import annotations

import os
from math import inf

import pytest
from support.models import ADAM, OWNER, create, id_of, numbers_of, same, step

from deltawire.errors import Refused
from deltawire_service.models.alterations import change_optimizer, delete, restore
from deltawire_service.models.errors import ModelNotFound, VersionChanged, VersionNotFound
from deltawire_service.models.maintenance.sweeps import sweep
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.versions import describe, read_ledger
from deltawire_service.store.errors import KeyReused, LockBusy, StoreUnavailable
from deltawire_service.store.folders import StoreFolder
from deltawire_service.store.tables.idempotency_keys import RequestKey

KEY = RequestKey(OWNER, "key", b"digest")


def test_a_restored_model_goes_on_as_it_did_then(store: ModelStore) -> None:
    create(store)
    for seed in range(3):
        step(store, seed)
    change_optimizer(store, OWNER, "model", {"config": {"learning_rate": 0.5}}, inf)
    step(store, 3)
    answer = restore(store, OWNER, "model", 2, inf, key=KEY)
    assert (answer["version"], answer["step"]) == (6, 2)
    assert restore(store, OWNER, "model", 2, inf, key=KEY) == answer | {"replayed": True}
    assert describe(store, OWNER, "model")["optimizer"]["config"]["learning_rate"] == 0.01
    assert same(numbers_of(store), numbers_of(store, version=2))
    assert step(store, 2)["learning_rate"] == 0.01
    assert same(numbers_of(store), numbers_of(store, version=3))
    entries = [(e["version"], e["kind"], e["step"]) for e in read_ledger(store, OWNER, "model", 2, 9)]
    assert entries == [
        (3, "step", 3), (4, "hyperparameters", 3), (5, "step", 4), (6, "restored", 2), (7, "step", 3),
    ]  # fmt: skip


def test_no_version_beyond_the_newest_is_restored(store: ModelStore) -> None:
    create(store)
    with pytest.raises(VersionNotFound):
        restore(store, OWNER, "model", 1, inf)
    assert store.find(OWNER, "model").version == 0


def test_other_hyperparameters_hold_from_the_next_step_on(store: ModelStore) -> None:
    create(store)
    step(store, 0)
    before = numbers_of(store)
    answer = change_optimizer(store, OWNER, "model", {"config": {"learning_rate": 0.5}}, inf, 1, KEY)
    assert (answer["version"], answer["step"]) == (2, 1)
    assert same(before, numbers_of(store)) and same(before, numbers_of(store, version=1))
    assert step(store, 1)["learning_rate"] == 0.5
    expected = id_of(store)
    step(store, 2)
    assert id_of(store, version=3) == expected
    with pytest.raises(VersionChanged):
        change_optimizer(store, OWNER, "model", {}, inf, 1)
    with pytest.raises(Refused):
        change_optimizer(store, OWNER, "model", {"kind": "sgd"}, inf)


def test_a_deleted_model_is_gone_and_its_name_is_free(store: ModelStore) -> None:
    create(store)
    step(store, 0, key="step")
    answer = delete(store, OWNER, "model", inf, KEY)
    assert not os.listdir(store.folder.models)
    assert delete(store, OWNER, "model", inf, KEY) == answer | {"replayed": True}
    with pytest.raises(ModelNotFound):
        step(store, 1)
    assert step(store, 0, key="step")["replayed"]
    create(store, optimizer=ADAM)
    for again in (lambda: delete(store, OWNER, "model", inf, KEY), lambda: step(store, 0, key="step")):
        with pytest.raises(KeyReused, match="earlier model 'model'"):
            again()
    assert step(store, 0)["version"] == 1


def test_a_request_waits_for_the_lock_until_its_deadline(store: ModelStore) -> None:
    create(store)
    with store.locked(OWNER, "model", inf), pytest.raises(LockBusy):
        restore(store, OWNER, "model", 0, 0.0)


def test_a_deletion_is_made_although_its_files_cannot_be_removed(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(store)

    def fail(*_: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(StoreFolder, "remove_model", fail)
    assert delete(store, OWNER, "model", inf)["version"] == 0
    with pytest.raises(ModelNotFound):
        store.find(OWNER, "model")
    monkeypatch.undo()
    sweep(store)
    assert not list(store.folder.models.iterdir())
