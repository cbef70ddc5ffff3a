"""One engine in a process of its own: reads the name of a case from a line, writes its time, until told to stop.

python -m benchmarks.engine.worker ENGINE DTYPE THREADS SECONDS
"""  # noqa: E501

from __future__ import annotations

import json
import sys
from importlib import import_module
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.engine import processes

SAMPLE = 100  # numbers of each gradient shown, to be compared


def measure(engine: Any, case: Any, dtype: str, threads: int, seconds: float) -> dict[str, Any]:
    """The median time of a call, in milliseconds, warm; with its loss and some numbers of its gradients."""
    call = engine.prepare(case, dtype, threads)
    params, data = case.arrays(dtype)
    answer = call(params, data)
    start = perf_counter()
    while perf_counter() - start < seconds / 2:
        call(params, data)
    times: list[float] = []
    start = perf_counter()
    while len(times) < 3 or perf_counter() - start < seconds:
        begin = perf_counter()
        call(params, data)
        times.append(perf_counter() - begin)
    return {"ms": 1e3 * median(times), "loss": None, "gradients": {}} | (shown(*answer) if answer else {})


def shown(loss: float, gradients: dict[str, Any]) -> dict[str, Any]:
    sample = {
        name: array.ravel()[:: max(1, array.size // SAMPLE)].astype(float).tolist()
        for name, array in gradients.items()
    }
    return {"loss": loss, "gradients": sample}


def main(name: str, dtype: str, threads: int, seconds: float) -> None:
    processes.set_up(name, threads)
    from benchmarks.engine.cases import CASES

    engine = import_module(f"benchmarks.engine.{processes.MODULES[name]}")
    cases = {case.name: case for case in CASES}
    for line in sys.stdin:
        print(json.dumps(measure(engine, cases[line.strip()], dtype, threads, seconds)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
