"""Check rule 4, analytic: every equation is the derivative of the value, and is differentiable itself.

A layer of `orders` 1 gets no complex numbers: differences alone tell its slope, and there is no second order.

The complex step f(x + i·h·v).imag / h is exact. Comparing it with central differences of the real value
finds a value and an equation with the same mistake. Then every equation is compared with it, place by place.
The second order repeats this with the equations instead of the value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from deltawire_layers.breaches import delta_of, gradient_of
from deltawire_layers.kit.errors import ConformanceError
from deltawire_layers.kit.points import DIFFERENCE_STEP, Point, is_integer, reach
from deltawire_layers.kit.sampler import Sampler
from deltawire_layers.kit.trial import EPSILON, SHARP, Measured, Trial
from deltawire_layers.layer import Array

COMPLEX_STEP = 1e-200
"""h of the complex step. Its square is 0 even next to an exact 0, so that a tie stays a tie."""

STENCIL = (DIFFERENCE_STEP, -DIFFERENCE_STEP, 2 * DIFFERENCE_STEP, -2 * DIFFERENCE_STEP)
"""Steps of the differences."""

COARSE = 1e-5
"""Relative error of differences."""


def first_order(trial: Trial, sampler: Sampler, measured: Measured, every_place: bool = True) -> None:
    """Check that every equation is the derivative of the value.

    Args:
        trial: the layer.
        sampler: draws directions.
        measured: a point and the results there.
        every_place: whether each number of a parameter is moved alone, or many at once where that is enough.

    Raises:
        ConformanceError: an equation or the complex step is wrong.
    """
    for position, x in enumerate(measured.point.inputs):
        if x.size and not is_integer(x):
            _delta(trial, sampler, measured, position)
    if measured.point.params:
        params = sampler.anywhere(measured.point).params
        direction = measured.point.still().with_params(params)
        _slope(trial, measured.point, direction, measured.results["value"], measured.noise["value"])
    for name in measured.point.params:
        if every_place or not _agrees_along_directions(trial, sampler, measured, name):
            _gradient(trial, sampler, measured, name)


def sweep(trial: Trial, sampler: Sampler) -> None:
    """Check δ of every input at many numbers, which leave no gap in which a branch could end.

    Args:
        trial: the layer.
        sampler: draws the numbers.

    Raises:
        ConformanceError: a δ is wrong.
    """
    point = trial.finite(sampler.sweep())
    if point is not None:
        measured = trial.measure(point)
        for position, x in enumerate(point.inputs):
            if x.size and not is_integer(x):
                _delta(trial, sampler, measured, position)


def _delta(trial: Trial, sampler: Sampler, measured: Measured, position: int) -> None:
    """Check that δ of an input is (∂value/∂input)ᵀ δ."""
    point, closure = measured.point, delta_of(position)
    x = point.inputs[position]
    rows, places = len(x), x[0].size
    far = sampler.reach(x)
    tiled, direction = point.place_by_place(position, far)
    value, noise = (
        np.repeat(numbers["value"], places, axis=0) for numbers in (measured.results, measured.noise)
    )
    slope, doubt = (
        numbers.reshape(rows, places, -1) / far.reshape(rows, places, 1)
        for numbers in _slope(trial, tiled, direction, value, noise)
    )
    if trial.layer.elementwise and (np.abs(slope) * (1 - np.eye(places)) > doubt).any():
        raise trial.broken(5, "elementwise", "is claimed, but a number depends on another place", point)
    if closure not in measured.results:
        if (np.abs(slope) > doubt).any():
            raise trial.broken(3, closure, "is None, but the value depends on the input", point)
        return
    delta = point.delta.reshape(rows, 1, -1)
    terms = slope * delta
    expected, size = terms.sum(axis=2).reshape(x.shape), np.abs(terms).sum(axis=2).reshape(x.shape)
    allowance = measured.rounding(closure, size) + (doubt * np.abs(delta)).sum(axis=2).reshape(x.shape)
    problem = "is not the derivative of the value"
    trial.agree(4, closure, problem, point, expected, measured.results[closure], allowance)


FEW_PLACES = 6
"""Numbers of a parameter that are always moved one by one."""

DIRECTIONS = 3
"""Random directions in which a parameter with more numbers is moved."""


def _agrees_along_directions(trial: Trial, sampler: Sampler, measured: Measured, name: str) -> bool:
    """Return whether the gradient of a parameter is right along random directions of all of its places.

    Where it is not, or there are few places, each has to be looked at: only that tells which one is wrong.
    """
    point, closure = measured.point, gradient_of(name)
    result, still = measured.results[closure], point.still()
    if trial.layer.orders == 1 or result.size <= FEW_PLACES:
        return False
    for _ in range(DIRECTIONS):
        moved = sampler.anywhere(point).params[name]
        direction = still.with_params({**still.params, name: moved})
        slope = trial.forward(point.moved(direction, 1j * COMPLEX_STEP)).value.imag / COMPLEX_STEP
        terms, parts = slope * point.delta, result * moved
        sizes = np.abs(terms).sum() + np.abs(parts).sum()
        allowance = result.size * measured.rounding(closure, sizes / result.size).max()
        if not (abs(terms.sum() - parts.sum()) <= allowance and sizes < INFINITE):
            return False
    return True


def _gradient(trial: Trial, sampler: Sampler, measured: Measured, name: str) -> None:
    """Check that the gradient of a parameter is (∂value/∂parameter)ᵀ δ, summed over the batch.

    Rows that the layer takes as constants have none.
    """
    point, closure = measured.point, gradient_of(name)
    result = measured.results[closure]
    expected, size, doubt = (np.empty(result.shape) for _ in range(3))
    still, constant = point.still(), sampler.constant_rows.get(name, ())
    for place in np.ndindex(result.shape):
        if place and place[0] in constant:
            expected[place] = size[place] = doubt[place] = 0
            continue
        one = np.zeros(result.shape)
        one[place] = 1
        direction = still.with_params({**still.params, name: one})
        if trial.layer.orders == 1:
            value, noise = measured.results["value"], measured.noise["value"]
            slope, error = _slope(trial, point, direction, value, noise)
        else:
            slope = trial.forward(point.moved(direction, 1j * COMPLEX_STEP)).value.imag / COMPLEX_STEP
            error = np.zeros(slope.shape)
        expected[place], size[place] = (slope * point.delta).sum(), np.abs(slope * point.delta).sum()
        doubt[place] = (error * np.abs(point.delta)).sum()
        if size[place] > INFINITE:
            expected[place] = np.inf
    problem = "is not the derivative of the value"
    allowance = measured.rounding(closure, size) + doubt
    trial.agree(4, closure, problem, point, expected, result, allowance)


class _Slope(NamedTuple):
    """∂value along a direction, and how far from it the right one may lie: 0 for the complex step."""

    slope: Array
    doubt: Array


def _slope(trial: Trial, point: Point, direction: Point, value: Array, noise: Array) -> _Slope:
    """Return ∂value along a direction by the complex step; check it against differences first.

    A layer of `orders` 1 has the differences alone.
    """
    if trial.layer.orders == 1:
        around = [trial.forward(point.moved(direction, step)).value for step in STENCIL]
        middle, allowance, _ = _differences(point, 1, value, noise, around)
        return _Slope(middle, allowance)
    bent = trial.forward(point.moved(direction, 1j * COMPLEX_STEP)).value
    slope = bent.imag / COMPLEX_STEP
    _same_in_complex(trial, Measured(point, {"value": value}, {"value": noise}), "value", bent)
    around = [trial.forward(point.moved(direction, step)).value for step in STENCIL]
    expected = _differences(point, 1, value, noise, around)
    problem = "has a complex step that disagrees with central differences"
    try:
        trial.agree(4, "value", problem, point, expected.slope, slope, expected.allowance)
    except ConformanceError:
        if not point.ties:
            raise
        # Where several numbers are equal, a right layer may take any of the slopes beside the tie.
        middle, allowance = _slopes_nearby(trial, point, direction)
        trial.agree(4, "value", problem, point, middle, slope, allowance + expected.allowance)
    if point.ties:
        back = trial.forward(point.moved(direction, -1j * COMPLEX_STEP)).value.imag / -COMPLEX_STEP
        problem = "takes another branch when imaginary parts change sign: compare real parts"
        trial.agree(4, "value", problem, point, back, slope, SHARP * np.abs(back))
    return _Slope(slope, np.zeros(slope.shape))


INFINITE = 1e30
"""Size of a derivative that is infinite: the complex step of a root at 0 is 1e99."""

NEARBY = 12
"""Points beside a tie for each of its numbers: at some, each number is the median, or the greatest."""

LEAST_NEARBY, MOST_NEARBY = 96, 1024

APART = 1e-4
"""How far from a tie they lie, relative to the reach of a number: many steps of the differences."""


def _slopes_nearby(trial: Trial, point: Point, direction: Point) -> tuple[Array, Array]:
    """Return the interval of the slopes beside a tie, and of 0: its middle, and half its width."""
    stream = np.random.default_rng(0)
    shape = (len(point.delta), *trial.output)
    low, high = np.zeros(shape), np.zeros(shape)
    equal = max((x[0].size for x in point.inputs if not is_integer(x)), default=0)
    for _ in range(min(MOST_NEARBY, max(LEAST_NEARBY, NEARBY * equal))):
        beside = point.with_floats(lambda x: x + APART * reach(x) * stream.uniform(-1, 1, x.shape))
        up, down = (trial.forward(beside.moved(direction, step)).value for step in STENCIL[:2])
        slope = (up - down) / (2 * DIFFERENCE_STEP)
        low, high = np.fmin(low, slope), np.fmax(high, slope)
    return (low + high) / 2, (high - low) * (0.5 + 1e-3)


WIDE = 100.0
"""Greatest scale of a tie at which differences of second order are compared.

A layer that saturates, such as a softmax of scores of 1e8, leaves its tie within every step of the
differences. The last bits there depend on the BLAS.
"""


def second_order(trial: Trial, sampler: Sampler, measured: Measured) -> None:
    """Check the complex step of the equations against differences along one direction of all arguments and δ.

    Args:
        trial: the layer.
        sampler: draws directions.
        measured: a point and the results there.

    Raises:
        ConformanceError: the complex step of an equation is wrong.
    """
    if trial.layer.orders == 1:
        return
    point, direction = measured.point, sampler.anywhere(measured.point)
    bent = trial.forward(point.moved(direction, 1j * COMPLEX_STEP)).backward()
    around = [trial.forward(point.moved(direction, step)).backward() for step in STENCIL]
    expected = {}
    for closure, result in bent.items():
        _same_in_complex(trial, measured, closure, result)
        results = [passed[closure] for passed in around]
        real, noise = measured.results[closure], measured.noise[closure]
        expected[closure] = _differences(point, 2, real, noise, results)
    if point.ties and (point.scale > WIDE or any(differences.kinks for differences in expected.values())):
        return  # a sum over several kinks may lie outside the differences to either side
    for closure, (slope, allowance, _) in expected.items():
        problem = "has a complex step that disagrees with its central differences (second order)"
        trial.agree(4, closure, problem, point, slope, bent[closure].imag / COMPLEX_STEP, allowance)


def _same_in_complex(trial: Trial, measured: Measured, closure: str, bent: Array) -> None:
    real = measured.results[closure]
    allowance = measured.rounding(closure, np.abs(real) + 1e-3 * np.abs(real).max(initial=0))
    trial.agree(4, closure, "is another number in complex128", measured.point, real, bent.real, allowance)


class _Differences(NamedTuple):
    """A slope by differences.

    slope:     the middle of the interval in which the slope lies
    allowance: how far from it the slope may lie
    kinks:     whether the function has a kink or a jump at the point
    """

    slope: Array
    allowance: Array
    kinks: bool


def _differences(
    point: Point, order: int, measured: Array, noise: Array, around: Sequence[Array]
) -> _Differences:
    """Estimate the slope from the numbers at a point and around it.

    The slope lies between the differences to either side. At a tie it may also be 0, because a branch is not
    taken at its exact threshold. The change of the differences with the step shows how precise they are.

    Args:
        point: the point.
        order: 1 for the value, 2 for the equations.
        measured: the numbers at the point.
        noise: how far rounding may move them.
        around: the numbers at each step of `STENCIL`.
    """
    (up, down), (far_up, far_down) = (
        ((beyond - measured) / step, (measured - before) / step)
        for step, beyond, before in ((DIFFERENCE_STEP, *around[:2]), (2 * DIFFERENCE_STEP, *around[2:]))
    )
    low, high = np.minimum(up, down), np.maximum(up, down)
    greatest = np.maximum(high, -low)
    products = point.products(order)
    rounding = (4 * EPSILON * (4 * np.abs(measured) + products) + 4 * noise) / DIFFERENCE_STEP
    change = np.maximum(np.abs(far_up - up), np.abs(far_down - down))
    kink = np.maximum(high - low, change) > 1e-4 * greatest + 2 * rounding
    if point.ties:
        low, high = np.minimum(low, 0), np.maximum(high, 0)
    allowance = (high - low) / 2 + change + COARSE * greatest + rounding
    return _Differences((low + high) / 2, allowance, bool(kink.any()))
