"""Runs in a folder, without HTTP: a dataset, recipes, and a trainer that works in this process."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from math import inf
from time import monotonic, sleep
from typing import Any

import numpy as np
from support.datasets import make_table
from support.models import OWNER

from deltawire.wire import Array
from deltawire_service.datasets.column_file import write_columns
from deltawire_service.datasets.table import describe
from deltawire_service.faults import load
from deltawire_service.models.model_store import ModelStore
from deltawire_service.observability.logs import make_log
from deltawire_service.schemas.run_requests import Recipe
from deltawire_service.store.folders import new_id
from deltawire_service.store.tables import datasets
from deltawire_service.store.tables.datasets import DatasetRow
from deltawire_service.training.recipes import SCHEMA
from deltawire_service.training.run_changes import create_run
from deltawire_service.training.run_descriptions import describe_run
from deltawire_service.training.trainer import Trainer

ROWS = 50

LOG = make_log("error")


def examples(rows: int = ROWS, seed: int = 0) -> dict[str, Array]:
    """Examples that `support.models.SPEC` can learn: the class is that of the largest of three sums."""
    numbers = np.random.default_rng(seed)
    x = numbers.normal(size=(rows, 4))
    return {"x": x, "y": (x @ numbers.normal(size=(4, 3))).argmax(axis=1)}


def add_dataset(
    store: ModelStore, arrays: Mapping[str, Array] | None = None, name: str = "table", owner: str = OWNER
) -> DatasetRow:
    """Add a dataset to a store."""
    table, dataset = make_table(arrays or examples(), 1000), new_id()
    written = write_columns(store.folder.make_dataset(dataset), table)
    columns = [
        describe(column, statistics)
        for column, statistics in zip(table.columns, written.statistics, strict=True)
    ]
    row = DatasetRow(dataset, owner, name, written.dataset_id, table.rows, written.bytes)
    with store.database.writing() as transaction:
        datasets.insert(transaction, row, json.dumps(columns))
    return row


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until something is so."""
    end = monotonic() + seconds
    while not condition():
        assert monotonic() < end, "it did not become so"
        sleep(0.02)


def recipe(**options: Any) -> Recipe:
    return Recipe(**load(SCHEMA, {"dataset": "table", "batch_size": 8, **options}))


def start(store: ModelStore, name: str = "model", **options: Any) -> str:
    """Make a run, and return its id."""
    return str(create_run(store, OWNER, name, recipe(**options), inf)["id"])


def trainer_of(store: ModelStore) -> Trainer:
    return Trainer(store, LOG, lambda: False)


def train(store: ModelStore) -> None:
    """Take all runs of a store to their ends."""
    trainer = trainer_of(store)
    while trainer.take_turn():
        pass


def described(store: ModelStore, run: str) -> dict[str, Any]:
    return describe_run(store, OWNER, run)
