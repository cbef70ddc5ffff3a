"""A trainer is killed at random moments of a run: the finished model has the bits of an undisturbed run.

    PYTHONPATH=tests python -m torture.trainer_kills [--short]

Processes that take runs get SIGKILL up to a third of a second after each has begun: before its first commit,
during one, while it validates or writes a snapshot. Another run of the same recipe is never disturbed. Both
models have equal parameters, equal optimizer state, and equal ledgers.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from support.models import OWNER, create, id_of, numbers_of, same
from support.runs import add_dataset, described, examples, start, train
from torture.load import arguments, report

from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.versions import read_ledger
from deltawire_service.observability.metrics import Metrics
from deltawire_service.settings import Settings
from deltawire_service.store.tables import runs
from deltawire_service.training.run_descriptions import read_metrics
from deltawire_service.training.starting import make_store

LONGEST = 0.35
"""Seconds that a trainer may work before it is killed, at most."""

FRUITLESS = 5
"""Trainers in a row that may be killed before their first commit: a run that kills them all is given up."""

RECIPE: dict[str, Any] = {
    "batch_size": 16,
    "schedule": {"kind": "cosine", "T_max": 5000},
    "clip": {"norm": 1.0},
    "validation": {"fraction": 0.1, "every": 97},
    "early_stopping": {"patience": 10**6},
}


def start_trainer(folder: Path) -> subprocess.Popen[bytes]:
    """Start a process that takes the runs of a folder."""
    environment = os.environ | {"DELTAWIRE_DATA_DIR": str(folder), "DELTAWIRE_LOG_LEVEL": "error"}
    command = [sys.executable, "-m", "deltawire_service.training", "--parent", str(os.getpid())]
    return subprocess.Popen(command, env=environment)


def kill_trainers(store: ModelStore, run: str, kills: int, dice: random.Random) -> tuple[int, int]:
    """Take a run to its end with trainers that are killed; return how many were, and how many had begun."""
    killed = begun = fruitless = 0
    while is_open(store, run):
        trainer = start_trainer(store.folder.path)
        before = attempt(store, run)
        while is_open(store, run) and attempt(store, run) == before:
            time.sleep(0.002)
        begun += 1
        if killed < kills:
            steps = attempt(store, run)[1]
            while fruitless == FRUITLESS and attempt(store, run)[1] == steps and is_open(store, run):
                time.sleep(0.002)
            time.sleep(dice.uniform(0, LONGEST))
            killed += is_open(store, run)
            fruitless = 0 if attempt(store, run)[1] > steps else fruitless + 1
        else:
            while is_open(store, run):
                time.sleep(0.05)
        trainer.kill()
        trainer.wait()
    return killed, begun


def attempt(store: ModelStore, run: str) -> tuple[int, int]:
    """Return what a trainer changes first when it begins to work on a run."""
    with store.database.reading() as transaction:
        row = runs.get(transaction, run)
    assert row
    return row.attempts, row.progress.steps


def is_open(store: ModelStore, run: str) -> bool:
    with store.database.reading() as transaction:
        row = runs.get(transaction, run)
    return row is not None and row.state in runs.OPEN_STATES


def compare(store: ModelStore, disturbed: str, undisturbed: str) -> list[str]:
    """Return what differs between two runs."""
    wrong = list[str]()
    states = [described(store, run)["state"] for run in (disturbed, undisturbed)]
    if states != ["finished", "finished"]:
        wrong.append(f"they are {states}")
    if not same(numbers_of(store, "disturbed"), numbers_of(store, "undisturbed")):
        wrong.append("other numbers")
    if steps_of(store, "disturbed") != steps_of(store, "undisturbed"):
        wrong.append("other ledgers")
    first, second = (losses_of(store, run) for run in (disturbed, undisturbed))
    if first != second:
        wrong.append("other validations")
    middle = store.find(OWNER, "disturbed").version // 2
    if not same(numbers_of(store, "disturbed", middle), numbers_of(store, "undisturbed", middle)):
        wrong.append("other numbers in the middle")
    return wrong


def steps_of(store: ModelStore, name: str) -> list[tuple[Any, ...]]:
    """Return all entries of a ledger, but for the name of the run."""
    found, after = list[tuple[Any, ...]](), -1
    while page := read_ledger(store, OWNER, name, after, 1000):
        found += [tuple((key, each[key]) for key in sorted(each) if key != "run") for each in page]
        after = page[-1]["version"]
    return [tuple(repr(item) for item in entry) for entry in found]


def losses_of(store: ModelStore, run: str) -> list[dict[str, Any]]:
    found, since = list[dict[str, Any]](), -1
    while (page := read_metrics(store, OWNER, run, since, 1000))["steps"]:
        found += page["validations"]
        since = page["next"]
    return found


def main() -> None:
    given = arguments("trainer_kills")
    steps, kills = (6_000, 10) if given.short else (20_000, 200)
    with tempfile.TemporaryDirectory() as folder:
        store = make_store(Settings(data_dir=f"{folder}/store"), Metrics(lambda: 0))
        store.prepare()
        add_dataset(store, examples(3000))
        for name in ("disturbed", "undisturbed"):
            create(store, name)
        began = time.monotonic()
        disturbed = start(store, "disturbed", steps=steps, **RECIPE)
        killed, begun = kill_trainers(store, disturbed, kills, random.Random(given.seed))
        seconds = time.monotonic() - began
        undisturbed = start(store, "undisturbed", steps=steps, **RECIPE)
        train(store)
        wrong = compare(store, disturbed, undisturbed)
        params_id = id_of(store, "disturbed")
        store.close()
    figures = {
        "seed": given.seed,
        "steps": steps,
        "trainers": begun,
        "killed": killed,
        "seconds": round(seconds, 1),
        "params_id": params_id,
        "wrong": wrong,
    }
    report(
        figures,
        {"the bits of an undisturbed run": not wrong, "trainers were killed": killed >= kills // 2},
    )


if __name__ == "__main__":
    main()
