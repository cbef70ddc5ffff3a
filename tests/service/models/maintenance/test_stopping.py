"""At the end of the service, each model that has changed gets a snapshot, if there is time for it."""

from __future__ import annotations

import json
import shutil
from math import inf
from time import monotonic

import pytest
from support.models import OWNER, create, id_of, numbers_of, same, step

from deltawire_service.models import replay
from deltawire_service.models.maintenance.stopping import snapshot_changed
from deltawire_service.models.model_store import ModelStore
from deltawire_service.observability.logs import make_log
from deltawire_service.store.tables import snapshots
from deltawire_service.store.tables.snapshots import SnapshotRow

LOG = make_log("warning")


def last_snapshot(store: ModelStore, name: str = "model") -> SnapshotRow:
    row = store.find(OWNER, name)
    with store.database.reading() as transaction:
        found = snapshots.newest(transaction, row.id, row.version)
    assert found
    return found


def test_changed_models_get_one_and_no_others(store: ModelStore) -> None:
    for name in ("still", "trained"):
        create(store, name)
    for seed in range(3):
        step(store, seed, "trained")
    before = last_snapshot(store, "still")
    assert snapshot_changed(store, LOG, monotonic() + 60) == 1
    assert last_snapshot(store, "still") == before
    taken = last_snapshot(store, "trained")
    assert (taken.version, taken.params_id) == (3, id_of(store, "trained"))
    assert snapshot_changed(store, LOG, monotonic() + 60) == 0


def test_a_lost_slot_needs_no_step_to_be_computed_again(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(store)
    step(store, 1)
    snapshot_changed(store, LOG, monotonic() + 60)
    before, row = numbers_of(store), store.find(OWNER, "model")
    (store.folder_of(row.id).slots / row.slot).unlink()
    monkeypatch.setattr(replay, "compute_gradients", lambda *_: pytest.fail("computed"))
    assert same(numbers_of(store), before)


def test_there_is_no_snapshot_where_there_is_no_time(store: ModelStore) -> None:
    create(store)
    step(store, 1)
    assert snapshot_changed(store, LOG, monotonic()) == 0
    assert last_snapshot(store).version == 0


def test_a_model_that_others_work_on_is_left_out(store: ModelStore) -> None:
    for name in ("busy", "free"):
        create(store, name)
        step(store, 1, name)
    with store.locked(OWNER, "busy", inf):
        assert snapshot_changed(store, LOG, monotonic() + 60) == 1
    assert last_snapshot(store, "busy").version == 0


def test_a_model_that_fails_is_logged_and_stops_no_other(
    store: ModelStore, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b", "c"):
        create(store, name)
        step(store, 1, name)
    broken = store.find(OWNER, "b")
    shutil.rmtree(store.folder_of(broken.id).snapshots)
    assert snapshot_changed(store, make_log("warning"), monotonic() + 60) == 2
    (line,) = map(json.loads, capfd.readouterr().err.splitlines())
    assert (line["event"], line["model"]) == ("no snapshot", broken.id)


def test_steps_that_need_not_be_durable_are_durable_then(store: ModelStore) -> None:
    create(store)
    step(store, 1, durable=False)
    row = store.find(OWNER, "model")
    assert row.reserved > row.version  # it may be lost
    assert snapshot_changed(store, LOG, monotonic() + 60) == 1
    row = store.find(OWNER, "model")
    assert row.reserved == row.version == last_snapshot(store).version == 1
