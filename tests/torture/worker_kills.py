"""Workers are killed while they compute: the SHA-256 of every answer is that of one process.

    PYTHONPATH=tests python -m torture.worker_kills [--short]

One cluster after the other has 1, 2, 4 and 8 workers. Clients have them compute every derivative in both
dtypes, for services of one thread and of two. At random moments a worker gets SIGKILL, and Dask's nanny
starts another. `torture.worker_runs` does the same to a run.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from threading import Lock, local
from time import monotonic
from typing import Any, NamedTuple

import numpy as np
from support.cluster import Sent, cut_into, running_cluster, sending_to
from support.derivative_bits import Answer, answer_hash, derivative_requests
from support.engine import LAYERS
from support.killer import Killer
from torture.load import arguments, report

from deltawire_service.cluster.errors import WorkerLost
from deltawire_service.cluster.report import Report
from deltawire_service.engine import Threads, compile_network

SPEC: dict[str, Any] = {
    "inputs": {"x": {"shape": [6]}, "y": {"shape": [], "dtype": "int64"}},
    "nodes": [
        {"kind": "linear", "inputs": ["x"], "config": {"units": 3}},
        {"kind": "tanh"},
        {"kind": "linear", "config": {"units": 3}},
        {"name": "loss", "kind": "softmax_nll", "inputs": ["linear2", "y"]},
    ],
}
ROWS, SEGMENTS = 400, 8
DTYPES = ("float32", "float64")
SERVICE_THREADS = (1, 2)

CLUSTERS = ((1, 2, 20), (2, 1, 60), (4, 2, 60), (8, 1, 60))
"""Workers, the threads of each, and how often one is killed: without others it takes long to come back."""

CLIENTS = 4
LONGEST_PAUSE = 2.0

SHORT_TIMES = 9
"""How often the other requests are sent for each forward Jacobian, which has a run for each number."""


class Request(NamedTuple):
    """A request, and the SHA-256 of the answer of one process."""

    name: str
    compute: Callable[[], Answer]
    expected: str

    @property
    def is_long(self) -> bool:
        return "forward" in self.name


class Comparisons:
    """Draws requests one after the other, and compares their answers, until workers have computed so many.

    Attributes:
        compared: answers with segments of workers.
        alone: answers that the service computed by itself.
        lost: requests that were refused.
        different: requests whose answers had other bits.
    """

    def __init__(self, count: int):
        self.compared = self.lost = self.alone = 0
        self.different = list[str]()
        self._count = count
        self._lock = Lock()
        self._mine = local()

    def on_report(self, report: Report) -> None:
        """Count the segments that workers have computed for the request of this thread."""
        self._mine.segments = getattr(self._mine, "segments", 0) + report.workers

    def run(self, requests: Iterator[Request], killer: Killer) -> None:
        """Compare until this and all kills are done. requests: are drawn by several threads."""
        while self.compared < self._count or not killer.is_done:
            with self._lock:
                request = next(requests)
            self._mine.segments = 0
            try:
                found = answer_hash(request.compute())
            except WorkerLost:  # a segment was with three workers that were killed
                with self._lock:
                    self.lost += 1
                continue
            with self._lock:
                self.compared += self._mine.segments > 0
                self.alone += self._mine.segments == 0  # there was no worker for a moment
                if found != request.expected:
                    self.different.append(request.name)


def requests_of(services: dict[int, Sent]) -> Iterator[Request]:
    """Yield every derivative in each dtype, of each service. services: by their threads."""
    numbers = np.random.default_rng(0)
    for dtype in DTYPES:
        x = numbers.standard_normal((ROWS, 6)).astype(dtype)
        data = {"x": x, "y": numbers.integers(0, 3, ROWS)}
        alone = compile_network(SPEC, LAYERS, threads=Threads(1))
        params = alone.init(0, dtype)
        expected = {
            name: answer_hash(compute()) for name, compute in derivative_requests(alone, params, data).items()
        }
        for threads, sent in services.items():
            found = derivative_requests(sent.compile(SPEC), params, data)
            for name, compute in found.items():
                yield Request(f"{name}, {dtype}, {threads} threads", compute, expected[name])


def segments_of(services: dict[int, Sent], part: str) -> int:
    """Return how many segments were computed until now. part: as the reports name it."""
    return sum(getattr(each, part) for sent in services.values() for each in sent.reports)


def disturb(workers: int, threads: int, kills: int, comparisons: int, dice: random.Random) -> dict[str, Any]:
    """Compare answers of a cluster whose workers are killed.

    Args:
        workers: number of its workers.
        threads: those of each worker.
        kills: number of kills.
        comparisons: number of answers.
        dice: chooses whom to kill, and when.
    """
    began = monotonic()
    with tempfile.TemporaryDirectory() as folder, cut_into(SEGMENTS):
        with running_cluster(workers, "--threads", str(threads), DELTAWIRE_DATA_DIR=folder) as cluster:
            compared = Comparisons(comparisons)
            services = {
                each: sending_to(cluster, Path(folder), each, compared.on_report) for each in SERVICE_THREADS
            }
            requests = [*requests_of(services)]
            killer = Killer(cluster, kills, dice, LONGEST_PAUSE, lambda: segments_of(services, "workers"))
            short, long = ([each for each in requests if each.is_long == long] for long in (False, True))
            drawn = cycle([*short * SHORT_TIMES, *long])
            with killer.at_work(), ThreadPoolExecutor(CLIENTS) as pool:
                for client in [pool.submit(compared.run, drawn, killer) for _ in range(CLIENTS)]:
                    client.result()
    return {
        "workers": workers,
        "requests": len(requests),
        "compared": compared.compared,
        "computed by the service alone": compared.alone,
        "different": compared.different,
        "killed": killer.killed,
        "worker_lost": compared.lost,
        **{f"segments {part}": segments_of(services, part) for part in ("workers", "here", "recomputed")},
        "seconds": round(monotonic() - began, 1),
    }


def main() -> None:
    given = arguments("worker_kills")
    clusters = [(2, 1, 4)] if given.short else CLUSTERS
    comparisons = 100 if given.short else 10_000
    dice = random.Random(given.seed)
    found = [disturb(*each, -(-comparisons // len(clusters)), dice) for each in clusters]
    total = {name: sum(each[name] for each in found) for name in ("compared", "killed")}
    report(
        {"seed": given.seed, **total, "clusters": found},
        {
            "equal answers": not any(each["different"] for each in found),
            "so many comparisons": total["compared"] >= comparisons,
            "so many kills": total["killed"] >= sum(kills for _, _, kills in clusters),
        },
    )


if __name__ == "__main__":
    main()
