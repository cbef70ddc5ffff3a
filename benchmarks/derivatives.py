"""What a Hessian-vector product costs beside a gradient, ours and jax's: float64, one thread.

python -m benchmarks.derivatives [ROUNDS]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.engine import processes
from benchmarks.engine.blocks import BLOCKS, jax_operations
from benchmarks.engine.cases import CASES, Case
from benchmarks.side_by_side import Program, ratio, side_by_side, times
from benchmarks.tables import number, table

NAMES = ("a 1", "a 32", "a 1024", "b 128", "c 64", *(case.name for case in BLOCKS))
SECONDS = 0.4
"""How long each call is repeated for, after as long to warm up."""
SAME = 1e-10
"""How far ours may be from jax's product, relative to its largest number."""

Call = Callable[[], Any]
COMMAND = ["-m", "benchmarks.derivatives"]


def ours(case: Case, params: Any, data: Any, vectors: Any) -> tuple[Call, Call]:
    """A gradient and a Hessian-vector product, by our engine."""
    from deltawire_layers import load_layers
    from deltawire_service.engine import Direction, Limits, compile_network
    from deltawire_service.server.malloc import keep_memory

    keep_memory()
    network = compile_network(case.spec, load_layers(), Limits(planned_bytes=2**40))
    along = Direction(vectors)
    return lambda: network.gradients(params, data).params, lambda: network.hvp(params, data, along).params


def jax(case: Case, params: Any, data: Any, vectors: Any) -> tuple[Call, Call]:
    """The same by jax, forward over reverse, compiled."""
    import jax

    from benchmarks.engine.cases import walk
    from benchmarks.engine.jax_peer import OPERATIONS

    jax.config.update("jax_enable_x64", True)
    network = walk(case, OPERATIONS | jax_operations())
    gradient = jax.grad(lambda params, data: network(params, data).mean())

    def product(params: Any, data: Any, vectors: Any) -> Any:
        return jax.jvp(lambda params: gradient(params, data), (params,), (vectors,))[1]

    first, second = jax.jit(gradient), jax.jit(product)

    def arrays(found: Any) -> Any:
        return {name: np.asarray(array) for name, array in found.items()}

    return lambda: arrays(first(params, data)), lambda: arrays(second(params, data, vectors))


def milliseconds(call: Call) -> float:
    taken: list[float] = []
    start = perf_counter()
    while perf_counter() - start < SECONDS:
        call()
    start = perf_counter()
    while len(taken) < 3 or perf_counter() - start < SECONDS:
        begin = perf_counter()
        call()
        taken.append(1e3 * (perf_counter() - begin))
    return median(taken)


def answer(engine: str, order: str) -> None:
    """Reads names of cases, one a line, and writes how long one kind of call takes for each."""
    processes.set_up(engine, 1)
    cases = {case.name: case for case in (*CASES, *BLOCKS)}
    for line in sys.stdin:
        case = cases[line.strip()]
        params, data = case.arrays("float64")
        stream = np.random.default_rng(1)
        vectors = {name: stream.standard_normal(array.shape) for name, array in params.items()}
        gradient, product = {"ours": ours, "jax": jax}[engine](case, params, data, vectors)
        call = gradient if order == "first" else product
        sample = {name: array.ravel()[::97].tolist() for name, array in call().items()}
        print(json.dumps({"ms": milliseconds(call), "sample": sample}), flush=True)


def main(rounds: int) -> None:
    programs = {
        f"{engine} {order}": Program([*COMMAND, engine, order], variables=processes.variables(engine, 1))
        for engine in ("ours", "jax")
        for order in ("first", "second")
    }
    found = side_by_side(programs, NAMES, rounds)
    rows = []
    for question, answers in found.items():
        mine, theirs = (answers[f"{engine} second"][0]["sample"] for engine in ("ours", "jax"))
        for name, numbers in theirs.items():
            distance = np.abs(np.subtract(mine[name], numbers)).max() / np.abs(numbers).max()
            assert distance <= SAME, (question, name, distance)
        rows.append(
            [
                question,
                *(number(median(times(answers, name))) for name in programs),
                number(ratio(answers, "ours second", "ours first")),
                number(ratio(answers, "jax second", "jax first")),
                number(ratio(answers, "ours second", "jax second")),
            ]
        )
    head = ["case, batch", "our gradient, ms", "our Hv, ms", "jax's gradient, ms", "jax's Hv, ms"]
    print(table([*head, "our Hv / gradient", "jax's Hv / gradient", "our Hv / jax's"], rows))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        answer(sys.argv[1], sys.argv[2])
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 3)
