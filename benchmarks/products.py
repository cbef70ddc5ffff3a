"""Large matrix products of the cases a, b and c: by numpy's own BLAS and by MKL, of the extra `mkl`.

python -m benchmarks.products [--dtypes float32,float64] [--pairs 5] [--seconds 0.2]

Each computes in processes of its own, with one thread. Times are those of the processor, the best of many.
"""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from statistics import geometric_mean, median
from time import process_time
from typing import NamedTuple

import numpy as np

from benchmarks.engine import processes
from benchmarks.engine.cases import CASES
from benchmarks.machine import machine
from benchmarks.side_by_side import Program, ratio, side_by_side, times
from benchmarks.tables import number, table
from deltawire_layers import blas, pieces

BLAS = ("numpy", "mkl")


class Product(NamedTuple):
    """A product of a linear layer: x Wᵀ, δ W or δᵀ x, with so many rows, numbers in and numbers out."""

    name: str
    rows: int
    width: int
    units: int

    def __str__(self) -> str:
        n, k, m = {
            "x Wᵀ": (self.rows, self.width, self.units),
            "δ W": (self.rows, self.units, self.width),
            "δᵀ x": (self.units, self.rows, self.width),
        }[self.name]
        return f"{self.name}: {n}×{k}×{m}"

    def matrices(self, dtype: str) -> tuple[np.ndarray, np.ndarray]:
        """The matrices of the product, as a layer has them: views of x, δ and W."""
        random = np.random.default_rng(0)
        x, delta, W = (
            random.standard_normal(shape, np.float32).astype(dtype)
            for shape in ((self.rows, self.width), (self.rows, self.units), (self.units, self.width))
        )
        return {"x Wᵀ": (x, W.T), "δ W": (delta, W), "δᵀ x": (delta.T, x)}[self.name]


def products() -> Iterator[Product]:
    """The products of the cases that MKL would compute, each once."""
    seen = set[Product]()
    for case in CASES:
        if case.family in "abc":
            for width, units, sends_down in case.products():
                for name in ("x Wᵀ", *(["δ W"] if sends_down else []), "δᵀ x"):
                    product = Product(name, case.batch, width, units)
                    if product not in seen and case.batch * width * units >= blas.LEAST:
                        seen.add(product)
                        yield product


def work(dtype: str, seconds: float) -> None:
    """Answer each product with its time, in milliseconds, and one of its numbers."""
    processes.set_up("ours", 1)
    assert blas.name() == os.environ["DELTAWIRE_BLAS"]
    named = {str(product): product for product in products()}
    for line in sys.stdin:
        a, b = named[line.strip()].matrices(dtype)
        taken: list[float] = []
        until = process_time() + seconds
        while len(taken) < 5 or process_time() < until:
            begin = process_time()
            product = pieces.product(a, b)
            taken.append(process_time() - begin)
        print(json.dumps({"ms": 1e3 * min(taken), "shown": float(product[-1, -1])}), flush=True)


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--dtypes", type=lambda text: text.split(","), default=["float32", "float64"])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.2)
    options = parser.parse_args()
    print(machine(["mkl"]))
    for dtype in options.dtypes:
        programs = {
            name: Program(
                ["-m", "benchmarks.products", "--work", dtype, str(options.seconds)],
                variables=processes.variables("ours", 1) | {"DELTAWIRE_BLAS": name},
            )
            for name in BLAS
        }
        rows, ratios = [], []
        for name, answers in side_by_side(programs, map(str, products()), options.pairs).items():
            shown = [answers[each][0]["shown"] for each in BLAS]
            np.testing.assert_allclose(*shown, rtol=1e-2 if dtype == "float32" else 1e-9, atol=1e-4)
            ratios.append(ratio(answers, "mkl", "numpy"))
            rows.append([name, *(number(median(times(answers, each))) for each in BLAS), number(ratios[-1])])
        print(f"\n{dtype}, 1 thread\n")
        print(table(["product", "numpy, ms", "MKL, ms", "MKL / numpy"], rows))
        print(f"\nGeometric mean of MKL / numpy: {number(geometric_mean(ratios))}")


if __name__ == "__main__":
    if "--work" in sys.argv:
        work(sys.argv[2], float(sys.argv[3]))
    else:
        main()
