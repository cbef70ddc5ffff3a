"""Two workers beside one, a worker that is killed, and what a small request pays to go out and come back.

python -m benchmarks.cluster [--rows 200000]    (needs the extra `deltawire[cluster]`, and PYTHONPATH=tests)

The case (b) has many rows of a dataset, which workers read from the folder of the service. The small request
has 8 segments of a row each: nearly all of its time is the way of tasks and results. The last table has the
figures that are to be reached.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from threading import Timer
from time import perf_counter
from typing import Any, NamedTuple

from support.cluster import Cluster, Sent, bits_of, cut_into, running_cluster, sending_to, use_one_blas_thread
from support.datasets import make_table

from benchmarks.engine.cases import classifier
from benchmarks.machine import machine
from benchmarks.tables import number, table
from deltawire_layers import load_layers
from deltawire_service.cluster.working.worker import NO_LIMITS
from deltawire_service.datasets.column_file import map_columns, write_columns
from deltawire_service.engine import compile_network

ROWS = 200_000
REPEATS = 5
KILLS = 3
SMALL_REPEATS = 200
SEGMENTS = 8


class Kill(NamedTuple):
    """A request in which a worker was killed."""

    seconds: float
    lost: int
    """Segments that were lost with it."""


class Sharded(NamedTuple):
    """Seconds of the case (b): of this process with one thread, of one worker, of two, and beside kills."""

    here: float
    one: float
    two: float
    segments: int
    kills: Sequence[Kill]

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Yield the rows of a table."""
        for name, taken in (("this process", self.here), ("1 worker", self.one), ("2 workers", self.two)):
            yield name, number(taken), f"{self.one / taken:.2f}", ""
        for kill in self.kills:
            yield (
                "2 workers, one killed",
                number(kill.seconds),
                f"{self.one / kill.seconds:.2f}",
                str(kill.lost),
            )

    def extra(self, kill: Kill) -> float:
        """Return the seconds that a kill costs beyond those of the lost segments."""
        return kill.seconds - self.two - kill.lost * self.one / self.segments


def seconds(compute: Callable[[], Any], repeats: int) -> Sequence[float]:
    """How long each of so many calls takes, after one more."""
    compute()
    taken = []
    for _ in range(repeats):
        began = perf_counter()
        compute()
        taken.append(perf_counter() - began)
    return taken


def by_reference(folder: Path, arrays: dict[str, Any]) -> dict[str, Any]:
    """The same arrays as views of a dataset's file in the folder of a service."""
    path = folder / "datasets" / "rows" / "columns.safetensors"
    path.parent.mkdir(parents=True)
    write_columns(path, make_table(arrays, 10_000))
    return map_columns(path)


def kill_one(cluster: Cluster, sent: Sent, compute: Callable[[], Any], after: float) -> Kill:
    """Compute once, while a worker is killed. after: seconds until then."""
    killer = Timer(after, cluster.kill_worker, ("0",))
    killer.start()
    began = perf_counter()
    compute()
    taken = perf_counter() - began
    killer.join()
    cluster.wait_for(2)
    return Kill(taken, sent.last.recomputed)


def shard(folder: Path, rows: int) -> Sharded:
    """Measure the case (b). folder: for its rows; rows: how many."""
    case = classifier("b", rows, 784, 512, 256, 10)
    params, arrays = case.arrays("float32")
    data = by_reference(folder, arrays)
    here = compile_network(case.spec, load_layers(), NO_LIMITS)
    expected = bits_of(here.gradients(params, data))
    taken = [median(seconds(lambda: here.gradients(params, data), REPEATS))]
    for workers in (1, 2):
        with running_cluster(workers, DELTAWIRE_DATA_DIR=str(folder)) as cluster:
            sent = sending_to(cluster, folder)
            network = sent.compile(case.spec)

            def compute(network: Any = network) -> None:
                assert bits_of(network.gradients(params, data)) == expected

            taken.append(median(seconds(compute, REPEATS)))
            segments = sent.last.workers
            times = KILLS if workers == 2 else 0
            kills = [
                kill_one(cluster, sent, compute, taken[-1] * (n + 1) / (KILLS + 1)) for n in range(times)
            ]
    return Sharded(*taken, segments, kills)


def small_requests(folder: Path) -> Sequence[Sequence[float]]:
    """Return the milliseconds of a request of 8 segments of a row each: here, and by two workers."""
    case = classifier("small", SEGMENTS, 16, 8, 4)
    params, data = case.arrays("float32")
    with running_cluster(2, DELTAWIRE_DATA_DIR=str(folder)) as cluster, cut_into(SEGMENTS):
        here = compile_network(case.spec, load_layers(), NO_LIMITS)
        there = sending_to(cluster, folder).compile(case.spec)
        return [
            [1000 * each for each in seconds(lambda n=network: n.gradients(params, data), SMALL_REPEATS)]
            for network in (here, there)
        ]


def reach(sharded: Sharded, small: Sequence[float]) -> Iterator[tuple[str, ...]]:
    """Yield what is to be reached, and what was. small: medians here and by workers, in milliseconds."""
    yield "2 workers / 1 worker, speed", f"{sharded.one / sharded.two:.2f}", "≥ 1.5"
    yield f"{SEGMENTS} segments of a row, ms more than here", number(small[1] - small[0]), "≤ 25"
    worst = max(map(sharded.extra, sharded.kills))
    yield "killed worker, seconds beyond the lost segments", f"{worst:.2f}", "≤ 1"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster")
    parser.add_argument("--rows", type=int, default=ROWS, help="rows of the case (b)")
    rows = parser.parse_args().rows
    print(machine(("dask", "distributed")), "\n")
    use_one_blas_thread()
    with tempfile.TemporaryDirectory() as folder:
        sharded = shard(Path(folder), rows)
    head = f"b {rows:,}, float32, rows by reference, {sharded.segments} segments"
    print(table((head, "seconds", "1 worker / this", "segments lost"), sharded.rows()), "\n")
    with tempfile.TemporaryDirectory() as folder:
        small = small_requests(Path(folder))
    medians = [median(taken) for taken in small]
    named = zip(("here", "2 workers"), small, medians, strict=True)
    parts = [(name, number(p50), number(sorted(taken)[-(len(taken) // 20)])) for name, taken, p50 in named]
    print(table((f"{SEGMENTS} segments of a row", "ms, median", "ms, 95 %"), parts), "\n")
    print(table(("figure", "measured", "to reach"), reach(sharded, medians)))


if __name__ == "__main__":
    main()
