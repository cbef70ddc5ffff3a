"""A request for rows of a large dataset is computed by workers: the service holds little of it in memory.

    PYTHONPATH=tests python -m torture.worker_memory [--short] [--gib 10]

The service names places in the dataset's file to the workers, maps the file itself, and adds up gradients.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any

import numpy as np
import requests
from support.cluster import running_cluster
from support.runs import add_dataset
from support.service import children, running_service
from torture.load import arguments, report

from deltawire import Client
from deltawire_service.observability.metrics import Metrics
from deltawire_service.settings import Settings
from deltawire_service.training.starting import make_store

COLUMNS = 1024
MIB, GIB = 2**20, 2**30
MOST_MIB = 300

SPEC: dict[str, Any] = {
    "inputs": {"x": {"shape": [COLUMNS]}},
    "nodes": [
        {"kind": "linear", "inputs": ["x"], "config": {"units": 16}},
        {"kind": "tanh"},
        {"name": "loss", "kind": "sum"},
    ],
}


class Peak:
    """The most memory that processes have of their own, not of files, while a block runs. pids: of them."""

    def __init__(self, pids: set[int]):
        self.bytes = 0
        self._pids = pids
        self._stopped = Event()
        self._thread = Thread(target=self._look)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stopped.wait(0.02):
            self.bytes = max(self.bytes, sum(map(anonymous, self._pids)))


def anonymous(pid: int) -> int:
    """The bytes of a process that are of no file."""
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(status.split("RssAnon:")[1].split()[0])


def main() -> None:
    given = arguments("worker_memory", gib="size of the rows, 10 by default")
    gib = float(given.gib or (0.5 if given.short else 10))
    rows = int(gib * GIB) // (4 * COLUMNS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "data"
        store = make_store(Settings(data_dir=str(folder)), Metrics(lambda: 0))
        store.prepare()
        one = np.random.default_rng(0).standard_normal(COLUMNS).astype(np.float32)
        add_dataset(store, {"x": np.broadcast_to(one, (rows, COLUMNS))}, owner="")
        store.close()
        limits = {name: str(2**44) for name in ("planned_bytes", "planned_operations", "elements")}
        limits |= {"deadline_seconds": "3600", "admitted_bytes": str(2**44), "data_dir": str(folder)}
        limits["cluster_operations"] = "1"
        with (
            running_cluster(2, DELTAWIRE_DATA_DIR=str(folder)) as cluster,
            running_service("-w", "1", seconds=120.0, dask=cluster.address, **limits) as url,
        ):
            client = Client(url, timeout=3600)
            params = client.init(SPEC, seed=0, dtype=np.float32)
            pids = children(url.pid)
            client.gradients(SPEC, params, {"x": np.ones((4, COLUMNS), np.float32)})
            before, began = sum(map(anonymous, pids)), monotonic()
            with Peak(pids) as peak:
                client.gradients(SPEC, params, {"dataset": "table"})
            seconds = monotonic() - began
            metrics = requests.get(f"{url}/metrics").text
    counted = re.findall(r'deltawire_cluster_segments_total{place="(.+)"} (.+)', metrics)
    segments = {place: float(number) for place, number in counted}
    report(
        {
            "rows": rows,
            "GiB": gib,
            "seconds": round(seconds, 1),
            "segments": segments,
            "MiB before": round(before / MIB),
            "MiB at the peak": round(peak.bytes / MIB),
        },
        {
            "little memory": peak.bytes <= MOST_MIB * MIB,
            "workers computed": segments["workers"] > 0 and segments["here"] == 0,
        },
    )


if __name__ == "__main__":
    main()
