"""Runs as callers see them: how far each has come, and the curves of its losses."""

from __future__ import annotations

import json
from sqlite3 import Connection
from typing import Any

from deltawire_plugins.shown import shown
from deltawire_service.models.errors import ModelNotFound
from deltawire_service.models.model_store import ModelStore
from deltawire_service.store.tables import datasets, entries, models, runs, validations
from deltawire_service.store.tables.runs import OPEN_STATES, QUEUED, RUNNING, RunRow
from deltawire_service.training.batch_sampler import BatchSampler
from deltawire_service.training.errors import RunNotFound
from deltawire_service.training.recipes import read_recipe


def describe_run(store: ModelStore, owner: str, run_id: str) -> dict[str, Any]:
    """Return the description of a run, as JSON.

    Args:
        store: the models.
        owner: whoever asks.
        run_id: the run.

    Raises:
        RunNotFound: there is none.
    """
    with store.database.reading() as transaction:
        return describe_row(transaction, _find(transaction, owner, run_id))


def list_runs(
    store: ModelStore,
    owner: str,
    before: int,
    most: int,
    model: str | None = None,
    *,
    contains: str = "",
    is_open: bool | None = None,
) -> list[dict[str, Any]]:
    """Return the descriptions of the runs of an owner, the latest first.

    Args:
        store: the models.
        owner: whoever asks.
        before: the number of the run that the page follows.
        most: number of runs on a page.
        model: the name of the model whose runs are meant; None for all.
        contains: a part of the model's name, in small or capital letters.
        is_open: True for open runs alone, False for those that have ended.

    Raises:
        ModelNotFound: there is no such model.
    """
    model_id = None if model is None else store.find(owner, model).id
    with store.database.reading() as transaction:
        page = runs.page(transaction, owner, before, most, model_id, contains=contains, is_open=is_open)
        return [describe_row(transaction, run) for run in page]


def read_metrics(store: ModelStore, owner: str, run_id: str, since: int, most: int) -> dict[str, Any]:
    """Return the metrics of the steps and validations of a run, as JSON.

    Args:
        store: the models.
        owner: whoever asks.
        run_id: the run.
        since: the version that they follow; −1 for all.
        most: number of steps, and of validations, at most.

    Returns:
        `steps`, `validations` of the versions that these steps lead to, and `next`: the version that the next
        page follows. A step comes together with the validation after it.

    Raises:
        RunNotFound: there is none.
    """
    with store.database.reading() as transaction:
        run = _find(transaction, owner, run_id)
        since, last = max(since, run.first_version), _last_version(transaction, run)
        steps = entries.step_metrics(transaction, run.model, since, last, most)
        until = steps[-1].version if len(steps) == most else max(since, last)
        validated = validations.page(transaction, run.id, since, until, most)
    if len(validated) == most:  # where the entries of steps are gone, more validations than steps are left
        until = validated[-1].version
    return {
        "steps": [vars(each) for each in steps if each.version <= until],
        "validations": [vars(each) for each in validated],
        "next": until,
    }


def _last_version(transaction: Connection, run: RunRow) -> int:
    """Return the last version whose metrics are complete: a step is not listed before its validation."""
    progress, version = run.progress, run.progress.version
    dataset = datasets.get(transaction, run.dataset)
    if run.state in OPEN_STATES and dataset and progress.validated < progress.steps:
        sampler = BatchSampler(read_recipe(run.recipe), dataset.rows)
        return version - sampler.is_validated_after(progress.steps)
    return version


def describe_row(transaction: Connection, run: RunRow) -> dict[str, Any]:
    """Return the description of a run, in a transaction that is going on.

    Args:
        transaction: the transaction.
        run: the run.
    """
    progress, recipe = run.progress, json.loads(run.recipe)
    model = models.get(transaction, run.model)
    if model is None:  # a run goes with its model
        raise ModelNotFound("the model of the run was deleted")
    dataset = datasets.get(transaction, run.dataset)
    rate = progress.steps / progress.seconds if progress.seconds else None
    examples = _examples(run, dataset.rows) if dataset else None
    return {
        "id": run.id,
        "number": run.number,
        "model": model.name,
        "recipe": recipe,
        "state": run.state,
        "problem": json.loads(run.problem) if run.problem else None,
        "ahead": runs.ahead(transaction, run) if run.state == QUEUED else None,
        "first_version": run.first_version,
        "version": progress.version,
        "steps": progress.steps,
        "total_steps": run.total_steps,
        "seconds": progress.seconds,
        "examples_per_second": examples / progress.seconds if examples and progress.seconds else None,
        "seconds_left": (run.total_steps - progress.steps) / rate
        if rate and run.state in (QUEUED, RUNNING)
        else None,
        "best_loss": progress.best_loss,
        "best_version": progress.best_version,
    }


def _examples(run: RunRow, rows: int) -> int:
    """Return how many rows a run has learnt from, those of every epoch."""
    return BatchSampler(read_recipe(run.recipe), rows).examples(run.progress.steps)


def _find(transaction: Connection, owner: str, run_id: str) -> RunRow:
    run = runs.find(transaction, owner, run_id)
    if run is None:
        raise RunNotFound(f"there is no run {shown(run_id)}")
    return run
