"""Value and gradients: our engine beside torch, jax, HIPS autograd and the bare matrix products.

python -m benchmarks.engine [--cases a,b] [--dtypes float32] [--threads 1,2] [--engines ours,torch]
                            [--pairs 5] [--quick] [--json FILE]
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path
from statistics import geometric_mean, median

import numpy as np

from benchmarks.engine.cases import CASES, Case
from benchmarks.engine.processes import MODULES
from benchmarks.machine import machine
from benchmarks.side_by_side import Answers, Program, ratio, side_by_side, times
from benchmarks.tables import number, table

DTYPES = ("float32", "float64")
TOLERANCE = {"float32": 2e-4, "float64": 1e-10}  # of the largest number of an array
PEERS = ("torch", "jax")  # whom we want to be ahead of
NEAR_PRODUCTS = ("b 128", "b 4096", "e 512")  # where the matrix products are what there is to compute


@dataclass(frozen=True)
class Row:
    """A case as measured: with one dtype and number of threads, by all engines."""

    case: str
    dtype: str
    threads: int
    answers: Answers

    @property
    def label(self) -> str:
        return f"{self.case}, {self.dtype}, {self.threads} {'thread' if self.threads == 1 else 'threads'}"


def measure(options: Namespace) -> list[Row]:
    rows = []
    for threads in options.threads:
        for dtype in options.dtypes:
            programs = {
                name: Program(
                    ["-m", "benchmarks.engine.worker", name, dtype, str(threads), str(options.seconds)]
                )
                for name in options.engines
            }
            names = [case.name for case in options.cases]
            for name, answers in side_by_side(programs, names, options.pairs).items():
                rows.append(Row(name, dtype, threads, answers))
                check(rows[-1])
            print(f"{dtype}, {threads}: done", file=sys.stderr)
    return rows


def check(row: Row) -> None:
    """Ends the program unless all engines computed the same numbers."""
    computed = {name: found[-1] for name, found in row.answers.items() if found[-1]["loss"] is not None}
    reference = computed.get("ours") or next(iter(computed.values()), None)
    for name, found in computed.items():
        pairs = [("loss", found["loss"], reference["loss"])]
        pairs += [
            (key, found["gradients"][key], expected) for key, expected in reference["gradients"].items()
        ]
        for key, got, expected in pairs:
            largest = np.abs(expected).max()
            if not np.allclose(got, expected, rtol=0, atol=TOLERANCE[row.dtype] * largest):
                raise SystemExit(f"{row.label}: {name} disagrees on {key}: {got} instead of {expected}")


def report(rows: list[Row], engines: list[str]) -> str:
    parts = [machine([name for name in ("torch", "jax", "autograd") if name in engines])]
    others = [name for name in engines if name != "ours"]
    for threads in sorted({row.threads for row in rows}):
        for dtype in DTYPES:
            chosen = [row for row in rows if (row.threads, row.dtype) == (threads, dtype)]
            if chosen:
                parts.append(f"### {dtype}, {threads} {'thread' if threads == 1 else 'threads'}")
                parts.append(times_table(chosen, engines, others))
    if "ours" in engines and set(PEERS) <= set(engines):
        parts.append(summary(rows, "bare" in engines))
    return "\n\n".join(parts)


def times_table(rows: list[Row], engines: list[str], others: list[str]) -> str:
    """Milliseconds of each engine, then ours by each of the others."""
    both = "ours" in engines and set(PEERS) <= set(engines)
    head = ["case, batch", *(f"{name}, ms" for name in engines)]
    head += [f"ours / {name}" for name in others if "ours" in engines]
    head += ["ours / min(torch, jax)"] if both else []
    body = []
    for row in rows:
        line = [row.case, *(number(median(times(row.answers, name))) for name in engines)]
        line += [f"{ratio(row.answers, 'ours', name):.2f}" for name in others if "ours" in engines]
        line += [f"**{ratio(row.answers, 'ours', *PEERS):.2f}**"] if both else []
        body.append(line)
    return table(head, body)


def summary(rows: list[Row], bare: bool) -> str:
    """What we want to reach, and whether we do."""
    compared = [row for row in rows if not row.case.startswith("d")]
    lines = ["### Reached?"]
    if compared:
        ratios = {row.label: ratio(row.answers, "ours", *PEERS) for row in compared}
        missed = [f"  - {label}: {value:.2f}" for label, value in ratios.items() if value > 1]
        lines += [
            f"- Not slower than the faster of torch and jax, in {len(ratios) - len(missed)} of {len(ratios)} "
            f"cases; missed in {len(missed)}{':' if missed else '.'}",
            *missed,
            f"- Geometric mean of ours / min(torch, jax) over these {len(ratios)}: "
            f"{geometric_mean(ratios.values()):.2f}, at most 0.85 wanted.",
        ]
    if bare:
        lines += against_bare(rows, NEAR_PRODUCTS, "its own matrix products", 1.15)
        lines += against_bare(rows, ("d 1", "d 4096"), "the bare ufunc calls", 2)
    return "\n".join(lines)


def against_bare(rows: list[Row], cases: tuple[str, ...], what: str, most: float) -> list[str]:
    ratios = {row.label: ratio(row.answers, "ours", "bare") for row in rows if row.case in cases}
    if not ratios:
        return []
    lines = [f"  - {label}: {value:.2f}{' (missed)' * (value > most)}" for label, value in ratios.items()]
    return [f"- Ours by {what}, at most {most} wanted:", *lines]


def options() -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks.engine", description=__doc__.split("\n")[0])
    families = {case.family for case in CASES}

    def chosen(text: str) -> list[Case]:
        """Families (a) or single cases (a 32)."""
        names = text.split(",")
        cases = [case for case in CASES if case.family in names or case.name in names]
        if unknown := set(names) - families - {case.name for case in CASES}:
            raise ValueError(unknown)
        return cases

    parser.add_argument("--cases", type=chosen, default=CASES, help="families or cases: a,b or 'a 32,c 64'")
    parser.add_argument("--dtypes", type=lambda text: text.split(","), default=list(DTYPES))
    parser.add_argument("--threads", type=lambda text: [*map(int, text.split(","))], default=[1, 2])
    parser.add_argument("--engines", type=lambda text: text.split(","), default=list(MODULES))
    parser.add_argument(
        "--pairs", type=int, default=5, help="rounds; in each, every engine has a new process"
    )
    parser.add_argument(
        "--seconds", type=float, default=0.3, help="per measurement, after half of it to warm up"
    )
    parser.add_argument("--quick", action="store_true", help="two rounds of short measurements")
    parser.add_argument("--json", type=Path, help="write every time of every round")
    given = parser.parse_args()
    if given.quick:
        given.pairs, given.seconds = 2, 0.1
    return given


def main() -> None:
    given = options()
    rows = measure(given)
    print(report(rows, given.engines))
    if given.json:
        lines = [
            {
                "case": row.case,
                "dtype": row.dtype,
                "threads": row.threads,
                "ms": {name: times(row.answers, name) for name in row.answers},
            }
            for row in rows
        ]
        given.json.write_text(json.dumps(lines, indent=1))


if __name__ == "__main__":
    main()
