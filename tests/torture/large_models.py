"""A model as large as GPT-2 small is made, stepped, read, forked and restored: its numbers stay on the disk.

    PYTHONPATH=tests python -m torture.large_models [--short]

Memory that is not a file's is measured while each change is made. A step may take what its plan says, which
has the gradients; all others may take a few of the largest parameters, and never the whole model.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable
from math import inf
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
from support.models import ADAM, OWNER, open_store
from torture.load import arguments, report

from deltawire_service.models import creations, steps
from deltawire_service.models.alterations import restore
from deltawire_service.models.computation import STORED
from deltawire_service.models.creations import CreateRequest, fork
from deltawire_service.models.maintenance.sweeps import sweep
from deltawire_service.models.steps import StepRequest
from deltawire_service.models.versions import open_version
from deltawire_service.networks.published import params_id

UNITS, BATCH = 2000, 4


def anonymous_bytes() -> int:
    found = re.search(r"RssAnon:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return 1024 * int(found[1])


def grown(action: Callable[[], object]) -> tuple[int, float]:
    """Call an action; return by how many bytes this process grew at its peak, and the seconds it took."""
    before, peak, ended = anonymous_bytes(), 0, Event()

    def watch() -> None:
        nonlocal peak
        while not ended.wait(0.002):
            peak = max(peak, anonymous_bytes())

    thread = Thread(target=watch)
    thread.start()
    began = time.monotonic()
    try:
        action()
    finally:
        ended.set()
        thread.join()
    return max(0, peak - before), time.monotonic() - began


def network(layers: int) -> dict[str, Any]:
    linear = {"kind": "linear", "config": {"units": UNITS}}
    nodes = [{**linear, "name": f"h{number}"} for number in range(layers)]
    return {"inputs": {"x": {"shape": [UNITS]}}, "nodes": [*nodes, {"name": "loss", "kind": "sum"}]}


def main() -> None:
    given = arguments("large_models")
    layers = 6 if given.short else 31
    x = np.random.default_rng(given.seed).normal(size=(BATCH, UNITS)).astype(np.float32)
    figures = dict[str, Any](seed=given.seed)
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "store")
        spec = network(layers)
        compiled = store.compile_network(spec)
        plan = compiled.plan(BATCH, np.float32, body_cost=STORED).peak_bytes
        largest = 4 * UNITS * UNITS
        drawn = 4 * largest  # it is drawn in float64, and held twice for a moment
        ids = dict[str, str]()

        def create() -> None:
            request = CreateRequest(spec, ADAM, dtype="float32")
            creations.create(store, OWNER, "model", request, inf)

        def step() -> None:
            steps.take_step(store, OWNER, "model", StepRequest({"data/x": x}), inf)

        def read(version: int | None) -> None:
            with open_version(store, OWNER, "model", inf, version) as opened:
                ids.setdefault(str(opened.entry.version), params_id(opened.numbers.params))
                assert ids[str(opened.entry.version)] == params_id(opened.numbers.params)

        def lose_slot() -> None:
            row = store.find(OWNER, "model")
            (store.folder_of(row.id).slots / row.slot).unlink()
            read(None)

        changes: dict[str, tuple[Callable[[], object], int]] = {
            "create": (create, drawn),
            "step": (step, plan),
            "another step": (step, plan),
            "read the newest": (lambda: read(None), largest),
            "read version 0": (lambda: read(0), largest),
            "read version 1": (lambda: read(1), plan),
            "fork": (lambda: fork(store, OWNER, "model", "twin", inf), largest),
            "fork version 0": (lambda: fork(store, OWNER, "model", "older", inf, 0), largest),
            "restore": (lambda: restore(store, OWNER, "model", 1, inf), plan),
            "recover": (lose_slot, plan),
            "sweep": (lambda: sweep(store), largest),
        }
        reached = dict[str, bool]()
        for name, (change, allowed) in changes.items():
            most, seconds = grown(change)
            figures[name] = {"MB": most // 10**6, "of MB": allowed // 10**6, "seconds": round(seconds, 2)}
            reached[f"memory: {name}"] = most <= 1.2 * allowed + 2e7
        figures["parameters MB"] = (
            4 * sum(int(np.prod(p.shape)) for p in compiled.parameters.values()) // 10**6
        )
        store.database.close()
    report(figures, reached)


if __name__ == "__main__":
    main()
