"""Workers and threads: what each choice does to one client that waits, and to several at once.

python -m benchmarks.http.tuning [--rounds 3]
"""

from __future__ import annotations

import resource
import time
from argparse import ArgumentParser
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from statistics import median
from typing import NamedTuple

from benchmarks.http.__main__ import BODY, CIRCUIT, p99, timed
from benchmarks.http.raw import NotNow, raw_call
from benchmarks.http.server import serving
from benchmarks.machine import machine
from benchmarks.tables import number, table
from deltawire import wire

CLIENTS = 4
PAUSE = 0.01
"""Seconds before a client that was refused asks again."""


class Choice(NamedTuple):
    workers: int
    compute_threads: int
    log_level: str = "info"


CHOICES = {
    "1 worker": Choice(1, 1),
    "1 worker, 2 compute threads": Choice(1, 2),
    "2 workers (the default)": Choice(2, 1),
    "2 workers, DELTAWIRE_LOG_LEVEL=warning": Choice(2, 1, "warning"),
}
REQUESTS = {"b 128": (BODY, wire.SAFETENSORS), "circuit": (CIRCUIT, wire.JSON)}


class Load(NamedTuple):
    """Requests answered in a second, the share of those refused, and the processors that the clients took."""

    rate: float
    refused: float
    client_cpu: float


start_together: Barrier


def wait_for(barrier: Barrier) -> None:
    """Make a process one of several clients: to start Python takes the processors that are measured."""
    global start_together
    start_together = barrier


def client(port: int, request: str, seconds: float) -> tuple[int, int, float]:
    """Requests answered and refused in this time, and seconds of processor it took to ask for them."""
    call = raw_call(port, "/v1/gradients", *REQUESTS[request])
    start_together.wait()
    before, count, refused = resource.getrusage(resource.RUSAGE_SELF), 0, 0
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        try:
            call()
            count += 1
        except NotNow:
            refused += 1
            time.sleep(PAUSE)
    after = resource.getrusage(resource.RUSAGE_SELF)
    return count, refused, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def load(port: int, request: str, seconds: float) -> Load:
    spawn = get_context("spawn")
    barrier = spawn.Barrier(CLIENTS)
    with ProcessPoolExecutor(CLIENTS, spawn, wait_for, (barrier,)) as pool:
        given = [[port] * CLIENTS, [request] * CLIENTS, [seconds] * CLIENTS]
        done = list(pool.map(client, *given))
    count, refused, cpu = map(sum, zip(*done, strict=True))
    return Load(count / seconds, refused / (count + refused), cpu / seconds)


def one_round(choice: Choice, seconds: float) -> dict[str, tuple[list[float], Load]]:
    variables = {"DELTAWIRE_COMPUTE_THREADS": str(choice.compute_threads)}
    with serving(workers=choice.workers, DELTAWIRE_LOG_LEVEL=choice.log_level, **variables) as server:
        return {
            name: (
                timed(raw_call(server.port, "/v1/gradients", *request), seconds),
                load(server.port, name, seconds),
            )
            for name, request in REQUESTS.items()
        }


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks.http.tuning", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    found = [{name: one_round(choice, 1.0) for name, choice in CHOICES.items()} for _ in range(rounds)]
    print(machine(["flask", "gunicorn"]), "", sep="\n")
    for request in REQUESTS:
        rows = [
            [
                name,
                number(median(median(each[name][request][0]) for each in found)),
                number(median(p99(each[name][request][0]) for each in found)),
                number(median(each[name][request][1].rate for each in found)),
                f"{100 * median(each[name][request][1].refused for each in found):.1f}",
                number(median(each[name][request][1].client_cpu for each in found)),
            ]
            for name in CHOICES
        ]
        several = f"{CLIENTS} clients, a second"
        head = [request, "one client, ms", "p99, ms", several, "refused, %", "their processors"]
        print(table(head, rows), "", sep="\n")
    one, two = "1 worker", "2 workers (the default)"
    gain = median(each[two]["b 128"][1].rate / each[one]["b 128"][1].rate for each in found)
    missed = " (missed)" if gain < 1.6 else ""
    print(f"- b 128, requests a second, two workers / one: {gain:.2f}, at least 1.6 wanted{missed}")


if __name__ == "__main__":
    main()
