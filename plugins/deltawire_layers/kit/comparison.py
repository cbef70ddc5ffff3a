"""Compare two layers that mean the same: an author's closures, and a layer derived from a forward line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from deltawire_layers.breaches import delta_of, gradient_of
from deltawire_layers.kit.derivatives import COMPLEX_STEP
from deltawire_layers.kit.points import Point
from deltawire_layers.kit.sampler import Sampler
from deltawire_layers.kit.trial import EPSILON, SHARP, Trial, read_only
from deltawire_layers.layer import Array, Layer, Parameter, arity


def same_as(trial: Trial, other: Layer, sampler: Sampler, points: Iterable[Point]) -> None:
    """Check that a layer computes the same as another: the value, every equation, and their derivatives.

    Parameters belong together by their names or, where the names differ, by their order. Nothing is compared
    where the other layer is not finite.

    Args:
        trial: the layer.
        other: the layer that is right.
        sampler: draws directions.
        points: the points to compare at.

    Raises:
        ConformanceError: a shape, the value, an equation or its derivative differs.
        TypeError: the other layer takes another number of inputs.
    """
    shapes, name = trial.shapes, type(other).__name__
    if not arity(other).accepts(len(shapes)):
        raise TypeError(f"{name} takes {arity(other)}, got {len(shapes)} shapes")
    output = other.output_shape(*shapes)
    if trial.output != output:
        raise trial.broken(5, "output_shape", f"is {trial.output}, but that of {name} is {output}")
    integers = other.integer_inputs(*shapes)
    if trial.integers.keys() != integers.keys():
        problem = f"names the inputs {sorted(trial.integers)}, but that of {name} {sorted(integers)}"
        raise trial.broken(5, "integer_inputs", problem)
    names = _paired(trial, name, other.parameters(*shapes))
    compared = 0
    for point in points:
        compared += _same_numbers(trial, other, names, point)
        if not point.ties:  # at a tie, each may take another branch for its second derivative
            _same_slopes(trial, other, names, point, sampler.anywhere(point))
    if not compared:
        raise trial.broken(4, "value", f"cannot be compared: {name} is nowhere finite")


def _paired(trial: Trial, name: str, theirs: Mapping[str, Parameter]) -> dict[str, str]:
    """Return the other layer's name of each parameter."""
    mine = trial.parameters
    if mine.keys() == theirs.keys():
        pairs = {each: each for each in mine}
    else:
        pairs = dict(zip(mine, theirs, strict=False))
    shapes = {each: parameter.shape for each, parameter in mine.items()}
    expected = {each: parameter.shape for each, parameter in theirs.items()}
    if len(mine) != len(theirs) or any(shapes[a] != expected[b] for a, b in pairs.items()):
        problem = f"are {shapes}, but those of {name} are {expected}"
        raise trial.broken(5, "parameters", problem, suggestion="declare equal shapes in the same order")
    return pairs


def _same_numbers(trial: Trial, other: Layer, names: dict[str, str], point: Point) -> bool:
    """Compare the value and every equation; return whether there was a number to compare with."""
    measured, expected = trial.measure(point), _results(other, names, point)
    for closure in expected.keys() - measured.results.keys():
        if expected[closure].any():
            problem = f"is None, but that of {type(other).__name__} is not 0"
            raise trial.broken(3, closure, problem, point)
    for closure, got in measured.results.items():
        right = expected.get(closure, np.zeros_like(got))
        allowance = measured.rounding(closure, _size(right))
        trial.agree(4, closure, f"differs from that of {type(other).__name__}", point, right, got, allowance)
    return bool(np.isfinite(expected["value"]).any())


def _same_slopes(trial: Trial, other: Layer, names: dict[str, str], point: Point, direction: Point) -> None:
    """Compare the derivatives of the value and of every equation along a direction."""
    step = 1j * COMPLEX_STEP
    nudged = point.with_floats(lambda array: array * (1 + 4 * EPSILON))
    got, near = (trial.forward(each.moved(direction, step)).results() for each in (point, nudged))
    expected = _results(other, names, point.moved(direction, step))
    for closure, result in got.items():
        slope = result.imag / COMPLEX_STEP
        right = expected[closure].imag / COMPLEX_STEP if closure in expected else np.zeros_like(slope)
        noise = np.abs(near[closure].imag / COMPLEX_STEP - slope).max(initial=0)
        allowance = SHARP * _size(right) + EPSILON * point.magnitude**3 + 16 * noise
        problem = f"has another derivative than that of {type(other).__name__} (second order)"
        trial.agree(4, closure, problem, point, right, slope, allowance)


def _results(other: Layer, names: dict[str, str], point: Point) -> dict[str, Array]:
    """Return the other layer's value and equations, named as those of the layer that is checked."""
    given = point.with_all(read_only)
    params = {names[name]: array for name, array in given.params.items()}
    activation = other.forward(params, *given.inputs)
    signal = activation.signal(given.delta)
    deltas = {
        delta_of(position): equation(signal)
        for position, equation in enumerate(activation.deltas)
        if equation is not None
    }
    grads = {gradient_of(mine): activation.grads[theirs](signal) for mine, theirs in names.items()}
    return {"value": activation.value} | deltas | grads


def _size(right: Array) -> Array:
    """Return the size of numbers, with a little of the greatest one, whose terms they may share."""
    return np.asarray(np.abs(right) + 1e-3 * np.abs(right).max(initial=0))
