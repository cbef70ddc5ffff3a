"""The trainer takes runs one after the other; it waits for the disk, and survives what fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from support.models import OWNER, create, numbers_of, open_store, same, step
from support.runs import LOG, add_dataset, described, start, train, trainer_of, wait_for

from deltawire_service.admission.compute_queue import Overloaded
from deltawire_service.admission.memory_shares import TRAINER, MemoryShares
from deltawire_service.cluster.errors import WorkerLost
from deltawire_service.engine import Network
from deltawire_service.models import replay
from deltawire_service.models.errors import ModelInRun
from deltawire_service.models.maintenance import export
from deltawire_service.models.maintenance.export import export_store, import_store
from deltawire_service.models.maintenance.sweeps import sweep
from deltawire_service.models.model_store import ModelStore
from deltawire_service.observability.metrics import Metrics
from deltawire_service.settings import Settings
from deltawire_service.store.errors import LockBusy, OutcomeUnknown, StoreFull, StoreUnavailable
from deltawire_service.store.folders import StoreFolder
from deltawire_service.store.tables import runs
from deltawire_service.training import evaluation, training_loop
from deltawire_service.training import trainer as trainers
from deltawire_service.training.guard import Guard
from deltawire_service.training.run_changes import set_state
from deltawire_service.training.run_descriptions import read_metrics
from deltawire_service.training.run_steps import RunSteps
from deltawire_service.training.starting import make_store
from deltawire_service.training.trainer import Trainer
from deltawire_service.training.watchdog import Watchdog


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainers, "RETRY_SECONDS", 0.0)


def test_runs_are_taken_in_their_order(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [start(store)]
    for name in ("second", "third"):
        create(store, name)
        made.append(start(store, name))
    monkeypatch.setattr(trainers, "TURN_SECONDS", 0.0)
    trainer, ended = trainer_of(store), list[str]()
    while trainer.take_turn():
        ended += [run for run in made if described(store, run)["state"] == "finished" and run not in ended]
    assert ended == made


def test_a_run_that_was_begun_comes_before_older_ones(store: ModelStore) -> None:
    create(store, "second")
    first, second = start(store, epochs=100), start(store, "second")
    set_state(store, OWNER, first, runs.PAUSED, inf)
    with store.database.writing() as transaction:
        runs.begin(transaction, second)
    set_state(store, OWNER, first, runs.QUEUED, inf)
    with store.database.reading() as transaction:
        taken = runs.next_run(transaction)
    assert taken and taken.id == second


@pytest.mark.parametrize("error", [LockBusy, OutcomeUnknown, StoreFull, StoreUnavailable])
def test_a_run_waits_while_the_disk_cannot_be_used(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    create(store, "twin")
    run, commit, calls = start(store, epochs=3), training_loop.commit, list[int]()

    def failing(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) < 4:
            raise error
        return commit(*arguments, **options)

    monkeypatch.setattr(training_loop, "commit", failing)
    train(store)
    assert described(store, run)["state"] == "finished" and len(calls) > 4
    monkeypatch.undo()
    start(store, "twin", epochs=3)
    train(store)
    assert same(numbers_of(store), numbers_of(store, "twin"))


def test_a_run_fails_whose_step_loses_its_workers_each_time(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, take, calls = start(store, epochs=3), RunSteps.take, list[int]()

    def losing(self: RunSteps, number: int, *arguments: Any) -> Any:
        if number < 2:
            return take(self, number, *arguments)
        calls.append(number)
        assert len(calls) < 50
        raise StoreUnavailable if len(calls) == 3 else WorkerLost

    monkeypatch.setattr(RunSteps, "take", losing)
    train(store)
    shown = described(store, run)
    assert shown["state"] == "failed" and shown["problem"]["code"] == "worker_lost"
    assert trainers.MOST_LOSSES < len(calls) <= trainers.MOST_LOSSES + 2


def test_progress_forgets_the_workers_that_were_lost(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainers, "MOST_LOSSES", 2)
    monkeypatch.setattr(trainers, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(training_loop, "GROUP_SECONDS", 0.0)
    run, take, tried = start(store, epochs=1), RunSteps.take, set[int]()

    def losing_once(self: RunSteps, number: int, *arguments: Any) -> Any:
        if number not in tried:
            tried.add(number)
            raise WorkerLost
        return take(self, number, *arguments)

    monkeypatch.setattr(RunSteps, "take", losing_once)
    train(store)
    assert described(store, run)["state"] == "finished" and len(tried) > 2


def test_a_run_that_waits_lets_others_go_on(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainers, "RETRY_SECONDS", 1000.0)
    create(store, "second")
    first, second, take = start(store), start(store, "second"), RunSteps.take
    calls = list[int]()

    def failing_once(self: RunSteps, number: int, *arguments: Any) -> Any:
        calls.append(number)
        if len(calls) == 1:
            raise StoreUnavailable
        return take(self, number, *arguments)

    monkeypatch.setattr(RunSteps, "take", failing_once)
    train(store)
    assert [described(store, run)["state"] for run in (first, second)] == ["running", "finished"]


def test_a_run_that_waits_does_not_use_up_its_attempts(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(store, "second")
    first, second, take = start(store), start(store, "second"), RunSteps.take
    calls = list[int]()

    def failing(self: RunSteps, number: int, *arguments: Any) -> Any:
        calls.append(number)
        if len(calls) < 4 * trainers.MOST_ATTEMPTS:
            raise StoreUnavailable
        return take(self, number, *arguments)

    monkeypatch.setattr(RunSteps, "take", failing)
    train(store)
    assert [described(store, run)["state"] for run in (first, second)] == ["finished", "finished"]


def test_a_run_fails_without_the_file_of_its_dataset(store: ModelStore) -> None:
    dataset = add_dataset(store, name="other")
    create(store, "second")
    first, second = start(store, dataset="other"), start(store, "second")
    store.folder.dataset(dataset.id).unlink()
    train(store)
    problem = {"code": "store_unavailable", "detail": "the file of dataset 'other' is missing"}
    assert described(store, first)["problem"] == problem
    assert described(store, second)["state"] == "finished"


def test_a_run_fails_without_the_snapshot_of_its_model(store: ModelStore) -> None:
    run, row = start(store), store.find(OWNER, "model")
    folder = store.folder_of(row.id)
    for path in [*folder.snapshots.iterdir(), *folder.slots.iterdir()]:
        path.unlink()
    train(store)
    problem = described(store, run)["problem"]
    assert problem["code"] == "store_unavailable" and "snapshot" in problem["detail"]


def test_a_database_that_others_write_to_is_waited_for(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_loop, "COMMIT_SECONDS", 0.05)
    run, trainer = start(store), trainer_of(store)
    trainer.take_turn()
    monkeypatch.setattr(trainers, "TURN_SECONDS", 0.05)
    create(store, "second")
    run = start(store, "second")
    with store.locks.exclusive(store.folder.write_lock, inf):
        assert trainer.take_turn()
    assert described(store, run)["steps"] == 0
    train(store)
    assert described(store, run)["state"] == "finished"


def test_an_error_that_nobody_expects_ends_its_run_only(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(store, "second")
    first, second = start(store), start(store, "second")
    take = RunSteps.take

    def failing(self: RunSteps, number: int, previous: Any, before: Any, after: Any) -> Any:
        if described(store, second)["state"] == "queued":
            raise ZeroDivisionError
        return take(self, number, previous, before, after)

    monkeypatch.setattr(RunSteps, "take", failing)
    train(store)
    assert described(store, first)["problem"]["code"] == "internal"
    assert described(store, second)["state"] == "finished"


def test_a_run_that_kills_its_trainer_is_given_up(store: ModelStore) -> None:
    create(store, "second")
    run, second = start(store), start(store, "second")
    for _ in range(trainers.MOST_ATTEMPTS):
        with store.database.writing() as transaction:
            assert runs.begin(transaction, run)
    train(store)
    found = described(store, run)
    assert (found["state"], found["problem"]["code"]) == ("failed", "trainer_died")
    assert described(store, second)["state"] == "finished"


def test_a_run_that_kills_its_trainers_comes_after_others(store: ModelStore) -> None:
    create(store, "second")
    run, second = start(store), start(store, "second")
    for _ in range(2):
        with store.database.writing() as transaction:
            runs.begin(transaction, run)
    with store.database.reading() as transaction:
        taken = runs.next_run(transaction)
    assert taken and taken.id == second


def test_steps_and_validations_are_watched(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    events = list[str]()

    class Noting(Watchdog):
        @contextmanager
        def watching(self) -> Iterator[None]:
            events.append("begin")
            yield
            events.append("end")

    gradients = Network.gradients

    def noting(*arguments: Any, **options: Any) -> Any:
        events.append("compute")
        return gradients(*arguments, **options)

    start(store, validation={"fraction": 0.2})
    monkeypatch.setattr(Network, "gradients", noting)
    trainer = Trainer(store, LOG, lambda: False, Guard(Noting()))
    while trainer.take_turn():
        pass
    assert events.count("compute") == 5 + 2  # steps, and batches of the validation
    depth = 0
    for event in events:
        depth += {"begin": 1, "end": -1, "compute": 0}[event]
        assert event != "compute" or depth == 1
    assert depth == 0


def test_a_slot_that_was_lost_is_computed_again_under_the_watchdog(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = list[bool]()

    class Noting(Watchdog):
        is_watching = False

        @contextmanager
        def watching(self) -> Iterator[None]:
            self.is_watching = True
            yield
            self.is_watching = False

    step(store, 0)
    row = store.find(OWNER, "model")
    (store.folder_of(row.id).slots / row.slot).unlink()
    start(store)
    for path in store.folder_of(row.id).slots.iterdir():
        path.unlink()
    watchdog, take_step = Noting(), vars(replay)["_take_step"]

    def noting(*arguments: Any) -> Any:
        watched.append(watchdog.is_watching)
        return take_step(*arguments)

    monkeypatch.setattr(replay, "_take_step", noting)
    Trainer(store, LOG, lambda: False, Guard(watchdog)).take_turn()
    assert watched == [True]


def test_a_run_in_which_a_layer_hangs_again_and_again_is_given_up(store: ModelStore, tmp_path: Path) -> None:
    create(store, "second")
    run, second = start(store), start(store, "second")
    path = tmp_path / "report"
    for _ in range(trainers.MOST_HANGS):
        Watchdog(path=path).begin(run)
        with path.open("a") as report:
            report.write("Timeout!\n")
        work_until_none_is_left(store, Guard(Watchdog(path=path)), takes=False)
    assert path.read_text() == ""
    work_until_none_is_left(store, Guard(Watchdog(path=path)))
    problem = described(store, run)["problem"]
    assert problem["code"] == "trainer_died"
    assert "after step 0, a layer or the optimizer did not return: 3 processes" in problem["detail"]
    assert described(store, second)["state"] == "finished"


def test_progress_forgets_the_hangs(store: ModelStore, tmp_path: Path) -> None:
    run = start(store)
    with store.database.writing() as transaction:
        for _ in range(trainers.MOST_HANGS - 1):
            runs.count_hang(transaction, run)
    trainer_of(store).take_turn()
    with store.database.reading() as transaction:
        row = runs.get(transaction, run)
    assert row and row.hangs == 0 and row.progress.steps > 0


def test_the_report_names_the_run_that_is_worked_on(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also after another run was taken while it waited."""
    create(store, "second")
    first, second, take = start(store), start(store, "second"), RunSteps.take
    path, named, calls = tmp_path / "report", list[str](), list[int]()

    def failing_once(self: RunSteps, number: int, *arguments: Any) -> Any:
        calls.append(number)
        named.append(path.read_text().strip())
        if len(calls) == 1:
            raise StoreUnavailable
        return take(self, number, *arguments)

    monkeypatch.setattr(RunSteps, "take", failing_once)
    monkeypatch.setattr(trainers, "RETRY_SECONDS", 1.0)
    guard = Guard(Watchdog(path=path))
    trainer = Trainer(store, LOG, lambda: False, guard)
    wait_for(lambda: not trainer.take_turn() and described(store, first)["state"] == "finished")
    assert named == [first, *7 * [second], *7 * [first]]


def test_a_run_waits_while_requests_hold_its_memory(store: ModelStore) -> None:
    shares = MemoryShares()
    worker = shares.share(1)
    worker.add_room(2**30)
    worker.hold(2**30)
    guard = Guard(memory=shares.share(TRAINER))
    settings = Settings(data_dir=str(store.folder.path), free_bytes=1)
    guarded = make_store(settings, Metrics(lambda: 0), guard)
    run = start(store, validation={"fraction": 0.2})
    trainer = Trainer(guarded, LOG, lambda: False, guard)
    for _ in range(3):
        assert trainer.take_turn()
    assert described(store, run)["steps"] == 0
    worker.hold(0)
    while trainer.take_turn():
        assert worker.hold_beside_trainer(2**30)  # between two turns it holds nothing
        worker.hold(0)
    assert described(store, run)["state"] == "finished"
    guarded.close()


def test_a_validation_waits_for_memory_and_ends_with_its_run(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, pauses = start(store, validation={"fraction": 0.5}), list[int]()
    gradients, calls = Network.gradients, list[int]()

    def overloaded(*arguments: Any, **options: Any) -> Any:
        if options.get("wrt_params") is False:
            calls.append(1)
            if len(calls) in (2, 3):
                raise Overloaded(1)
        return gradients(*arguments, **options)

    monkeypatch.setattr(Network, "gradients", overloaded)
    monkeypatch.setattr(evaluation, "sleep", pauses.append)
    train(store)
    assert described(store, run)["state"] == "finished"
    assert len(pauses) == 2 and len(calls) == 2 + 4


def work_until_none_is_left(store: ModelStore, guard: Guard, takes: bool = True) -> None:
    """Work as a process does; takes: with the runs, else it ends before it takes one."""
    must_stop = stopping_after(store)
    looks = list[int]()

    def stop() -> bool:
        looks.append(1)
        return len(looks) > 1 and (not takes or must_stop())

    Trainer(store, LOG, stop, guard).work()


def test_progress_forgets_the_trainers_that_died(store: ModelStore) -> None:
    run = start(store, epochs=2)
    for _ in range(trainers.MOST_ATTEMPTS - 1):
        with store.database.writing() as transaction:
            runs.begin(transaction, run)
    trainer_of(store).take_turn()
    with store.database.reading() as transaction:
        row = runs.get(transaction, run)
    assert row and row.attempts == 0 and row.progress.steps > 0


def test_one_trainer_of_several_works(store: ModelStore, tmp_path: Path) -> None:
    start(store)
    other = open_store(tmp_path / "store")
    ends = monotonic() + 0.5
    with other.locks.exclusive(other.folder.trainer_lock, inf):
        Trainer(store, LOG, lambda: monotonic() > ends).work()
    assert store.find(OWNER, "model").version == 0
    Trainer(store, LOG, stopping_after(store)).work()
    assert store.find(OWNER, "model").version == 7


def stopping_after(store: ModelStore) -> Callable[[], bool]:
    """Stop once no run is left."""

    def must_stop() -> bool:
        with store.database.reading() as transaction:
            return runs.next_run(transaction) is None

    return must_stop


def test_a_trainer_that_is_told_to_stop_commits_what_it_has(store: ModelStore) -> None:
    create(store, "twin")
    run, looks = start(store, epochs=20), list[int]()

    def must_stop() -> bool:
        looks.append(1)
        return len(looks) > 8

    Trainer(store, LOG, must_stop).work()
    found = described(store, run)
    assert found["state"] == "running" and 0 < found["steps"] < found["total_steps"]
    train(store)  # as the next process does
    start(store, "twin", epochs=20)
    train(store)
    assert same(numbers_of(store), numbers_of(store, "twin"))


def test_an_export_and_a_sweep_leave_a_run_alone(store: ModelStore, tmp_path: Path) -> None:
    options = {"validation": {"fraction": 0.2}, "early_stopping": {"patience": 10**6}}
    run = start(store, epochs=100_000, **options)
    trainer = trainer_of(store)
    trainer.take_turn()
    sweep(store)
    export_store(store, tmp_path / "export")
    assert described(store, run)["state"] == "running"
    import_store(tmp_path / "export", StoreFolder(tmp_path / "imported"))
    imported = open_store(tmp_path / "imported")
    assert described(imported, run)["state"] == "cancelled"
    step(imported, 0)
    trainer.take_turn()
    best = described(store, run)
    with store.database.reading() as transaction:
        row = runs.get(transaction, run)
    assert row and best["best_version"] is not None
    files = store.folder_of(row.model).snapshots
    assert (files / row.progress.best_file).exists()
    set_state(store, OWNER, run, runs.CANCELLED, inf)
    sweep(store)
    assert not (files / row.progress.best_file).exists()
    step(store, 0)


def test_a_model_in_a_run_is_refused_at_once(store: ModelStore) -> None:
    start(store)
    row = store.find(OWNER, "model")
    with store.locks.exclusive(store.folder_of(row.id).lock, inf):  # as the trainer holds it
        began = monotonic()
        with pytest.raises(ModelInRun):
            step(store, 0)
    assert monotonic() - began < 5


def test_a_run_that_goes_on_meanwhile_is_exported_up_to_the_snapshot(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainers, "TURN_SECONDS", 0.0)
    run = start(store, epochs=1000, validation={"fraction": 0.2, "every": 1})
    trainer = trainer_of(store)
    while described(store, run)["steps"] < 3:
        trainer.take_turn()
    before = described(store, run)
    take_snapshot = vars(export)["_take_snapshot"]

    def go_on_after(*given: Any) -> None:
        take_snapshot(*given)
        while described(store, run)["steps"] < before["steps"] + 3:
            trainer.take_turn()

    monkeypatch.setattr(export, "_take_snapshot", go_on_after)
    export_store(store, tmp_path / "export")
    import_store(tmp_path / "export", StoreFolder(tmp_path / "imported"))
    copy = open_store(tmp_path / "imported")
    version, found = copy.find(OWNER, "model").version, described(copy, run)
    assert version == before["version"] < described(store, run)["version"]
    assert found["state"] == "cancelled"
    assert (found["version"], found["steps"]) == (version, before["steps"])
    assert found["best_version"] is None or found["best_version"] <= version
    assert (found["best_version"] is None) == (found["best_loss"] is None)
    for _ in range(3):
        step(copy, 0)
    metrics = read_metrics(copy, OWNER, run, -1, 100)
    assert [each["version"] for each in metrics["steps"]] == list(range(1, version + 1))
    assert all(each["version"] <= version for each in metrics["validations"])
    copy.database.close()
