"""A caretaker recovers, then sweeps again and again; what fails is logged, and does not end it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import structlog
from structlog.testing import capture_logs
from support.models import create, id_of, step

from deltawire_service.models.maintenance import caretaker
from deltawire_service.models.maintenance.caretaker import Caretaker
from deltawire_service.models.model_store import ModelStore
from deltawire_service.store.errors import StoreUnavailable


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_models_are_sound_when_it_says_so(store: ModelStore) -> None:
    create(store)
    step(store, 1)
    expected = id_of(store)
    row = store.find("anna", "model")
    (store.folder_of(row.id).slots / row.slot).unlink()
    care = Caretaker(store, structlog.get_logger())
    assert care.is_recovering()
    care.start()
    until(lambda: not care.is_recovering())
    assert store.find("anna", "model").slot != row.slot and id_of(store) == expected
    care.stop()


def test_it_sweeps_again_and_again(store: ModelStore) -> None:
    care = Caretaker(store, structlog.get_logger(), sweep_seconds=0.01)
    care.start()
    for number in range(2):
        left = store.folder.make_model(f"{number:032}")
        until(lambda left=left: not left.path.exists())  # type: ignore[misc]
    care.stop()
    care.join(10)
    assert not care.is_alive()


def test_a_sweep_that_fails_is_logged_and_tried_again(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweeps = list[ModelStore]()

    def fail(swept: ModelStore) -> None:
        sweeps.append(swept)
        raise StoreUnavailable

    monkeypatch.setattr(caretaker, "sweep", fail)
    with capture_logs() as lines:
        care = Caretaker(store, structlog.get_logger(), sweep_seconds=0.01)
        care.start()
        until(lambda: len(sweeps) > 2)
        care.stop()
        care.join(10)
    assert {line["event"] for line in lines} == {"not swept"}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_recovery_that_breaks_does_not_keep_the_service_from_being_ready(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise SystemExit

    monkeypatch.setattr(caretaker, "recover_all", fail)
    care = Caretaker(store, structlog.get_logger())
    care.start()
    care.join(10)
    assert not care.is_recovering()
