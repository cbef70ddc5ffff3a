"""Check rule 1, pure: what a layer was called with before changes nothing.

A number that a layer keeps of its first call looks like a constant in every later one. So what the layer
can write to is taken back to what it was before, and other calls come first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter
from time import process_time

import numpy as np

from deltawire_layers.kit.declared import declared
from deltawire_layers.kit.derivatives import COMPLEX_STEP
from deltawire_layers.kit.errors import ConformanceError, Degenerate
from deltawire_layers.kit.points import Point, is_integer
from deltawire_layers.kit.purity.calls import bits, changed, same_bits
from deltawire_layers.kit.purity.writable import Change, Writable
from deltawire_layers.kit.trial import Trial
from deltawire_layers.layer import Array, LayerError

PROBLEM = "depends on what the layer was called with before"

LARGER: tuple[Callable[[int], int], ...] = (lambda size: size + 1, lambda size: 2 * size)
"""Ways to find other shapes, of which equal sizes stay equal."""

CALLS = 16
"""Passes in which nothing may grow with each."""

LONGEST = 2.0
"""Seconds of the processor after which no more beginnings are tried."""


def forgets(trial: Trial, writable: Writable, point: Point, points: Sequence[Point]) -> None:
    """Check that a pass returns the same bits whatever was computed before it.

    Args:
        trial: the layer.
        writable: what the layer can write to, before its first call.
        point: the point to compute at.
        points: other points of these shapes.

    Raises:
        ConformanceError: a pass depends on an earlier one.
    """
    others = [(trial, other) for other in (*_changes(point), *points) if other is not point]
    others += _of_other_shapes(trial)
    _with_beginning(trial, writable.rewind, point, others)
    coarse = trial.finite(point.with_floats(_rounded))
    if coarse is not None and trial.sampler(0).inside(coarse) is coarse:
        _with_beginning(trial, writable.rewind, coarse, _alike(trial, coarse))
    if trial.layer.orders == 2:
        bent, other = (_bent(point, step) for step in (COMPLEX_STEP, -2 * COMPLEX_STEP))
        _with_beginning(trial, writable.rewind, bent, [(trial, other)])
    until = process_time() + LONGEST
    for empty in writable.empty:
        if process_time() > until:
            break

        def begin(empty: Change = empty) -> None:
            writable.rewind()
            empty()

        try:
            _with_beginning(trial, begin, point, others)
        finally:
            writable.rewind()
    writable.rewind()
    _keeps_little(trial, writable, point)


def _keeps_little(trial: Trial, writable: Writable, point: Point) -> None:
    """Check that nothing grows with every call."""
    lengths = [[*writable.lengths(), _open_files()]]
    for _ in range(2):
        for _ in range(CALLS):
            trial.forward(point).results()
        lengths.append([*writable.lengths(), _open_files()])
    for before, between, after in zip(*lengths, strict=True):
        if between - before >= CALLS and after - between >= CALLS:
            raise trial.broken(1, "value", "or an equation keeps something of every call")


def _open_files() -> int:
    """Return how many files are open, where the system says it."""
    try:
        return len(os.listdir("/dev/fd"))
    except OSError:
        return 0


def _changes(point: Point) -> list[Point]:
    """Return points that are like another in one way each: a memo may look at one thing alone."""
    other = changed(point)
    negative = point.with_floats(np.negative).with_params(point.params)
    first = point.with_rows(itemgetter(slice(1)))
    close = point.with_floats(lambda array: array * (1 + CLOSE))
    return [other, point.with_params(other.params), other.with_params(point.params), negative, first, close]


Move = Callable[[Array], Array]

GRAIN = 2.0**-6
"""Step of numbers whose sums, means and squares are exact in any order."""


def _bent(point: Point, step: float) -> Point:
    """Return a point with imaginary parts."""
    return point.with_floats(lambda array: array + 1j * step * (1 + np.abs(array)))


def _rounded(array: Array) -> Array:
    return np.asarray(np.round(array / GRAIN) * GRAIN + 0.0)  # without −0, which has other bytes than 0


def _alike(trial: Trial, point: Point) -> list[tuple[Trial, Point]]:
    """Return points that a careless key of a memo takes for another one.

    They have the same sums, extremes and norms, or the same numbers in most places, or in another dtype.
    """
    changes: list[Move] = [partial(np.roll, shift=1), lambda array: array[::-1] if array.ndim else array]
    changes += [partial(_moved, place=place) for place in (0, 1, -2, -1)]
    changes += [
        lambda array: _moved(array, array.size // 2),
        lambda array: _moved(array, array.size // 2 + 1),
    ]
    others = []
    for change in changes:

        def of_floats(array: Array, change: Move = change) -> Array:
            return array if is_integer(array) else change(array)

        others.append(point.with_inputs(map(of_floats, point.inputs)))
        if point.params:
            others.append(point.with_params({name: of_floats(w) for name, w in point.params.items()}))
    others += [point.with_delta(delta) for delta in (np.roll(point.delta, 1), _moved(point.delta, 0))]
    others.append(point.with_floats(lambda array: array.astype(np.float32)))
    if trial.layer.orders == 2:
        others.append(_bent(point, COMPLEX_STEP))
    domain = trial.sampler(0)
    return [(trial, other) for other in others if domain.inside(other) is other]


CLOSE = 2.0**-30
"""Relative difference of numbers that are equal when they are rounded."""


def _moved(array: Array, place: int) -> Array:
    """Return an array with another number at one place."""
    other = np.array(array)
    if other.size:
        other.flat[place % other.size] += GRAIN
    return other


def _of_other_shapes(trial: Trial) -> list[tuple[Trial, Point]]:
    """Return a point of larger shapes, and the layer's declarations for them, if it takes any."""
    for change in LARGER:
        shapes = tuple(tuple(map(change, shape)) for shape in trial.shapes)
        try:
            other = declared(trial.layer, shapes)
        except Exception:  # a layer may refuse shapes with any exception: try others
            continue
        return [(other, next(other.sampler(0).points()))] if shapes != trial.shapes else []
    return []


def _with_beginning(trial: Trial, begin: Change, point: Point, others: Sequence[tuple[Trial, Point]]) -> None:
    """Check that a pass after the beginning returns the same as after the beginning and another pass."""
    begin()
    try:
        declared(trial.layer, trial.shapes)
        right = bits(trial.forward(point).results())
    except (ConformanceError, Degenerate, LayerError):  # the layer needs what was emptied
        return
    for other_trial, other in others:
        begin()
        try:
            for each in dict.fromkeys((trial.shapes, other_trial.shapes)):
                declared(trial.layer, each)
            other_trial.forward(other).results()
        except (ConformanceError, Degenerate, LayerError):
            continue
        try:
            results = bits(trial.forward(point).results())
        except ConformanceError as error:
            raise trial.broken(1, error.closure, f"{PROBLEM}: it {error.problem}") from error
        same_bits(trial, 1, right, results, PROBLEM)
