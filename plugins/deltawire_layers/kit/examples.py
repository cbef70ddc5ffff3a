"""Check rule 2, examples are independent: one by one, and in batches of many sizes."""

from __future__ import annotations

from math import prod
from operator import itemgetter
from time import perf_counter

import numpy as np

from deltawire_layers.breaches import gradient_of, per_example_breach
from deltawire_layers.kit.points import Point
from deltawire_layers.kit.sizes import EPSILON_32, LARGEST_32, SMALLEST_32, allowed_32
from deltawire_layers.kit.trial import Measured, Trial, read_only
from deltawire_layers.layer import Array

BATCHES = (2, 41, 128, 1000, 4099)
"""Numbers of examples, beside 1 and 6: layers may work in blocks. 41 and 4099 are no multiple of anything."""

LONGEST = 1.0
"""Seconds beyond which a pass over a larger batch is left out, judged by the one before it."""

MOST_NUMBERS = 2**22
"""Numbers of the largest array of a batch that is tried."""

Alone = dict[str, Array]
"""The results of each example alone, by closure: an axis of examples, then the axes of the result."""


def independent(trial: Trial, measured: Measured) -> Alone:
    """Check a batch against its examples one by one, and return the results of each alone.

    Raises:
        ConformanceError: an example depends on the others, or `per_example` is wrong.
    """
    alone = _alone(trial, measured.point)
    for closure, result in measured.results.items():
        if closure.startswith("gradient"):
            problem = "is not the sum of its examples' gradients"
            expected, size = alone[closure].sum(axis=0), np.abs(alone[closure]).sum(axis=0)
        else:
            problem = "of an example depends on the other examples"
            expected, size = alone[closure], np.abs(alone[closure])
        trial.agree(2, closure, problem, measured.point, expected, result, measured.rounding(closure, size))
    allowed = {closure: measured.rounding(closure, np.abs(numbers)) for closure, numbers in alone.items()}
    _per_example(trial, measured.point, alone, allowed)
    return alone


def _alone(trial: Trial, point: Point) -> Alone:
    """Return the results of each example of a point alone."""
    each = [trial.forward(point.with_rows(itemgetter([row]))).results() for row in range(len(point.delta))]
    stacked = {closure: np.stack([results[closure] for results in each]) for closure in each[0]}
    return {
        closure: numbers if closure.startswith("gradient") else numbers[:, 0]
        for closure, numbers in stacked.items()
    }


def _per_example(trial: Trial, point: Point, alone: Alone, allowed: Alone) -> None:
    """Check that `per_example` returns the gradients of batches of one.

    Args:
        trial: the layer.
        point: a point.
        alone: the results of each of its examples alone.
        allowed: how far each may be off.
    """
    given = point.with_all(read_only)
    result = trial.call(
        "per_example", given, trial.layer.per_example, given.params, given.delta, *given.inputs
    )
    if result is None:
        return
    trial.refuse(per_example_breach(result, trial.parameters.keys()))
    for name, parameter in trial.parameters.items():
        closure, count = gradient_of(name), len(point.delta)
        rows = trial.checked("per_example", given, result[name], (count, *parameter.shape))
        problem = f"of {name!r} is not the gradient of each example alone"
        if point.delta.dtype == np.float32:
            problem += " in float32"
        rule = 4 if point.delta.dtype == np.float32 else 2
        trial.agree(rule, "per_example", problem, point, alone[closure], rows, allowed[closure])


def batches(trial: Trial, measured: Measured, alone: Alone) -> None:
    """Check batches of other sizes against their examples one by one, in float64 and in float32.

    Large batches are left out where they would take long.

    Args:
        trial: the layer.
        measured: a point and the results there.
        alone: the results of each of its examples alone.

    Raises:
        ConformanceError: an example depends on how many others there are.
    """
    # In any order: blocks that are exchanged or repeated would not show in a cycle.
    stream, count = np.random.default_rng(0), len(measured.point.delta)
    widest = max(1, prod(trial.output), *map(prod, trial.shapes))
    short = _in_float32(trial, measured.point)
    if short is not None:
        _per_example(trial, *short)
    seconds, rows = 0.0, np.zeros(1, np.int64)
    for size in BATCHES:
        longest = LONGEST * len(rows) / size
        if seconds > longest:  # once more, since another process may have held this one up
            seconds = _batch(trial, measured, alone, rows)
        if seconds > longest or widest * size > MOST_NUMBERS:
            return
        rows = stream.permutation(np.arange(size) % count)
        seconds = _batch(trial, measured, alone, rows)
        if short is not None:
            _batch_32(trial, *short, rows)


def _batch(trial: Trial, measured: Measured, alone: Alone, rows: Array) -> float:
    """Check a batch of examples, given by their rows, against each of them alone; return its seconds."""
    start = perf_counter()
    results = trial.forward(measured.point.with_rows(itemgetter(rows))).results()
    counts = np.bincount(rows, minlength=len(measured.point.delta))
    for closure, result in results.items():
        expected, terms = _sums(closure, alone[closure], rows, counts)
        if closure.startswith("gradient"):
            allowance = len(rows) * measured.rounding(closure, terms / len(rows))
        else:
            noise = measured.noise[closure]
            row_noise = noise if noise.shape[:1] != (len(counts),) else noise[rows]
            allowance = Measured(measured.point, measured.results, {closure: row_noise}).rounding(
                closure, terms
            )
        problem = f"of an example differs in a batch of {len(rows)}"
        trial.agree(2, closure, problem, measured.point, expected, result, allowance)
    return perf_counter() - start


def _in_float32(trial: Trial, point: Point) -> tuple[Point, Alone, Alone] | None:
    """Return a point in float32, the results of each example alone there, and how far they may be off."""
    rounded = point.with_floats(lambda array: array.astype(np.float32).astype(np.float64))
    exact_point = trial.finite(rounded.within(trial.layer.bounds), LARGEST_32)
    if exact_point is None or len(exact_point.delta) != len(point.delta):
        return None
    allowed = allowed_32(trial, exact_point, trial.forward(exact_point).results())
    short = exact_point.with_floats(lambda array: array.astype(np.float32))
    return short, _alone(trial, short), allowed


def _batch_32(trial: Trial, point: Point, alone: Alone, allowed: Alone, rows: Array) -> None:
    """Check a batch of examples in float32: its sums lose digits, the more the longer they are."""
    results = trial.forward(point.with_rows(itemgetter(rows))).results()
    counts = np.bincount(rows, minlength=len(point.delta))
    for closure, result in results.items():
        expected, terms = _sums(closure, alone[closure].astype(np.float64), rows, counts)
        if closure.startswith("gradient"):
            allowance = len(rows) * (allowed[closure] + EPSILON_32 * terms)
        else:
            each = allowed[closure]
            allowance = 2 * (each[rows] if each.shape[:1] == (len(counts),) else each) + SMALLEST_32
        problem = f"of an example differs in a batch of {len(rows)} in float32"
        trial.agree(2, closure, problem, point, expected, result.astype(np.float64), allowance)


def _sums(closure: str, alone: Array, rows: Array, counts: Array) -> tuple[Array, Array]:
    """Return the result expected of a batch, and the sizes of its terms."""
    if closure.startswith("gradient"):
        shares = counts.reshape(-1, *(1,) * (alone.ndim - 1))
        return (shares * alone).sum(axis=0), (shares * np.abs(alone)).sum(axis=0)
    return alone[rows], np.abs(alone[rows])
