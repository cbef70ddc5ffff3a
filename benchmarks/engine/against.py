"""Value and gradients: this checkout beside another checkout of deltawire, interleaved in one run.

python -m benchmarks.engine.against ../before [--cases a,b] [--dtypes float32] [--threads 1] [--pairs 5]

The other checkout has an environment of its own in `.venv`, as `make serve` makes it.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from statistics import geometric_mean, median

from benchmarks.engine.cases import CASES
from benchmarks.machine import machine
from benchmarks.side_by_side import Program, ratio, side_by_side, times
from benchmarks.tables import number, table


def report(options: Namespace) -> str:
    """Measure every case, dtype and number of threads; return a table of times and ratios, and their mean.

    The ratio is this checkout's time by the other's: below 1, this one is faster.
    """
    names = [case.name for case in CASES if not options.cases or case.family in options.cases]
    rows, ratios = [], []
    for threads in options.threads:
        for dtype in options.dtypes:
            command = ["-m", "benchmarks.engine.worker", "ours", dtype, str(threads), str(options.seconds)]
            programs = {
                "this": Program(command),
                "other": Program(command, options.other / ".venv/bin/python", options.other),
            }
            for name, answers in side_by_side(programs, names, options.pairs).items():
                ratios.append(ratio(answers, "this", "other"))
                medians = [number(median(times(answers, each))) for each in programs]
                rows.append([name, dtype, str(threads), *medians, f"{ratios[-1]:.2f}"])
    head = ["case, batch", "dtype", "threads", "this, ms", "other, ms", "this / other"]
    mean = f"Geometric mean of this / other over {len(ratios)} cases: {geometric_mean(ratios):.3f}"
    return "\n\n".join([machine([]), table(head, rows), mean])


def main() -> None:
    """Read the options, measure, print the report."""
    parser = ArgumentParser(prog="python -m benchmarks.engine.against", description=__doc__.split("\n")[0])
    parser.add_argument("other", type=Path, help="folder of the other checkout")
    parser.add_argument("--cases", type=lambda text: text.split(","), default=[], help="families: a,b")
    parser.add_argument("--dtypes", type=lambda text: text.split(","), default=["float32", "float64"])
    parser.add_argument("--threads", type=lambda text: [*map(int, text.split(","))], default=[1])
    parser.add_argument("--pairs", type=int, default=5, help="rounds; in each, both have a new process")
    parser.add_argument("--seconds", type=float, default=0.3, help="per measurement")
    options = parser.parse_args()
    options.other = options.other.absolute()
    print(report(options))


if __name__ == "__main__":
    main()
