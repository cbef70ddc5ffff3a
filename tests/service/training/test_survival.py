"""Runs go on after what happens to their machine: nothing is repeated, nothing is lost.

Each run has a twin of the same recipe that nothing happens to: both models have the same bits at the end, and
the same ledgers.
"""

from __future__ import annotations

import ast
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from math import inf
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from support.clock import SettableClock
from support.models import OWNER, create, numbers_of, open_store, same
from support.runs import add_dataset, described, examples, start, train, wait_for

import deltawire_service
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.versions import read_ledger
from deltawire_service.store.database import OUTSIDERS_SECONDS
from deltawire_service.store.tables import runs
from deltawire_service.store.tables.schema import MIGRATIONS, migrate
from deltawire_service.training.run_changes import set_state

SERVICE = Path(deltawire_service.__file__).parent

FIRST_WITH_RUNS = 6
"""The earliest schema that has runs."""

RECIPE: dict[str, Any] = {
    "batch_size": 4,
    "steps": 4000,
    "clip": {"norm": 1.0},
    "schedule": {"kind": "cosine", "T_max": 4000},
    "validation": {"fraction": 0.2, "every": 400},
    "early_stopping": {"patience": 10**6},
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ModelStore]:
    store = open_store(tmp_path / "store")
    add_dataset(store, examples(500))
    for name in ("model", "twin"):
        create(store, name)
    yield store
    store.close()


@contextmanager
def running_trainer(store: ModelStore, environ: Mapping[str, str] | None = None) -> Iterator[None]:
    """A process that takes the runs of a store, until the block ends."""
    settings = {"DELTAWIRE_DATA_DIR": str(store.folder.path), "DELTAWIRE_LOG_LEVEL": "error"}
    command = [sys.executable, "-m", "deltawire_service.training", "--parent", str(os.getpid())]
    trainer = subprocess.Popen(command, env=os.environ | settings | dict(environ or {}))
    try:
        yield
    finally:
        trainer.terminate()
        assert trainer.wait(60) == 0


def steps(store: ModelStore, run: str) -> int:
    return int(described(store, run)["steps"])


def has_ended(store: ModelStore, run: str) -> bool:
    return described(store, run)["state"] not in runs.OPEN_STATES


def assert_undisturbed(store: ModelStore, run: str) -> None:
    """Compare a run with that of the twin, which is taken now."""
    twin = start(store, "twin", **RECIPE)
    train(store)
    found, expected = described(store, run), described(store, twin)
    told = ("state", "steps", "version", "best_loss", "best_version", "problem")
    assert [found[each] for each in told] == [expected[each] for each in told]
    assert found["state"] == "finished"
    assert same(numbers_of(store), numbers_of(store, "twin"))
    assert ledger(store, "model") == ledger(store, "twin")


def ledger(store: ModelStore, name: str) -> list[dict[str, Any]]:
    """All entries, but for the id of the run."""
    return [each | {"run": None} for each in read_ledger(store, OWNER, name, -1, 10_000)]


def test_the_clock_is_set_back_a_day(store: ModelStore, tmp_path: Path) -> None:
    clock = SettableClock(tmp_path)
    run = start(store, **RECIPE)
    before = read_clock(clock)
    with running_trainer(store, clock.environ):
        wait_for(lambda: 0 < steps(store, run))
        clock.set_back()
        assert read_clock(clock) < before - 23 * 3600
        at = steps(store, run)
        assert at < RECIPE["steps"], "the run was over before"
        wait_for(lambda: has_ended(store, run))
    assert_undisturbed(store, run)


def read_clock(clock: SettableClock) -> float:
    command = [sys.executable, "-c", "import time; print(time.time())"]
    printed = subprocess.run(command, env=os.environ | clock.environ, capture_output=True, check=True).stdout
    return float(printed)


FILE_TIMES = {"st_mtime", "st_mtime_ns", "st_ctime", "st_ctime_ns", "st_atime", "st_atime_ns"}
ROOMS = ("training", "models", "store", "datasets")


@pytest.mark.parametrize("path", [path for room in ROOMS for path in (SERVICE / room).rglob("*.py")], ids=str)
def test_nothing_reads_the_clock_of_the_machine(path: Path) -> None:
    text = path.read_text()
    nodes = list(ast.walk(ast.parse(text)))
    modules = {each.name for node in nodes if isinstance(node, ast.Import) for each in node.names}
    names = {
        f"{node.module}.{each.name}"
        for node in nodes
        if isinstance(node, ast.ImportFrom)
        for each in node.names
    }
    assert not {"time", "datetime"} & modules
    timed = {name for name in names if name.startswith(("time.", "datetime."))}
    assert timed <= {"time.monotonic", "time.sleep", "time.perf_counter"}
    assert not FILE_TIMES & {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    assert not [each for each in ("CURRENT_TIME", "'now'", "unixepoch") if each in text]  # in SQL


@pytest.mark.parametrize("seconds", [1.0, OUTSIDERS_SECONDS + 2.0])
def test_the_database_is_busy(store: ModelStore, seconds: float) -> None:
    """A program without our locks writes, for longer than SQLite waits for it, or not as long."""
    run = start(store, **RECIPE)
    with running_trainer(store):
        wait_for(lambda: 0 < steps(store, run))
        with closing(sqlite3.connect(store.folder.database, isolation_level=None, timeout=60)) as other:
            other.execute("BEGIN IMMEDIATE")
            at = steps(store, run)
            assert at < RECIPE["steps"], "the run was over before"
            sleep(seconds)
            assert steps(store, run) == at
            other.execute("ROLLBACK")
        wait_for(lambda: has_ended(store, run))
    assert_undisturbed(store, run)


@pytest.mark.parametrize("schema", range(FIRST_WITH_RUNS, len(MIGRATIONS)))
def test_the_schema_is_upgraded_under_a_paused_run(store: ModelStore, schema: int) -> None:
    run = start(store, **RECIPE)
    with running_trainer(store):
        wait_for(lambda: 0 < steps(store, run))
        set_state(store, OWNER, run, runs.PAUSED, inf)
    at = steps(store, run)
    assert at < RECIPE["steps"], "the run was over before"
    store.close()
    write_as_of(store.folder.database, schema)
    with pytest.raises(sqlite3.OperationalError):
        described(store, run)
    store.prepare()
    assert (steps(store, run), described(store, run)["state"]) == (at, "paused")
    set_state(store, OWNER, run, runs.QUEUED, inf)
    train(store)
    assert_undisturbed(store, run)


def write_as_of(database: Path, schema: int) -> None:
    """Rewrite a database as a program with an earlier schema would have written it."""
    with closing(sqlite3.connect(database)) as new:
        new.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        earlier = database.with_suffix(".earlier")
        with closing(sqlite3.connect(earlier, isolation_level=None)) as old:
            migrate(old, MIGRATIONS[:schema])
            for (table,) in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                columns = [row[1] for row in old.execute(f"PRAGMA table_info({table})")]
                rows = new.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()
                old.execute(f"DELETE FROM {table}")
                old.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", rows)
    for path in database.parent.glob(f"{database.name}*"):
        path.unlink()
    earlier.rename(database)


def test_the_trainer_is_stopped_and_started(store: ModelStore) -> None:
    run, seen = start(store, **RECIPE), 0
    for _ in range(3):
        with running_trainer(store):
            wait_for(lambda seen=seen: has_ended(store, run) or steps(store, run) > seen)
        seen = steps(store, run)
    train(store)
    assert_undisturbed(store, run)
