"""Check float32 against float64, and δ of other sizes, where layers often branch."""

from __future__ import annotations

from functools import partial
from operator import itemgetter

import numpy as np

from deltawire_layers.kit.errors import ConformanceError
from deltawire_layers.kit.points import Point
from deltawire_layers.kit.sampler import Sampler
from deltawire_layers.kit.trial import Measured, Pass, Trial, greatest
from deltawire_layers.layer import Array

EPSILON_32 = 2.0**-23

DELTA_FACTORS = (0.0, 1e-4, 1e4)
"""Sizes of δ, beside 1, at which the equations are called."""

LARGEST_32 = 1e37
"""Greatest number that is compared: beyond it, float32 overflows."""

SMALLEST_32 = 1e-33
"""Difference that is always allowed: near it, products of small numbers vanish in float32."""

LAST_BITS = 64
"""Allowed rounding of a result, in last bits of its example's greatest number."""

CONDITION = 32
"""Allowed rounding, in multiples of what changed last bits of the arguments change."""


NUDGES = 16
"""Random changes of last bits where one was not enough."""

LARGEST_SMALL = 5
"""About the greatest of the small numbers that lie beside large ones."""

INDEPENDENT = 1e-7
"""Relative change of a number that does not depend on what was changed."""

CANCELLED = 8
"""Allowed rounding, in last bits of products of arguments, which may cancel on the way to a small result."""


def scaled_deltas(trial: Trial, measured: Measured) -> None:
    """Check that the equations are linear in δ: for zeros, small and large ones.

    Raises:
        ConformanceError: an equation treats a δ of another size differently.
    """
    point = measured.point
    run = trial.forward(point)
    for factor in DELTA_FACTORS:
        results = run.backward(delta=_locked(factor * point.delta), numbers=False)
        for closure, result in results.items():
            right = measured.results[closure]
            allowance = factor * measured.rounding(closure, np.abs(right))
            problem = f"is not linear in δ: it differs for one {factor:g} times as large"
            trial.agree(4, closure, problem, point, factor * right, result, allowance)
    _sum_of_deltas(trial, measured, run)


def _sum_of_deltas(trial: Trial, measured: Measured, run: Pass) -> None:
    """Check that the equations add: each half of δ, with zeros for the other, gives a part of the result."""
    point = measured.point
    half = np.random.default_rng(0).random(point.delta.shape) < 0.5
    deltas = [_locked(np.where(mask, point.delta, 0)) for mask in (half, ~half)]
    parts = [run.backward(delta=delta, numbers=False) for delta in deltas]
    for closure, right in run.backward().items():
        sums, sizes = sum(part[closure] for part in parts), sum(np.abs(part[closure]) for part in parts)
        problem = "is not linear in δ: it differs where some places of δ are 0"
        allowance = 2 * measured.rounding(closure, np.asarray(sizes) + np.abs(right))
        trial.agree(4, closure, problem, point, right, np.asarray(sums), allowance)


def precision(trial: Trial, sampler: Sampler, point: Point) -> None:
    """Check that float32 arguments give the results of float64, but for rounding.

    Both get the same numbers. How far apart the results may lie depends on the condition: on how far they
    move in float64 when the last bits of float32 change.

    Args:
        trial: the layer.
        sampler: knows the domain.
        point: a point; its numbers are rounded to float32.

    Raises:
        ConformanceError: a result has another dtype, is no number, or another one.
    """
    rounded = point.with_floats(_single)
    inside = sampler.inside(rounded.within(trial.layer.bounds))
    exact_point = None if inside is None else trial.finite(inside, LARGEST_32)
    if exact_point is None:
        return
    exact = trial.forward(exact_point).results()
    run = trial.forward(exact_point.with_floats(lambda array: array.astype(np.float32)))
    results = {1.0: {"value": run.value} | run.backward()}
    for factor in DELTA_FACTORS[1:]:
        delta = _locked((factor * exact_point.delta).astype(np.float32))
        results[factor] = run.backward(delta=delta, numbers=False)
    try:
        _compare(trial, exact_point, exact, results, nudges=1)
    except ConformanceError:  # seldom, and only then is it worth the time to find the condition
        _compare(trial, exact_point, exact, results, nudges=NUDGES)


def precision_of_terms(trial: Trial, sampler: Sampler, point: Point) -> None:
    """Check float32 where a gradient has a single term: in a sum, errors of many terms may cancel.

    Args:
        trial: the layer.
        sampler: knows the domain.
        point: a point, of whose examples each is tried alone, with one place of δ that is not 0.

    Raises:
        ConformanceError: a result has another number than in float64.
    """
    places = np.random.default_rng(0).integers(max(1, point.delta[0].size), size=len(point.delta))
    for row, place in enumerate(places):
        example = point.with_rows(itemgetter([row]))
        delta = np.zeros_like(example.delta)
        delta.flat[place] = example.delta.flat[place]
        precision(trial, sampler, example.with_delta(delta))


def precision_beside_large(trial: Trial, sampler: Sampler) -> None:
    """Check numbers of the value in float32 that do not depend on the large numbers of their example.

    Running sums, for example, keep the rounding of all numbers before.

    Args:
        trial: the layer.
        sampler: draws the numbers.

    Raises:
        ConformanceError: a number has lost its digits.
    """
    rounded = [point.with_floats(_single).within(trial.layer.bounds) for point in sampler.mixed()]
    inside = [each for each in rounded if sampler.inside(each) is each]
    finite = [each for each in inside if trial.finite(each, LARGEST_32) is each]
    if len(finite) < 2:
        return
    point, *others = finite
    stream, exact = np.random.default_rng(0), trial.forward(point).value
    nudged = [point.with_floats(partial(_at_random, stream)) for _ in range(NUDGES)]
    doubt, moved = (
        np.max([np.abs(trial.forward(each).value - exact) for each in near], axis=0)
        for near in (nudged, others)
    )
    result = trial.forward(point.with_floats(lambda array: array.astype(np.float32))).value
    size = np.abs(exact)
    expected = np.where(moved <= INDEPENDENT * size, exact, np.inf)
    cancelled = CANCELLED * EPSILON_32 * (LARGEST_SMALL * (1 + point.largest_parameter)) ** 2
    allowance = CONDITION * doubt + LAST_BITS * EPSILON_32 * size + cancelled
    problem = "in float32 loses the digits of small numbers beside large ones of its example"
    trial.agree(4, "value", problem, point, expected, result.astype(np.float64), allowance)


def _compare(
    trial: Trial, point: Point, exact: dict[str, Array], results: dict[float, dict[str, Array]], nudges: int
) -> None:
    """Compare results in float32, by the factor of δ and by closure, with the exact ones."""
    allowed = allowed_32(trial, point, exact, nudges)
    for factor, by_closure in results.items():
        for closure, result in by_closure.items():
            expected = np.where(np.abs(exact[closure]) < LARGEST_32 / 1e4, factor * exact[closure], np.inf)
            problem = "in float32 is another number than in float64"
            allowance = factor * allowed[closure] + SMALLEST_32
            trial.agree(4, closure, problem, point, expected, result.astype(np.float64), allowance)


def allowed_32(trial: Trial, point: Point, exact: dict[str, Array], nudges: int = 1) -> dict[str, Array]:
    """Return how far a result in float32 may lie from the exact one, by closure.

    Args:
        trial: the layer.
        point: a point, in float64.
        exact: the results there.
        nudges: how often the last bits are changed at random; a single change may move little by chance.
    """
    stream = np.random.default_rng(0)
    moved = {closure: np.zeros(()) for closure in exact}

    random = [point.with_floats(partial(_at_random, stream)) for _ in range(nudges)]
    for each in (*random, point.with_floats(lambda x: x * (1 + EPSILON_32))):
        nudged = trial.forward(each)
        for closure, result in ({"value": nudged.value} | nudged.backward(numbers=False)).items():
            moved[closure] = np.fmax(moved[closure], greatest(closure, result - exact[closure]))
    products = {closure: point.cancelled_in_equations for closure in exact} | {
        "value": point.cancelled_in_value
    }
    return {
        closure: CONDITION * moved[closure]
        + EPSILON_32 * (LAST_BITS * greatest(closure, result) + CANCELLED * products[closure])
        for closure, result in exact.items()
    }


def _at_random(stream: np.random.Generator, x: Array) -> Array:
    """Return numbers of which each has another last bit of float32."""
    return np.asarray(x * (1 + EPSILON_32 * stream.choice((-1.0, 1.0), x.shape)))


def _single(array: Array) -> Array:
    """Return the same numbers, rounded to float32."""
    return np.asarray(array.astype(np.float32).astype(np.float64))


def _locked(array: Array) -> Array:
    array.flags.writeable = False
    return array
