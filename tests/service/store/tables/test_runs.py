"""Rows of runs: their order, their states, and how far they have come."""

from __future__ import annotations

from dataclasses import replace
from sqlite3 import Connection, IntegrityError
from typing import Any

import pytest

from deltawire_service.store.tables import models, runs
from deltawire_service.store.tables.models import ModelRow
from deltawire_service.store.tables.runs import Progress, RunRow


@pytest.fixture
def database(transaction: Connection, model: ModelRow) -> Connection:
    """A database with two models."""
    models.insert(transaction, model)
    models.insert(transaction, replace(model, id="2a", name="other"))
    return transaction


def run(run_id: str, model: str = "1a", state: str = runs.QUEUED) -> RunRow:
    return RunRow(run_id, 0, "anna", model, "d1", None, "{}", state, 3, 10, 0, 0, "", Progress(version=3))


def test_a_row_is_read_as_it_was_written(database: Connection) -> None:
    added = runs.insert(database, run("r1"))
    assert added == replace(run("r1"), number=1)
    assert runs.get(database, "r1") == runs.find(database, "anna", "r1") == added
    assert runs.find(database, "ben", "r1") is None and runs.get(database, "none") is None


def test_a_model_has_one_open_run(database: Connection) -> None:
    runs.insert(database, run("r1"))
    with pytest.raises(IntegrityError):
        runs.insert(database, run("r2"))
    runs.insert(database, run("r2", "2a"))
    runs.set_state(database, "r1", runs.CANCELLED)
    assert runs.open_run(database, "1a") is None
    runs.insert(database, run("r3"))
    found = runs.open_run(database, "1a")
    assert found and found.id == "r3" and found.number == 3
    assert runs.count_open(database, "anna") == 2


def test_progress_is_kept_of_a_running_run_only(database: Connection) -> None:
    runs.insert(database, run("r1"))
    progress = Progress(5, 8, 1.5, 5, 0.25, 7, "file", 2)
    assert not runs.advance(database, "r1", progress)
    assert runs.begin(database, "r1") and runs.begin(database, "r1")
    begun = runs.get(database, "r1")
    runs.count_hang(database, "r1")
    assert begun and (begun.state, begun.attempts) == (runs.RUNNING, 2)
    assert runs.advance(database, "r1", progress)
    found = runs.get(database, "r1")
    assert found and (found.progress, found.attempts, found.hangs) == (progress, 0, 0)
    assert runs.files(database, "1a") == {"file"}
    runs.set_state(database, "r1", runs.PAUSED)
    assert not runs.advance(database, "r1", Progress()) and not runs.begin(database, "r1")
    runs.fail(database, "r1", "{}")
    assert (runs.get(database, "r1") or begun).state == runs.PAUSED
    runs.cancel_open(database, "1a")
    assert (runs.get(database, "r1") or begun).state == runs.CANCELLED
    assert runs.files(database, "1a") == frozenset()


def test_the_run_that_was_begun_is_next(database: Connection) -> None:
    assert runs.next_run(database) is None
    for run_id, model in (("r1", "1a"), ("r2", "2a")):
        runs.insert(database, run(run_id, model))
    assert [found.id for found in [runs.next_run(database)] if found] == ["r1"]
    second = runs.get(database, "r2")
    assert second and runs.ahead(database, second) == 1
    runs.begin(database, "r2")
    assert [found.id for found in [runs.next_run(database)] if found] == ["r2"]


def test_a_dataset_is_used_by_open_runs(database: Connection) -> None:
    runs.insert(database, replace(run("r1"), validation_dataset="d2"))
    for dataset in ("d1", "d2"):
        found = runs.find_user_of(database, dataset)
        assert found and found.id == "r1"
    assert runs.find_user_of(database, "d3") is None
    runs.set_state(database, "r1", runs.FINISHED)
    assert runs.find_user_of(database, "d1") is None


def test_the_oldest_runs_that_have_ended_go(database: Connection) -> None:
    for number in range(5):
        runs.insert(database, run(f"r{number}", state=runs.FINISHED))
    runs.insert(database, run("open", "2a"))
    runs.prune(database, "anna", 2)
    assert [each.id for each in runs.page(database, "anna", 99, 9, None)] == ["open", "r4", "r3"]
    assert [each.id for each in runs.page(database, "anna", 99, 9, "1a")] == ["r4", "r3"]
    assert [each.id for each in runs.page(database, "anna", 5, 1, None)] == ["r3"]


def test_runs_are_found_by_their_state_and_a_part_of_the_name_of_their_model(database: Connection) -> None:
    runs.insert(database, run("ended", state=runs.FAILED))
    runs.insert(database, run("paused", state=runs.PAUSED))
    runs.insert(database, run("queued", "2a"))

    def found(**options: Any) -> list[str]:
        return [each.id for each in runs.page(database, "anna", 99, 9, **options)]

    assert found(is_open=True) == ["queued", "paused"]
    assert found(is_open=False) == ["ended"]
    names = {each.id: each.name for each in models.every(database)}
    assert found(contains=names["1a"][1:].upper()) == ["paused", "ended"]
    assert found(contains=names["2a"], is_open=False) == []


def test_a_run_goes_with_its_model(database: Connection) -> None:
    runs.insert(database, run("r1"))
    models.delete(database, "1a")
    assert runs.get(database, "r1") is None


def test_runs_are_cut_where_their_model_ends(database: Connection) -> None:
    made = [(f"{state}{last}", state, last) for state in (runs.FINISHED, runs.FAILED) for last in (6, 9)]
    for run_id, state, last in made:
        progress = Progress(5, last, 1.5, 5, 0.25, last - 1, "file", 2)
        runs.insert(database, replace(run(run_id, state=state), progress=progress))
    before = {run_id: runs.get(database, run_id) for run_id, _, _ in made}
    runs.cut(database, "1a", 6)
    for run_id, state, last in made:
        found = runs.get(database, run_id)
        if last == 6:
            assert found == before[run_id]
            continue
        assert found and found.state == (runs.FAILED if state == runs.FAILED else runs.CANCELLED)
        assert found.progress == Progress(5, 6, 1.5, 5, None, None, "", 2)
