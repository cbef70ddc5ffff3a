"""The table of the runs: trainings in the background, and how far each has come.

A run is *open* until it has finished, failed, or is cancelled. A model has at most one open run.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import astuple, dataclass, fields
from sqlite3 import Connection, Row

QUEUED, RUNNING, PAUSED = "queued", "running", "paused"
FINISHED, FAILED, CANCELLED = "finished", "failed", "cancelled"

STATES = (QUEUED, RUNNING, PAUSED, FINISHED, FAILED, CANCELLED)

OPEN_STATES = (QUEUED, RUNNING, PAUSED)
OPEN = f"('{QUEUED}', '{RUNNING}', '{PAUSED}')"
"""The states of an open run, as the index of the table has them."""


@dataclass(frozen=True)
class Progress:
    """How far a run has come. It is written with the entries of its steps.

    Attributes:
        steps: steps that were taken.
        version: the version of the model after them.
        seconds: how long they took, with validations and commits.
        validated: the number of steps at the last validation; −1 before the first.
        best_loss: the best validation loss; None before the first.
        best_version: the version that has it.
        best_file: the snapshot of that version, among those of the model; empty where none is kept.
        misses: validations in a row whose losses were not smaller by the least difference.
    """

    steps: int = 0
    version: int = 0
    seconds: float = 0.0
    validated: int = -1
    best_loss: float | None = None
    best_version: int | None = None
    best_file: str = ""
    misses: int = 0


@dataclass(frozen=True)
class RunRow:
    """A run.

    Attributes:
        id: random, never used again.
        number: runs are taken in the order of their numbers.
        owner: whoever made it.
        model: the id of the model that learns.
        dataset: the id of the dataset that it learns from.
        validation_dataset: the id of the dataset that it is validated with; None where it has none.
        recipe: how it learns, as JSON, with every default written out.
        state: queued, running, paused, finished, failed or cancelled.
        first_version: the version of the model before the run.
        total_steps: steps that it takes unless it is stopped early.
        attempts: how many processes began to work on it since its last progress.
        hangs: how many of them their watchdog ended.
        problem: why it failed: a code and a sentence, as JSON; empty where it did not.
        progress: how far it has come.
    """

    id: str
    number: int
    owner: str
    model: str
    dataset: str
    validation_dataset: str | None
    recipe: str
    state: str
    first_version: int
    total_steps: int
    attempts: int
    hangs: int
    problem: str
    progress: Progress


OWN = [field.name for field in fields(RunRow) if field.name != "progress"]
PROGRESS = [field.name for field in fields(Progress)]
COLUMNS = ", ".join([*OWN, *PROGRESS])


def insert(database: Connection, run: RunRow) -> RunRow:
    """Add a run behind all others, and return it with its number.

    Raises sqlite3.IntegrityError where its model has an open run.
    """
    (number,) = database.execute("SELECT coalesce(max(number), 0) + 1 FROM runs").fetchone()
    values = [*astuple(run)[: len(OWN)], *astuple(run.progress)]
    values[OWN.index("number")] = number
    database.execute(f"INSERT INTO runs ({COLUMNS}) VALUES ({', '.join('?' * len(values))})", values)
    return get(database, run.id) or run


def get(database: Connection, run_id: str) -> RunRow | None:
    """Return the run with an id, None where there is none."""
    return _one(database, "WHERE id = ?", run_id)


def find(database: Connection, owner: str, run_id: str) -> RunRow | None:
    """Return the run with an id, None where the owner has none.

    Args:
        database: a transaction.
        owner: whoever asks.
        run_id: the id of the run.
    """
    return _one(database, "WHERE owner = ? AND id = ?", owner, run_id)


def open_run(database: Connection, model_id: str) -> RunRow | None:
    """Return the open run of a model, None where it has none."""
    return _one(database, f"WHERE model = ? AND state IN {OPEN}", model_id)


def next_run(database: Connection, waiting: Collection[str] = ()) -> RunRow | None:
    """Return the run that is to be taken up: one that was begun, or the first in the queue.

    A run that a process has ended with comes last, so that it does not keep others from being taken.

    waiting: the ids of runs that are passed over.
    """
    condition = f"WHERE state IN ('{QUEUED}', '{RUNNING}') AND id NOT IN (SELECT value FROM json_each(?))"
    order = f"ORDER BY attempts > 1, state = '{QUEUED}', number LIMIT 1"
    return _one(database, f"{condition} {order}", json.dumps(list(waiting)))


def page(
    database: Connection,
    owner: str,
    before: int,
    most: int,
    model_id: str | None = None,
    *,
    contains: str = "",
    is_open: bool | None = None,
) -> list[RunRow]:
    """Return runs of an owner, the latest first.

    Args:
        database: a transaction.
        owner: whoever asks.
        before: the number that the page follows.
        most: number of runs on a page.
        model_id: the model whose runs are meant; None for all.
        contains: a part of the model's name, in small or capital letters.
        is_open: True for open runs alone, False for those that have ended.
    """
    rows = database.execute(
        f"SELECT {COLUMNS} FROM runs WHERE owner = ? AND number < ? AND (? IS NULL OR model = ?) "
        f"AND (? IS NULL OR (state IN {OPEN}) = ?) "
        "AND instr((SELECT lower(name) FROM models WHERE id = model), lower(?)) ORDER BY number DESC LIMIT ?",
        (owner, before, model_id, model_id, is_open, is_open, contains, most),
    )
    return [_run(row) for row in rows]


def count_open(database: Connection, owner: str) -> int:
    """Return how many open runs an owner has."""
    (number,) = database.execute(
        f"SELECT count(*) FROM runs WHERE owner = ? AND state IN {OPEN}", (owner,)
    ).fetchone()
    return int(number)


def count_by_state(database: Connection) -> dict[str, int]:
    """Return how many runs of all owners have each state."""
    counted = dict(database.execute("SELECT state, count(*) FROM runs GROUP BY state").fetchall())
    return {state: int(counted.get(state, 0)) for state in STATES}


def ahead(database: Connection, run: RunRow) -> int:
    """Return how many runs are taken before a queued one."""
    (number,) = database.execute(
        f"SELECT count(*) FROM runs WHERE state = '{RUNNING}' OR (state = '{QUEUED}' AND number < ?)",
        (run.number,),
    ).fetchone()
    return int(number)


def set_state(database: Connection, run_id: str, state: str) -> None:
    """Store the state of a run. Processes that have worked on it before are forgotten.

    Args:
        database: a transaction.
        run_id: the run.
        state: its state.
    """
    database.execute("UPDATE runs SET state = ?, attempts = 0, hangs = 0 WHERE id = ?", (state, run_id))


def fail(database: Connection, run_id: str, problem: str) -> None:
    """Let a run fail, unless it was paused or has ended.

    Args:
        database: a transaction.
        run_id: the run.
        problem: why it fails: a code and a sentence, as JSON.
    """
    database.execute(
        f"UPDATE runs SET state = '{FAILED}', problem = ? "
        f"WHERE id = ? AND state IN ('{QUEUED}', '{RUNNING}')",
        (problem, run_id),
    )


def cancel_open(database: Connection, model_id: str) -> None:
    """Cancel the open run of a model, if it has one."""
    database.execute(
        f"UPDATE runs SET state = '{CANCELLED}' WHERE model = ? AND state IN {OPEN}", (model_id,)
    )


def cut(database: Connection, model_id: str, version: int) -> None:
    """Let the runs of a model end at a version, before its later entries are removed.

    Args:
        database: a transaction.
        model_id: the model.
        version: the version. A run that has come farther is cancelled there, unless it has failed. The best
            version is forgotten where it is a later one.
    """
    database.execute(
        f"UPDATE runs SET state = CASE state WHEN '{FAILED}' THEN state ELSE '{CANCELLED}' END, "
        "steps = steps - (SELECT count(*) FROM entries WHERE model = runs.model AND kind = 'step' "
        "AND version > max(?1, runs.first_version) AND version <= runs.version), "
        "first_version = min(first_version, ?1), version = ?1, "
        "best_file = CASE WHEN best_version > ?1 THEN '' ELSE best_file END, "
        "best_loss = CASE WHEN best_version > ?1 THEN NULL ELSE best_loss END, "
        "best_version = CASE WHEN best_version > ?1 THEN NULL ELSE best_version END "
        "WHERE model = ?2 AND version > ?1",
        (version, model_id),
    )
    database.execute("UPDATE runs SET validated = min(validated, steps) WHERE model = ?", (model_id,))
    database.execute(
        "DELETE FROM validations WHERE version > ? AND run IN (SELECT id FROM runs WHERE model = ?)",
        (version, model_id),
    )
    cancel_open(database, model_id)


def begin(database: Connection, run_id: str) -> bool:
    """Note that a process begins to work on a run; return False where it may not, for others stopped it."""
    changed = database.execute(
        f"UPDATE runs SET state = '{RUNNING}', attempts = attempts + 1 "
        f"WHERE id = ? AND state IN ('{QUEUED}', '{RUNNING}')",
        (run_id,),
    )
    return changed.rowcount == 1


def count_hang(database: Connection, run_id: str) -> None:
    """Count a process that its watchdog ended while it worked on a run."""
    database.execute("UPDATE runs SET hangs = hangs + 1 WHERE id = ?", (run_id,))


def advance(database: Connection, run_id: str, progress: Progress) -> bool:
    """Store how far a run has come; return False, and store nothing, where it is not running any more.

    Args:
        database: a transaction.
        run_id: the run.
        progress: how far it has come.
    """
    columns = ", ".join(f"{name} = ?" for name in PROGRESS)
    changed = database.execute(
        f"UPDATE runs SET {columns}, attempts = 0, hangs = 0 WHERE id = ? AND state = '{RUNNING}'",
        (*astuple(progress), run_id),
    )
    return changed.rowcount == 1


def find_user_of(database: Connection, dataset: str) -> RunRow | None:
    """Return an open run that takes rows of a dataset, by its id; None where there is none."""
    return _one(
        database, f"WHERE state IN {OPEN} AND (dataset = ? OR validation_dataset = ?)", dataset, dataset
    )


def files(database: Connection, model_id: str) -> frozenset[str]:
    """Return the names of the snapshots that the open run of a model needs."""
    run = open_run(database, model_id)
    return frozenset({run.progress.best_file} - {""} if run else ())


def prune(database: Connection, owner: str, keep: int) -> None:
    """Remove the oldest runs of an owner that are not open.

    Args:
        database: a transaction.
        owner: the owner.
        keep: number of the latest runs that stay.
    """
    database.execute(
        f"DELETE FROM runs WHERE owner = ? AND state NOT IN {OPEN} AND number NOT IN "
        f"(SELECT number FROM runs WHERE owner = ? AND state NOT IN {OPEN} ORDER BY number DESC LIMIT ?)",
        (owner, owner, keep),
    )


def _one(database: Connection, condition: str, *values: str) -> RunRow | None:
    row = database.execute(f"SELECT {COLUMNS} FROM runs {condition}", values).fetchone()
    return None if row is None else _run(row)


def _run(row: Row) -> RunRow:
    progress = Progress(**{name: row[name] for name in PROGRESS})
    return RunRow(**{name: row[name] for name in OWN}, progress=progress)
