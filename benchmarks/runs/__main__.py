"""Runs of a service as shipped, in one go with what they are measured by.

python -m benchmarks.runs [--rounds 3] [--seconds 10] [--folder DIR]

    an epoch of case a (60,000 rows, batch 32, Adam)    beside torch's own loop, with a DataLoader
    requests of case a (batch 32), and health checks     while a run computes, beside none
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import perf_counter, sleep
from typing import Any, NamedTuple
from urllib.request import urlopen

import numpy as np
from safetensors.numpy import save_file

from benchmarks.engine.cases import CASES, Case
from benchmarks.http.raw import raw_call
from benchmarks.http.server import serving
from benchmarks.machine import machine
from benchmarks.side_by_side import Contender, Program
from benchmarks.tables import number, table
from deltawire import Client, optim, wire

ROWS = 60_000
CASE: Case = next(case for case in CASES if case.name == "a 32")
HEALTH_SECONDS = 0.05
"""Seconds from one health check to the next."""


def rows() -> dict[str, Any]:
    """Return the rows of an epoch, by input of the case."""
    stream = np.random.default_rng(1)
    return {
        name: stream.integers(CASE.classes, size=ROWS)
        if slot.get("dtype") == "int64"
        else stream.standard_normal((ROWS, *slot["shape"]), np.float32)
        for name, slot in CASE.spec["inputs"].items()
    }


class Delays(NamedTuple):
    """Milliseconds: half and a hundredth of the requests take longer; the slowest health check."""

    p50: float
    p99: float
    health: float


def delays(port: int, call: Callable[[], Any], seconds: float) -> Delays:
    """Return how long requests take, one after the other, and the health checks meanwhile."""
    checks, stop = list[float](), Event()

    def check() -> None:
        while not stop.wait(HEALTH_SECONDS):
            begin = perf_counter()
            urlopen(f"http://127.0.0.1:{port}/livez").close()
            checks.append(perf_counter() - begin)

    thread = Thread(target=check)
    for _ in range(20):
        call()
    thread.start()
    times = list[float]()
    start = perf_counter()
    while perf_counter() - start < seconds:
        begin = perf_counter()
        call()
        times.append(perf_counter() - begin)
    stop.set()
    thread.join()
    cuts = quantiles(times, n=100)
    return Delays(1e3 * cuts[49], 1e3 * cuts[98], 1e3 * max(checks))


def one_round(folder: Path, seconds: float) -> tuple[dict[str, float], Delays, Delays]:
    """Return the seconds of an epoch, ours and torch's, and the delays without a run and beside one."""
    params, data = CASE.arrays("float32")
    table_of_rows, file = rows(), folder / "rows.safetensors"
    save_file(table_of_rows, file)
    body = wire.encode({"network": CASE.spec, "params": params, "data": data}, wire.SAFETENSORS)
    with serving(workers=2, DELTAWIRE_DATA_DIR=str(folder / "store")) as server:
        client = Client(f"http://127.0.0.1:{server.port}")
        client.upload_dataset("rows", file)
        made = {name: client.create_model(CASE.spec, name=name, optimizer=optim.adam(1e-3), params=params)
                for name in ("epoch", "beside")}  # fmt: skip
        torch = Contender(Program(["-m", "benchmarks.runs.torch_epoch", str(file)]))
        first = torch.ask(CASE.name)
        run = made["epoch"].fit("rows", batch_size=CASE.batch, epochs=1, wait=False)
        seconds_of_epoch = run.wait()["seconds"]
        losses = [step.loss for step in run]
        second = torch.ask(CASE.name)
        torch.stop()
        if not np.isclose(np.mean(losses), first["loss"], rtol=1e-2):  # the orders differ
            raise SystemExit(f"the mean loss is {np.mean(losses)}, and torch's {first['loss']}")
        epoch = {"ours": seconds_of_epoch, "torch": median([first["seconds"], second["seconds"]])}
        call = raw_call(server.port, "/v1/gradients", body, wire.SAFETENSORS)
        quiet = delays(server.port, call, seconds)
        run = made["beside"].fit("rows", batch_size=CASE.batch, epochs=1000, wait=False)
        while not run.describe()["steps"]:
            sleep(0.1)
        beside = delays(server.port, call, seconds)
        if run.state != "running":
            raise SystemExit(f"the run beside the requests has ended: {run.describe()}")
        run.cancel()
    return epoch, quiet, beside


def report(options: Namespace) -> str:
    """Measure in rounds; return a table of medians, and of the figures that were asked for."""
    rounds = []
    for _ in range(options.rounds):
        with TemporaryDirectory(dir=options.folder) as folder:
            rounds.append(one_round(Path(folder), options.seconds))
    epochs, quiet, beside = zip(*rounds, strict=True)
    rows = [
        [f"an epoch, {who}, s", number(median(each[who] for each in epochs))] for who in ("ours", "torch")
    ]
    for what, found in (("no run", quiet), ("beside a run", beside)):
        for name in Delays._fields:
            rows.append([f"{what}, {name}, ms", number(median(getattr(each, name) for each in found))])
    epoch = median(each["ours"] / each["torch"] for each in epochs)
    p99 = median(with_run.p99 / without.p99 for with_run, without in zip(beside, quiet, strict=True))
    asked = [
        ["an epoch / torch's", "1.5", f"{epoch:.2f}"],
        ["p99 of requests beside a run / without one", "1.5", f"{p99:.2f}"],
        ["the slowest health check beside a run, ms", "100", f"{max(each.health for each in beside):.1f}"],
    ]
    return "\n\n".join([machine(["torch"]), table(["", "median"], rows), table(["", "asked", "seen"], asked)])


def main() -> None:
    """Read the options, measure, print the report."""
    parser = ArgumentParser(prog="python -m benchmarks.runs", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="in each, all have new processes")
    parser.add_argument("--seconds", type=float, default=10.0, help="of requests, without and beside a run")
    parser.add_argument(
        "--folder", type=Path, help="a folder on the disk to measure; by default a temporary one"
    )
    print(report(parser.parse_args()))


if __name__ == "__main__":
    main()
