"""8 GiB of rows: a run learns from them, and requests compute with them, in little memory.

    PYTHONPATH=tests python -m torture.large_datasets [--short]

The trainer, and the worker that answers, have at most 300 MiB of memory that is no mapped file. The run takes
the rows in random order, the requests take them in ranges of 64 MiB. With --short, 512 MiB of rows.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
from support.models import open_store
from support.runs import wait_for
from support.service import children, running_service
from torture.anonymous_memory import peak_of
from torture.load import arguments, report

from deltawire import Client
from deltawire.optim import sgd
from deltawire_service.datasets.changes import put
from deltawire_service.datasets.table import Block, CheckTable, Column, Table
from deltawire_service.store.limits import StoreLimits

MIB = 2**20
MOST = 300 * MIB
WIDTH = 1023
"""Numbers of an example, beside its target."""

RANGE = 2**14
"""Rows that a request takes: 64 MiB."""

BATCH = 1024

NETWORK = {
    "inputs": {"x": {"shape": [WIDTH]}, "y": {"shape": [1]}},
    "nodes": [
        {"name": "line", "kind": "linear", "inputs": ["x"], "config": {"units": 1}},
        {"name": "loss", "kind": "squared_error", "inputs": ["line", "y"]},
    ],
    "loss": "loss",
}


def read_rows(rows: int, seed: int, check: CheckTable) -> Table:
    """What `put` reads: a table that is drawn block by block."""
    columns = (Column("x", "float32", (WIDTH,)), Column("y", "float32", (1,)))
    check(columns, rows)

    def blocks() -> Iterator[Block]:
        dice = np.random.default_rng(seed)
        weights = dice.normal(size=(WIDTH, 1)).astype(np.float32)
        for start in range(0, rows, 2**12):
            x = dice.random((min(2**12, rows - start), WIDTH), np.float32) - np.float32(0.5)
            yield Block("x", start, x)
            yield Block("y", start, x @ weights)

    return Table(columns, rows, blocks)


def processes_of(pid: int) -> tuple[int, int]:
    """Return the process that takes runs, and the worker, once both have started."""

    def is_trainer(process: int) -> bool:
        return b"deltawire_service.training" in Path(f"/proc/{process}/cmdline").read_bytes()

    wait_for(lambda: sorted(map(is_trainer, children(pid))) == [False, True])
    worker, trainer = sorted(children(pid), key=is_trainer)
    return trainer, worker


def measure(pid: int, run: Callable[[], Any]) -> dict[str, Any]:
    """Return the seconds of something, and the anonymous memory of a process at its peak."""
    began = time.monotonic()
    with peak_of(pid) as peak:
        run()
    return {
        "seconds": round(time.monotonic() - began, 1),
        "anonymous_mib": round(peak.most / MIB, 1),
        "within": peak.most <= MOST,
    }


def main() -> None:
    given = arguments("large_datasets")
    size = 2**29 if given.short else 2**33
    rows = size // (4 * (WIDTH + 1))
    settings = {"trainer": "true", "model_bytes_per_key": str(2**40), "log_level": "error"}
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder), limits=StoreLimits(bytes_per_owner=2**40))
        put(store.datasets, "", "rows", partial(read_rows, rows, given.seed), inf)
        with (
            running_service("-w", "1", data_dir=folder, **settings) as service,
            Client(service, timeout=(5, 600)) as client,
        ):
            trainer, worker = processes_of(service.pid)
            dataset = client.dataset("rows")
            model = client.create_model(NETWORK, name="line", dtype="float32", optimizer=sgd(1e-3), seed=0)
            batch = dataset.rows(0, RANGE)
            before = model.value_and_grad(batch)[0]

            def compute() -> None:
                for start in range(0, rows, RANGE):
                    model.value_and_grad(dataset.rows(start, min(start + RANGE, rows)))

            figures = {
                "run": measure(trainer, lambda: model.fit(dataset, batch_size=BATCH, progress=False)),
                "requests": measure(worker, compute),
            }
            after, version = model.value_and_grad(batch)[0], model.version
    reached = {f"{name}: memory": figure.pop("within") for name, figure in figures.items()}
    reached["every row was learned from"] = version == -(-rows // BATCH) and after < before
    report({"seed": given.seed, "bytes": size, "rows": rows, **figures, "losses": [before, after]}, reached)


if __name__ == "__main__":
    main()
