"""Steps of models over HTTP, with gunicorn as we ship it, in one run with what they are measured by.

python -m benchmarks.models [--rounds 3] [--seconds 3] [--steps 10000] [--folder DIR]

    a durable step of case a (batch 32, Adam)    beside two syncs of this disk
    8 clients on one model                       beside one client
    a step of case b (batch 128)                 beside torch's step in a process of its own
    any version of a ledger                      for versions chosen at random
"""

from __future__ import annotations

import json
import os
import random
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Thread
from time import perf_counter
from typing import Any
from urllib.request import Request, urlopen

import numpy as np

from benchmarks.engine.cases import CASES, Case
from benchmarks.http.raw import raw_call
from benchmarks.http.server import Server, serving
from benchmarks.machine import machine
from benchmarks.side_by_side import Contender, Program
from benchmarks.tables import number, table
from deltawire import wire

ADAM = {"kind": "adam", "config": {"learning_rate": 1e-3}}
CLIENTS = 8
BLOCK = bytes(4096)


def case_of(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


def post(server: Server, path: str, body: bytes) -> dict[str, Any]:
    request = Request(f"http://127.0.0.1:{server.port}{path}", body, {"Content-Type": wire.SAFETENSORS})
    with urlopen(request) as answer:
        document: dict[str, Any] = json.loads(answer.read())
        return document


def create(server: Server, name: str, case: Case) -> bytes:
    """Make a model of a case, and return the body of its steps."""
    params, data = case.arrays("float32")
    document = {"name": name, "network": case.spec, "optimizer": ADAM, "params": params}
    request = Request(
        f"http://127.0.0.1:{server.port}/v1/models",
        wire.encode(document, wire.SAFETENSORS),
        {"Content-Type": wire.SAFETENSORS, "Accept": wire.JSON},
    )
    urlopen(request).close()
    return wire.encode({"data": data}, wire.SAFETENSORS)


def step_call(server: Server, name: str, body: bytes) -> Callable[[], dict[str, Any]]:
    """Return a function that takes one step over a connection of its own."""
    call = raw_call(server.port, f"/v1/models/{name}/steps", body, wire.SAFETENSORS, wire.JSON)
    return lambda: dict(json.loads(bytes(call())))


def timed(call: Callable[[], Any], seconds: float) -> list[float]:
    """Return the times of calls, in milliseconds, after a few that are not counted."""
    for _ in range(20):
        call()
    times = list[float]()
    start = perf_counter()
    while len(times) < 20 or perf_counter() - start < seconds:
        begin = perf_counter()
        call()
        times.append(1e3 * (perf_counter() - begin))
    return times


@contextmanager
def two_syncs(folder: Path) -> Iterator[Callable[[], None]]:
    """Give a function that appends to two files of a folder, and syncs each: what a database has to do."""
    files = [os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND) for name in ("first", "second")]

    def commit() -> None:
        for file in files:
            os.write(file, BLOCK)
            os.fdatasync(file)

    yield commit
    for file in files:
        os.close(file)


def rate(calls: list[Callable[[], Any]], seconds: float) -> float:
    """Return how many calls a second end when all are made over and over at once."""
    counts = [0] * len(calls)
    stop = perf_counter() + seconds

    def work(place: int) -> None:
        while perf_counter() < stop:
            calls[place]()
            counts[place] += 1

    threads = [Thread(target=work, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def one_round(folder: Path, seconds: float) -> dict[str, float]:
    """Return the medians of a round, in milliseconds, and the two rates."""
    found = dict[str, float]()
    with serving(DELTAWIRE_DATA_DIR=str(folder / "store")) as server, two_syncs(folder) as commit:
        body = create(server, "a", case_of("a 32"))
        step = step_call(server, "a", body)
        commits, steps = list[float](), list[float]()
        for _ in range(4):  # in turns: what else the machine does meets both alike
            commits += timed(commit, seconds / 4)
            steps += timed(step, seconds / 4)
        found["two syncs"], found["a 32, step"] = median(commits), median(steps)
        found["one client, steps/s"] = rate([step], seconds)
        found["eight clients, steps/s"] = rate(
            [step_call(server, "a", body) for _ in range(CLIENTS)], seconds
        )
        body = create(server, "b", case_of("b 128"))
        step = step_call(server, "b", body)
        torch = Contender(Program(["-m", "benchmarks.models.torch_steps", str(seconds / 2)]))
        losses = [step()["loss"] for _ in range(20)]
        first = torch.ask("b 128")
        if not np.allclose(losses, first["losses"], rtol=1e-4):
            raise SystemExit(f"the losses differ from torch's: {losses} {first['losses']}")
        found["b 128, step"] = median(timed(step, seconds))
        found["b 128, torch's step"] = median([first["ms"], torch.ask("b 128")["ms"]])
        torch.stop()
    return found


def any_version(folder: Path, steps: int) -> list[float]:
    """Return the seconds in which versions of a long ledger, chosen at random, were read."""
    times = list[float]()
    with serving(DELTAWIRE_DATA_DIR=str(folder / "long")) as server:
        call = step_call(server, "a", create(server, "a", case_of("a 32")))
        for _ in range(steps):
            call()
        for version in random.Random(0).sample(range(steps), 40):
            url = f"http://127.0.0.1:{server.port}/v1/models/a/params?version={version}"
            begin = perf_counter()
            with urlopen(Request(url, headers={"Accept": wire.SAFETENSORS})) as answer:
                answer.read()
            times.append(perf_counter() - begin)
    return times


def report(options: Namespace) -> str:
    """Measure in rounds; return a table of medians, and of the figures that were asked for."""
    with TemporaryDirectory(dir=options.folder) as temporary:
        folders = [Path(temporary, str(place)) for place in range(options.rounds + 1)]
        for folder in folders:
            folder.mkdir()
        rounds = [one_round(folder, options.seconds) for folder in folders[:-1]]
        versions = any_version(folders[-1], options.steps) if options.steps else []
    middle = {name: median(each[name] for each in rounds) for name in rounds[0]}
    rows = [[name, number(value)] for name, value in middle.items()]
    beyond = median(each["a 32, step"] - each["two syncs"] for each in rounds)
    clients = median(each["eight clients, steps/s"] / each["one client, steps/s"] for each in rounds)
    torch = median(each["b 128, step"] / each["b 128, torch's step"] for each in rounds)
    asked = [
        ["a 32: a step beyond two syncs, ms", "2", f"{beyond:.2f}"],
        ["eight clients / one client", "0.8", f"{clients:.2f}"],
        ["b 128: a step / torch's", "1.3", f"{torch:.2f}"],
    ]
    if versions:
        asked.append([f"the slowest of 40 versions of {options.steps}, s", "2", f"{max(versions):.2f}"])
    return "\n\n".join(
        [machine(["torch"]), table(["", "median, ms"], rows), table(["", "asked", "seen"], asked)]
    )


def main() -> None:
    """Read the options, measure, print the report."""
    parser = ArgumentParser(prog="python -m benchmarks.models", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="in each, all have new processes")
    parser.add_argument("--seconds", type=float, default=3.0, help="per measurement")
    parser.add_argument("--steps", type=int, default=10_000, help="length of the long ledger; 0 for none")
    parser.add_argument(
        "--folder", type=Path, help="a folder on the disk to measure; by default a temporary one"
    )
    print(report(parser.parse_args()))


if __name__ == "__main__":
    main()
