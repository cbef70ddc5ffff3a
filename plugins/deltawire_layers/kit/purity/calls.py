"""Check rule 1, pure: equal arguments return equal bits after any calls; nothing is written or stored."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import partial
from threading import Barrier
from threading import enumerate as enumerate_threads
from time import monotonic
from types import FunctionType
from typing import Any

import numpy as np

from deltawire_layers.kit.errors import ConformanceError
from deltawire_layers.kit.hangs import start_daemon
from deltawire_layers.kit.points import Point
from deltawire_layers.kit.trial import Trial, read_only
from deltawire_layers.layer import Array, Layer


def pure(trial: Trial, point: Point) -> None:
    """Check that repeated and interleaved passes return the same bits and leave everything as it was."""
    other = changed(point)
    before = state(trial.layer)
    run = trial.forward(point)
    results = run.results()
    right = bits(results)
    for name, leaves in state(trial.layer).items():
        if leaves != before.get(name):
            raise trial.broken(1, f"self.{name}", "is changed by a call")
    trial.forward(other).results()
    same_bits(trial, 1, right, bits(results), "is overwritten by a later call")
    try:
        repeated = bits(run.results())
    except ConformanceError as error:
        raise trial.broken(
            1, error.closure, f"differs when it is called again: it {error.problem}"
        ) from error
    same_bits(trial, 1, right, repeated, "returns other numbers when it is called again")
    fresh = trial.forward(point)
    same_bits(trial, 1, right, bits(fresh.results()), "returns other numbers for the same arguments")
    if [a.tobytes() for a in run.given.arrays()] != [a.tobytes() for a in point.arrays()]:
        raise trial.broken(1, "value", "or an equation writes to an argument")


def changed(point: Point) -> Point:
    """Return a point of the same shapes with other numbers, whose sums over the batch differ too."""
    rows = np.arange(len(point.delta))[::-1].copy()
    rows[-1:] = rows[:1]
    other = point.with_rows(lambda array: array[rows])
    return other.with_params({name: 1.25 * w for name, w in point.params.items()})


def bits(results: Mapping[str, Array]) -> dict[str, bytes]:
    """Return the bytes of each result, by closure."""
    return {closure: result.tobytes() for closure, result in results.items()}


def same_bits(
    trial: Trial, rule: int, right: Mapping[str, bytes], results: Mapping[str, bytes], problem: str
) -> None:
    """Check that results equal the right ones to the bit.

    Args:
        trial: the layer.
        rule: number of the rule that a difference breaks.
        right: the right bytes, by closure.
        results: bytes to compare with them.
        problem: the mistake, as the end of a sentence that begins with the closure.

    Raises:
        ConformanceError: the bytes of a closure differ.
    """
    for closure, result in results.items():
        if result != right[closure]:
            raise trial.broken(rule, closure, problem)


def unchanged(trial: Trial, before: Mapping[str, list[object]], by: str) -> None:
    """Check that a first call has left what was there; it may add something, as to a cache.

    Args:
        trial: the layer.
        before: its state before the call.
        by: what was called.

    Raises:
        ConformanceError: something has been replaced, removed or moved.
    """
    after = state(trial.layer)
    for name, leaves in before.items():
        rest = iter(after.get(name, ()))
        if leaves != [None] and not all(any(leaf == other for other in rest) for leaf in leaves):
            raise trial.broken(1, f"self.{name}", f"is changed by {by}")


def state(layer: Layer) -> dict[str, list[object]]:
    """Return all contents of the attributes of a layer and its classes, by attribute."""
    attributes: dict[str, object] = {}
    for level in (*reversed(type(layer).__mro__), layer):
        attributes |= vars(level)
    return {name: list(_contents(a, {})) for name, a in attributes.items() if not name.startswith("__")}


def _contents(thing: Any, seen: dict[int, Any]) -> Iterator[object]:
    """Yield the arrays, numbers and other leaves inside an object.

    Args:
        thing: the object.
        seen: what was looked into, by id; an id is one of a kind only as long as its object lives.
    """
    if isinstance(thing, np.ndarray):
        yield thing.dtype, thing.shape, thing.tobytes()
    elif isinstance(thing, Mapping | list | tuple | set) or (
        hasattr(thing, "__dict__") and not isinstance(thing, type | FunctionType)
    ):
        if id(thing) in seen:
            return
        seen[id(thing)] = thing
        parts = thing if isinstance(thing, Mapping | list | tuple | set) else vars(thing)
        for part in parts.items() if isinstance(parts, Mapping) else parts:
            yield from _contents(part, seen)
    else:
        yield thing


FACTORS = (1, -2, 3, -4)
"""Factors of δ, one for each thread."""


def concurrent(trial: Trial, point: Point) -> None:
    """Check that threads get the results of a single thread: on one forward pass, and on passes of their own.

    Raises:
        ConformanceError: a thread gets other numbers, or an exception.
    """
    run = trial.forward(point)
    deltas = [read_only(factor * point.delta) for factor in FACTORS]
    alone = [bits(run.backward(delta=delta)) for delta in deltas]
    rolled = [point.with_rows(partial(np.roll, shift=number, axis=0)) for number in range(len(FACTORS))]
    whole = [bits(trial.forward(each).results()) for each in rolled]
    start = Barrier(len(deltas))
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            start.wait(BARRIER)
            for _ in range(3):
                result = bits(run.backward(delta=deltas[number]))
                same_bits(trial, 1, alone[number], result, THREADS)
                result = bits(trial.forward(rolled[number]).results())
                same_bits(trial, 1, whole[number], result, THREADS)
        except BaseException as error:  # it belongs to the thread that waits
            errors.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # switch threads as often as possible
    try:
        threads = [start_daemon(partial(work, number)) for number in range(len(deltas))]
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    if errors:
        raise of_threads(trial, errors[0])


def of_threads(trial: Trial, error: BaseException) -> BaseException:
    """Return an error, or one that also says that several threads lead to it."""
    if not isinstance(error, ConformanceError) or error.problem == THREADS:
        return error
    of_several = trial.broken(1, error.closure, f"fails when several threads call it: it {error.problem}")
    of_several.__cause__ = error
    return of_several


BARRIER = 30.0
"""Seconds for all threads to start."""

THREADS = "returns other numbers when several threads call it"


GRACE = 0.5
"""Seconds for threads that a layer has started to end."""


def check_threads(trial: Trial, point: Point) -> None:
    """Check that no pass leaves a thread behind; a pool that the layer keeps for all passes may stay.

    Raises:
        ConformanceError: every pass starts a thread that goes on.
    """
    trial.forward(point).results()
    before = set(enumerate_threads())
    for _ in range(3):
        trial.forward(point).results()
    new = [thread for thread in enumerate_threads() if thread not in before]
    if len(new) < 3:
        return
    until = monotonic() + GRACE
    for thread in new:
        thread.join(max(0, until - monotonic()))
    if sum(thread.is_alive() for thread in new) >= 3:
        raise trial.broken(1, "value", "or an equation starts a thread in each pass that does not end")


def any_layout(trial: Trial, point: Point) -> None:
    """Check that results do not depend on the layout of arguments: broadcast rows, or Fortran order."""
    first = point.with_rows(lambda array: np.repeat(array[:1], len(array), axis=0))
    shared = point.with_all(read_only).with_rows(lambda array: np.broadcast_to(array[0], array.shape))
    fortran = point.with_all(partial(np.asarray, order="F")).with_all(read_only)
    for usual, unusual, layout in (
        (first, shared, "are one row of memory for all examples"),
        (point, fortran, "lie in Fortran order"),
    ):
        here, results = trial.measure(usual), trial.forward_on(unusual).results()
        for closure, right in here.results.items():
            allowance = here.rounding(closure, np.abs(right).max(initial=0))
            trial.agree(
                1, closure, f"differs when its arguments {layout}", usual, right, results[closure], allowance
            )
