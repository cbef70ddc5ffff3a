"""Requests over HTTP: this checkout beside another checkout of deltawire, call by call in one run.

python -m benchmarks.http.against ../before [--rounds 5] [--seconds 1]

The other checkout has an environment of its own in `.venv`, as `make serve` makes it.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from statistics import geometric_mean, median
from typing import Any

from benchmarks.engine.cases import CASES
from benchmarks.http.__main__ import CIRCUIT, timed_in_turn
from benchmarks.http.raw import raw_call
from benchmarks.http.server import PYTHON, serving
from benchmarks.machine import machine
from benchmarks.tables import number, table
from deltawire import wire

NETWORKS = ("a 1", "a 32", "b 128", "c 64")
"""Cases of the engine's benchmark that are also sent over HTTP, as float32."""


def requests() -> dict[str, tuple[bytes, str]]:
    """Return bodies for `/v1/gradients` and their media types, by the names of the cases."""
    cases = {case.name: case for case in CASES}
    bodies = {"circuit, JSON": (CIRCUIT, wire.JSON)}
    for name in NETWORKS:
        params, data = cases[name].arrays("float32")
        document = {"network": cases[name].spec, "params": params, "data": data}
        bodies[f"{name}, safetensors"] = wire.encode(document, wire.SAFETENSORS), wire.SAFETENSORS
        if name == "a 32":
            bodies[f"{name}, JSON"] = wire.encode({**document, "dtype": "float32"}, wire.JSON), wire.JSON
    return bodies


def medians(python: Path, other: Path, seconds: float) -> dict[str, list[float]]:
    """Return the median times of both checkouts, in milliseconds, by the names of the cases."""
    with serving(python=python) as this, serving(python=other) as that:
        result = {}
        for name, (body, media_type) in requests().items():
            calls: list[Callable[[], Any]] = [
                raw_call(server.port, "/v1/gradients", body, media_type) for server in (this, that)
            ]
            result[name] = [median(times) for times in timed_in_turn(calls, seconds)]
        return result


def report(options: Namespace) -> str:
    """Measure every case in every round; return a table of times and ratios, and their mean.

    The ratio is this checkout's time by the other's: below 1, this one is faster.
    """
    other = options.other.absolute() / ".venv/bin/python"
    rounds = [medians(PYTHON, other, options.seconds) for _ in range(options.rounds)]
    rows, ratios = [], []
    for name in rounds[0]:
        ratios.append(median(each[name][0] / each[name][1] for each in rounds))
        times = [number(median(each[name][place] for each in rounds)) for place in (0, 1)]
        rows.append([name, *times, f"{ratios[-1]:.3f}"])
    mean = f"Geometric mean of this / other over {len(ratios)} cases: {geometric_mean(ratios):.3f}"
    return "\n\n".join([machine([]), table(["", "this, ms", "other, ms", "this / other"], rows), mean])


def main() -> None:
    """Read the options, measure, print the report."""
    parser = ArgumentParser(prog="python -m benchmarks.http.against", description=__doc__.split("\n")[0])
    parser.add_argument("other", type=Path, help="folder of the other checkout")
    parser.add_argument("--rounds", type=int, default=5, help="in each, both have new processes")
    parser.add_argument("--seconds", type=float, default=1.0, help="per measurement")
    print(report(parser.parse_args()))


if __name__ == "__main__":
    main()
