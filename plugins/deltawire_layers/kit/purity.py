"""Rule 1, pure: the same arguments give the same bits, whatever came before; nothing is written or kept."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import Barrier
from types import FunctionType
from typing import Any

import numpy as np

from deltawire_layers.kit.points import Point
from deltawire_layers.kit.trial import Trial, read_only
from deltawire_layers.layer import Array, Layer


def pure(trial: Trial, point: Point) -> None:
    """Repeated and interleaved passes give the same bits and leave everything as it was."""
    other = point.with_rows(lambda array: array[::-1])._replace(
        params={name: 1.25 * w for name, w in point.params.items()}
    )
    before = _state(trial.layer)
    run = trial.forward(point)
    answers = run.answers()
    right = bits(answers)
    for name, state in _state(trial.layer).items():
        if state != before.get(name):
            raise trial.broken(1, f"self.{name}", "is changed by a call")
    trial.forward(other).answers()
    same_bits(trial, 1, right, bits(answers), "is overwritten by a later call")
    same_bits(trial, 1, right, bits(run.answers()), "gives other numbers when it is called again")
    fresh = trial.forward(point)
    same_bits(trial, 1, right, bits(fresh.answers()), "gives other numbers for the same arguments")
    if [a.tobytes() for a in run.given.arrays()] != [a.tobytes() for a in point.arrays()]:
        raise trial.broken(1, "value", "or an equation writes to an argument")


def bits(answers: Mapping[str, Array]) -> dict[str, bytes]:
    return {closure: answer.tobytes() for closure, answer in answers.items()}


def same_bits(
    trial: Trial, rule: int, right: Mapping[str, bytes], got: Mapping[str, bytes], problem: str
) -> None:
    for closure, found in got.items():
        if found != right[closure]:
            raise trial.broken(rule, closure, problem)


def _state(layer: Layer) -> dict[str, list[object]]:
    """All that can be reached from the attributes of a layer and of its class, by attribute."""
    attributes: dict[str, object] = {}
    for level in (*reversed(type(layer).__mro__), layer):
        attributes |= vars(level)
    return {name: list(_contents(a, set())) for name, a in attributes.items() if not name.startswith("__")}


def _contents(thing: Any, seen: set[int]) -> Iterator[object]:
    """The arrays, numbers and other indivisible things inside a thing."""
    if isinstance(thing, np.ndarray):
        yield thing.dtype, thing.shape, thing.tobytes()
    elif isinstance(thing, Mapping | list | tuple | set) or (
        hasattr(thing, "__dict__") and not isinstance(thing, type | FunctionType)
    ):
        if id(thing) in seen:
            return
        seen.add(id(thing))
        parts = thing if isinstance(thing, Mapping | list | tuple | set) else vars(thing)
        for part in parts.items() if isinstance(parts, Mapping) else parts:
            yield from _contents(part, seen)
    else:
        yield thing


def concurrent(trial: Trial, point: Point) -> None:
    """Threads that share one forward pass get what each would get alone."""
    run = trial.forward(point)
    deltas = [read_only(factor * point.delta) for factor in (1, -2, 3, -4)]
    alone = [bits(run.backward(delta=delta)) for delta in deltas]

    start = Barrier(len(deltas))

    def work(number: int) -> None:
        start.wait()
        for _ in range(3):
            got = bits(run.backward(delta=deltas[number]))
            same_bits(trial, 1, alone[number], got, "gives other numbers when several threads call it")

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads take turns as often as they can
    try:
        with ThreadPoolExecutor(len(deltas)) as pool:
            for done in [pool.submit(copy_context().run, work, number) for number in range(len(deltas))]:
                done.result()
    finally:
        sys.setswitchinterval(interval)


def any_layout(trial: Trial, point: Point) -> None:
    """How arguments lie in memory is no matter: one row for all examples (stride 0), or Fortran order."""
    first = point.with_rows(lambda array: np.repeat(array[:1], len(array), axis=0))
    shared = point.with_all(read_only).with_rows(lambda array: np.broadcast_to(array[0], array.shape))
    fortran = point.with_all(np.asfortranarray).with_all(read_only)
    for usual, unusual, layout in (
        (first, shared, "are one row of memory for all examples"),
        (point, fortran, "lie in Fortran order"),
    ):
        here, answers = trial.measure(usual), trial.forward_on(unusual).answers()
        for closure, right in here.answers.items():
            allowance = here.rounding(closure, np.abs(right).max(initial=0))
            trial.agree(
                1, closure, f"differs when its arguments {layout}", usual, right, answers[closure], allowance
            )
