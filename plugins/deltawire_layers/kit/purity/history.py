"""Check rule 1, pure: what a layer was called with before changes nothing.

A number that a layer keeps of its first call looks like a constant in every later one. So what the layer
can write to is taken back to what it was before, and other calls come first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from time import process_time

import numpy as np

from deltawire_layers.kit.declared import declared
from deltawire_layers.kit.errors import ConformanceError, Degenerate
from deltawire_layers.kit.points import Point
from deltawire_layers.kit.purity.calls import bits, changed, same_bits
from deltawire_layers.kit.purity.writable import Change, Writable
from deltawire_layers.kit.trial import Trial

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
    lengths = [writable.lengths()]
    for _ in range(2):
        for _ in range(CALLS):
            trial.forward(point).results()
        lengths.append(writable.lengths())
    for before, between, after in zip(*lengths, strict=True):
        if between - before >= CALLS and after - between >= CALLS:
            raise trial.broken(1, "value", "or an equation keeps something of every call")


def _changes(point: Point) -> list[Point]:
    """Return points that are like another in one way each: a memo may look at one thing alone."""
    other = changed(point)
    negative = point.with_floats(np.negative).with_params(point.params)
    first = point.with_rows(itemgetter(slice(1)))
    return [other, point.with_params(other.params), other.with_params(point.params), negative, first]


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
        right = bits(trial.forward(point).results())
    except (ConformanceError, Degenerate):  # nothing to compare with: the layer needs what was emptied
        return
    for other_trial, other in others:
        begin()
        try:
            other_trial.forward(other).results()
        except (ConformanceError, Degenerate):
            continue
        try:
            results = bits(trial.forward(point).results())
        except ConformanceError as error:
            raise trial.broken(1, error.closure, f"{PROBLEM}: it {error.problem}") from error
        same_bits(trial, 1, right, results, PROBLEM)
