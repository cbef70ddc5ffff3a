"""Runs by state and the trainer, as the store tells them."""

from __future__ import annotations

from math import inf
from pathlib import Path

from support.models import OWNER, create, open_store
from support.runs import add_dataset, start, train

from deltawire_service.app import create_app
from deltawire_service.observability.metrics import Metrics
from deltawire_service.observability.run_metrics import RunMetrics
from deltawire_service.settings import Settings
from deltawire_service.store.tables import runs
from deltawire_service.training.run_changes import set_state
from deltawire_service.training.starting import make_store

STATES = ("queued", "running", "paused", "finished", "failed", "cancelled")


def numbers(metrics: RunMetrics) -> dict[str, float]:
    """Every sample by its name, or by its state."""
    return {
        sample.labels.get("state", sample.name): sample.value
        for family in metrics.collect()
        for sample in family.samples
    }


def test_runs_are_counted_by_state_over_all_owners(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    add_dataset(store)
    metrics = RunMetrics(store.folder, store.database)
    assert numbers(metrics) == dict.fromkeys(STATES, 0) | {"deltawire_trainers": 0}
    create(store)
    start(store)
    train(store)
    made = {}
    for name in ("a", "b", "c"):
        create(store, name)
        made[name] = start(store, name)
    set_state(store, OWNER, made["a"], runs.PAUSED, inf)
    set_state(store, OWNER, made["b"], runs.CANCELLED, inf)
    found = numbers(metrics)
    assert found == dict.fromkeys(STATES, 0) | {
        "finished": 1,
        "paused": 1,
        "cancelled": 1,
        "queued": 1,
        "deltawire_trainers": 0,
    }
    store.close()


def test_a_trainer_is_alive_while_it_has_the_lease(tmp_path: Path) -> None:
    store, other = open_store(tmp_path / "store"), open_store(tmp_path / "store")
    metrics = RunMetrics(store.folder, store.database)
    with other.locks.exclusive(other.folder.trainer_lock, inf):
        assert numbers(metrics)["deltawire_trainers"] == 1
    assert numbers(metrics)["deltawire_trainers"] == 0
    store.close()
    other.close()


def test_a_store_that_cannot_be_read_has_no_numbers(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    store.close()
    store.folder.path.rename(tmp_path / "away")
    assert numbers(RunMetrics(store.folder, store.database)) == {}
    assert numbers(RunMetrics()) == {}


def test_the_service_tells_them_and_the_trainer_counts_its_steps(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path / "store"), log_level="error")
    app = create_app(settings)
    service = app.extensions["deltawire"].models
    create(service)
    add_dataset(service)
    start(service)
    assert 'deltawire_runs{state="queued"} 1.0' in app.test_client().get("/metrics").text
    metrics = Metrics(lambda: 0)
    store = make_store(settings, metrics)
    train(store)
    text = app.test_client().get("/metrics").text
    assert 'deltawire_runs{state="finished"} 1.0' in text and "deltawire_trainers 0.0" in text
    assert "deltawire_run_steps_total 7.0" in metrics.text("")[0].decode()
    service.close()
    store.close()
