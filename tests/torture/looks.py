"""S20: how long the layers of deltawire compute between two looks at the deadline.

    PYTHONPATH=tests python -m torture.looks [--short]

Each computes one large example, forward and backward, in one thread. Its processor time counts from look to
look, so that the figure does not depend on what else runs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
from support.layers import BUILT_IN

from deltawire_layers import deadlines
from deltawire_service.engine import compile_network
from deltawire_service.engine.execute import backprop

MOST_SECONDS = 2.0
SHORT = 8
"""A short run computes examples that are so many times smaller."""


class Case(NamedTuple):
    """A layer with a large example; the first size can be divided for a short run."""

    kind: str
    shape: tuple[int, ...]
    config: dict[str, Any] = {}  # noqa: RUF012 (never written to)
    dtype: str = "float32"
    rows: int = 0
    """The integers that it takes, if it takes integers."""


CASES = [
    Case("gelu", (2**23,), dtype="float64"),
    Case("elu", (2**24,)),
    Case("softplus", (2**24,)),
    Case("layer_norm", (2**12, 2**11)),
    Case("softmax", (2**12, 2**12)),
    Case("max", (2**12, 2**12)),
    Case("embedding", (2**22,), {"rows": 2**16, "width": 4}, rows=2**16),
    Case("linear", (4096, 3000), {"units": 5000}),
    Case("linear", (256, 2**16), {"units": 256}),
    Case("conv1d", (1, 2**16), {"channels": 1, "kernel": 2**11}),
    Case("conv2d", (64, 128, 128), {"channels": 64, "kernel": 3, "padding": 1}),
    Case("max_pool2d", (1024, 1024), {"kernel": 32, "stride": 1}),
    Case("lstm", (2**14, 16), {"units": 16}),
]


class Looks:
    """A clock in the place of the one that looks read: it never comes to a deadline, and times the looks."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._last = time.process_time()

    def __call__(self) -> float:
        now = time.process_time()
        self.longest = max(self.longest, now - self._last)
        self._last = now
        return 0.0


@contextmanager
def timed_looks() -> Iterator[Looks]:
    looks = Looks()
    with patch.object(deadlines, "monotonic", looks), patch.object(backprop, "monotonic", looks):
        yield looks
        looks()


def longest_look(case: Case, smaller: int = 1) -> float:
    """The seconds of processor time between the two looks that are farthest apart."""
    shape = (case.shape[0] // smaller or 1, *case.shape[1:])
    dtype = "int64" if case.rows else "float"
    network = compile_network(
        {
            "inputs": {"x": {"shape": list(shape), "dtype": dtype}},
            "nodes": [{"kind": case.kind, "inputs": ["x"], "config": case.config}, {"kind": "sum"}],
        },
        BUILT_IN,
    )
    numbers, params = np.random.default_rng(0), network.init(0, case.dtype)
    draw: Callable[[], Any] = lambda: numbers.standard_normal((1, *shape), case.dtype)  # noqa: E731
    x = numbers.integers(0, case.rows, (1, *shape)) if case.rows else draw()
    with timed_looks() as looks:
        network.gradients(params, {"x": x}, wrt_data=not case.rows)
    return looks.longest


def main() -> int:
    smaller = SHORT if "--short" in sys.argv[1:] else 1
    worst = 0.0
    for case in CASES:
        seconds = longest_look(case, smaller)
        worst = max(worst, seconds)
        print(f"{case.kind:12} {'×'.join(map(str, case.shape)):>14}: {seconds:.2f} s", flush=True)
    print(f"the longest of all: {worst:.2f} s, allowed: {MOST_SECONDS:g} s")
    return int(worst > MOST_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
