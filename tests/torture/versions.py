"""A model takes ten thousand steps: any version that is kept is computed within two seconds.

    PYTHONPATH=tests python -m torture.versions [--short]

The network is 250 → 100 → 5, with batches of 32 and Adam. Versions right before a snapshot take longest, so
each of them is computed, and random ones between.
"""

from __future__ import annotations

import random
import tempfile
import time
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
from support.models import ADAM, OWNER, open_store
from threadpoolctl import threadpool_limits
from torture.load import arguments, report

from deltawire.wire import Array
from deltawire_service.models import creations, steps
from deltawire_service.models.creations import CreateRequest
from deltawire_service.models.errors import VersionExpired
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.steps import StepRequest
from deltawire_service.models.versions import open_version
from deltawire_service.store.limits import StoreLimits
from deltawire_service.store.tables import snapshots

SPEC: dict[str, Any] = {
    "inputs": {"x": {"shape": [250]}, "y": {"shape": [], "dtype": "int64"}},
    "nodes": [
        {"name": "hidden", "kind": "linear", "inputs": ["x"], "config": {"units": 100}},
        {"name": "active", "kind": "tanh", "inputs": ["hidden"]},
        {"name": "scores", "kind": "linear", "inputs": ["active"], "config": {"units": 5}},
        {"name": "loss", "kind": "softmax_nll", "inputs": ["scores", "y"]},
    ],
}
BATCHES, BATCH = 50, 32


def make_batches(seed: int) -> list[dict[str, Array]]:
    numbers = np.random.default_rng(seed)
    return [
        {"data/x": numbers.normal(size=(BATCH, 250)), "data/y": numbers.integers(0, 5, BATCH)}
        for _ in range(BATCHES)
    ]


def seconds_of(store: ModelStore, version: int) -> float:
    began = time.monotonic()
    with open_version(store, OWNER, "model", inf, version) as opened:
        assert opened.entry.version == version
    return time.monotonic() - began


def main() -> None:
    given = arguments("versions")
    count, history = (600, 2 * 10**7) if given.short else (10_000, StoreLimits().history_bytes)
    # A worker computes with one thread of BLAS: a second one takes longer than so small a product.
    with threadpool_limits(1, "blas"), tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "store", limits=StoreLimits(history_bytes=history))
        creations.create(store, OWNER, "model", CreateRequest(SPEC, ADAM), inf)
        arrays, began = make_batches(given.seed), time.monotonic()
        for number in range(count):
            steps.take_step(store, OWNER, "model", StepRequest(arrays[number % BATCHES]), inf)
        rate = count / (time.monotonic() - began)
        row = store.find(OWNER, "model")
        with store.database.reading() as transaction:
            taken = [each.version for each in snapshots.every(transaction, row.id)]
        dice = random.Random(given.seed)
        chosen = {each - 1 for each in taken if each > row.floor} | {row.floor, count}
        chosen |= {dice.randrange(row.floor, count) for _ in range(5 if given.short else 30)}
        seconds = {version: seconds_of(store, version) for version in sorted(chosen)}
        refused = 0
        for version in {0, row.floor - 1} if row.floor else ():
            try:
                seconds_of(store, version)
            except VersionExpired:
                refused += 1
        size = sum(each.stat().st_size for each in store.folder.path.rglob("*") if each.is_file())
        store.database.close()
    slowest = max(seconds, key=seconds.__getitem__)
    figures = {
        "seed": given.seed, "steps": count, "steps a second": round(rate), "snapshots": len(taken),
        "earliest version": row.floor, "versions computed": len(seconds), "slowest": slowest,
        "its seconds": round(seconds[slowest], 2), "bytes counted": row.bytes, "bytes on disk": size,
    }  # fmt: skip
    reached = {
        "any version within two seconds": seconds[slowest] <= 2,
        "earlier versions are refused": refused == (min(2, row.floor)),
        "as much on disk as counted, and room to reuse": size <= 2 * row.bytes + 3 * 10**7,
    }
    report(figures, reached)


if __name__ == "__main__":
    main()
