"""A cold start of a service with one worker, to its first answer, and what the worker then has in memory.

python -m benchmarks.http.start [--rounds 7]
"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.http.server import serving
from benchmarks.machine import machine
from benchmarks.tables import number, table
from deltawire_plugins.compiled import INTERFACE, compiled

STUB = f"INTERFACE, instructions = {INTERFACE}, None\n"
"""A package of the kernels for a processor that has none of their instructions: numpy computes."""


def measured(**environment: str) -> tuple[float, float, float]:
    """Start a service, and return milliseconds to its first answer, and its worker's RSS and PSS in MiB."""
    with serving(workers=1, **environment) as server:
        return 1e3 * server.cold_start, server.worker_mib("Rss"), server.worker_mib()


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks.http.start", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="starts of each, after one that is not counted")
    rounds = parser.parse_args().rounds
    with TemporaryDirectory() as folder:
        (Path(folder) / "deltawire_kernels.py").write_text(STUB)
        cases = {"numpy alone": {"PYTHONPATH": folder}}
        if compiled is not None:
            cases[f"kernels for {compiled.instructions}"] = {}
        found = {name: [measured(**environment)] for name, environment in cases.items()}
        for _ in range(rounds):
            for name, environment in cases.items():
                found[name].append(measured(**environment))
    print(machine(["gunicorn"]), "", sep="\n")
    columns = {name: list(zip(*each[1:], strict=True)) for name, each in found.items()}
    rows = [[name, *(number(median(column)) for column in each)] for name, each in columns.items()]
    print(table(["", "cold start, ms", "RSS of a worker, MiB", "PSS of a worker, MiB"], rows))
    if compiled is not None:
        least = [[min(column) for column in each] for each in columns.values()]
        ratios = [with_kernels / alone for alone, with_kernels in zip(*least, strict=True)]
        print(
            "",
            f"- with kernels / numpy alone, by the least of each: {', '.join(map(number, ratios))}",
            sep="\n",
        )


if __name__ == "__main__":
    main()
