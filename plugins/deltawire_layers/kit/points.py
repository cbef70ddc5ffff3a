"""Draw the points to try a layer at: batches at several scales and at exact ties, and directions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from math import isfinite, prod
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from deltawire_layers.layer import Array, Integers, Parameter, Shape

SCALES = ((1e-3, 1.0), (1.0, 1.0), (10.0, 10.0), (1e2, 1.0), (1e4, 1.0))
"""Scales of the inputs, each with the scale of the parameters relative to their initial values."""

OVERFLOWING = 1e2
"""Scale at which some number is at least 150, where exp overflows in float32 and not in float64."""

TIE_SCALES = (1.0, 9876.54321)
"""Scales of tied inputs; the large one has many digits, because few digits would hide rounding."""

PARAMETER_FACTORS = {"at 0": 0.0, "negative": -1.0, "far": 300.0}
"""Factors of the parameters' first numbers, at which every layer is tried too."""

FIRST_NUMBERS = "at their first numbers"
"""Where parameters are exactly what they start from, which is often 0 or 1."""

DIFFERENCE_STEP = 2.0**-24
"""Step of differences, relative to a direction: about the square root of float64's precision."""


SWEPT = (0.03, 30.0)
"""Least and greatest size of the numbers of a sweep."""

MOST_SWEPT, LARGEST_SWEEP = 128, 2**13
"""Maximum of examples of a sweep, and of numbers when each example is tried at every place."""


class Point(NamedTuple):
    """A batch to try a layer on: its arguments and a δ of its value.

    A direction has the same form: it holds how far each number moves.
    """

    scale: float
    ties: bool
    params: Mapping[str, Array]
    inputs: tuple[Array, ...]
    delta: Array
    parameters_at: str = ""
    """Where the parameters are, when they are not near their first numbers."""

    def __str__(self) -> str:
        parameters = f", parameters {self.parameters_at}" if self.parameters_at else ""
        return f"{'exact ties of ' if self.ties else ''}scale {self.scale:g}{parameters}"

    @property
    def venture(self) -> bool:
        """Return whether the layer may have no value here: a root of a negative parameter has none."""
        return bool(self.parameters_at)

    @property
    def degenerate(self) -> bool:
        """Return whether the kit drew numbers that may be singular, where a layer may raise LinAlgError."""
        return self.ties or self.venture

    @property
    def magnitude(self) -> float:
        """Return a bound of products of an input and a parameter; rounding grows with it."""
        return (1 + _largest(self.inputs)) * (1 + _largest(self.params.values()))

    def products(self, order: int) -> float:
        """Return a bound of products of so many inputs and parameters, of more where they cancel exactly.

        At ties, one computation may cancel exactly and another may not. Far parameters are multiplied with
        each other.
        """
        return self.magnitude ** (3 if self.ties or self.venture else order)

    def within(self, bounds: Mapping[int, tuple[float, float]]) -> Point:
        """Return the point with inputs inside the bounds that a layer declares for them, by position."""
        inputs = tuple(
            np.clip(x, *bounds[position]) if position in bounds and not is_integer(x) else x
            for position, x in enumerate(self.inputs)
        )
        return Point(self.scale, self.ties, self.params, inputs, self.delta, self.parameters_at)

    def arrays(self) -> list[Array]:
        """Return all arrays, always in the same order."""
        return [*self.params.values(), *self.inputs, self.delta]

    def with_params(self, params: Mapping[str, Array]) -> Point:
        """Return the point with other parameters."""
        return self._replace(params=params)

    def with_inputs(self, inputs: Iterable[Array]) -> Point:
        """Return the point with other inputs."""
        return self._replace(inputs=tuple(inputs))

    def with_delta(self, delta: Array) -> Point:
        """Return the point with another δ."""
        return self._replace(delta=delta)

    def with_rows(self, change: Callable[[Array], Array]) -> Point:
        """Return the point with every array that has a batch axis changed."""
        return self._replace(inputs=tuple(map(change, self.inputs)), delta=change(self.delta))

    def with_all(self, change: Callable[[Array], Array]) -> Point:
        """Return the point with every array changed."""
        return self.with_rows(change).with_params({name: change(w) for name, w in self.params.items()})

    def with_floats(self, change: Callable[[Array], Array]) -> Point:
        """Return the point with every array of floats changed."""
        return self.with_all(lambda array: array if is_integer(array) else change(array))

    def nudged(self, factor: float) -> Point:
        """Return the point with every number multiplied by a factor near 1, except first numbers."""

        def nudge(array: Array) -> Array:
            return array if is_integer(array) else array * factor

        return self.with_rows(nudge) if self.parameters_at == FIRST_NUMBERS else self.with_all(nudge)

    def still(self) -> Point:
        """Return the zero direction."""
        return self.with_all(lambda array: np.zeros(()))

    def moved(self, direction: Point, step: complex) -> Point:
        """Return the point moved by a step along a direction; an imaginary step makes it complex."""

        def move(array: Array, by: Array) -> Array:
            return array if is_integer(array) else array + step * by

        return self._replace(
            params={name: move(w, direction.params[name]) for name, w in self.params.items()},
            inputs=tuple(map(move, self.inputs, direction.inputs)),
            delta=move(self.delta, direction.delta),
        )

    def place_by_place(self, position: int, reach: Array) -> tuple[Point, Point]:
        """Repeat each example for every place of an input, and return the direction that moves that place.

        Args:
            position: index of the input.
            reach: how far each of its numbers moves, of the input's shape.
        """
        places = reach[0].size
        tiled = self.with_rows(lambda array: np.repeat(array, places, axis=0))
        one_each = (np.eye(places) * reach.reshape(-1, 1, places)).reshape(tiled.inputs[position].shape)
        still = self.still()
        inputs = tuple(one_each if p == position else by for p, by in enumerate(still.inputs))
        return tiled, Point(still.scale, still.ties, still.params, inputs, still.delta)


def is_integer(array: Array) -> bool:
    """Return whether an array holds integers, which have no derivative."""
    return array.dtype.kind == "i"


def _largest(arrays: Iterable[Array]) -> float:
    return max((float(np.abs(a).max()) for a in arrays if a.size and not is_integer(a)), default=0.0)


class Sampler:
    """Draws batches for a layer, inside its domain and the ranges of its integers.

    Args:
        inputs: the shape of one example of each input.
        output: the shape of one example of the value.
        parameters: the parameters, by name.
        integers: the allowed integers of the inputs that take integers, by position.
        domain: the bounds of the other inputs: (low, high), exclusive.
        seed: seed of the numbers.
        constant_rows: rows of parameters that the layer takes as constants.
    """

    def __init__(
        self,
        inputs: tuple[Shape, ...],
        output: Shape,
        parameters: Mapping[str, Parameter],
        integers: Mapping[int, Integers],
        domain: tuple[float, float],
        seed: int,
        constant_rows: Mapping[str, Collection[int]] = MappingProxyType({}),
    ):
        self.constant_rows = constant_rows
        self.inputs, self.output, self.parameters, self.integers = inputs, output, parameters, integers
        self.low, self.high = domain
        self.stream = np.random.default_rng(seed)

    def points(self) -> Iterator[Point]:
        """Yield batches at every scale, then at exact ties: zeros, equal entries, equal inputs."""
        for scale, spread in SCALES:
            drawn = [self._both_signs(shape) for shape in self.inputs]
            if scale == OVERFLOWING:
                # The greatest numbers of two inputs differ, or they would be a tie.
                drawn = [
                    x * max(1.0, (1.5 + 0.07 * place) / max(float(np.abs(x).max(initial=0)), 0.1))
                    for place, x in enumerate(drawn)
                ]
            yield self._point(scale, False, drawn, spread)
        for scale in TIE_SCALES:
            yield self._point(scale, True, self._ties(), 1.0)

    def parameter_points(self) -> Iterator[Point]:
        """Yield batches of scale 1 with parameters at 0, negative, far away, and at their first numbers."""
        if any(prod(parameter.shape) for parameter in self.parameters.values()):
            for name, factor in PARAMETER_FACTORS.items():
                drawn = [self._both_signs(shape) for shape in self.inputs]
                # Where all parameters are 0, all branches meet.
                yield self._point(1.0, factor == 0, drawn, factor, name)
            drawn = [self._both_signs(shape) for shape in self.inputs]
            first = {name: init(self.stream, shape) for name, (shape, init) in self.parameters.items()}
            # First numbers are often equal, so that branches may meet there, too.
            yield self._point(1.0, True, drawn, 1.0, FIRST_NUMBERS).with_params(first)

    def sweep(self) -> Point:
        """Return a batch whose inputs hold numbers of either sign at all sizes, without a large gap."""
        widest = max((prod(shape) for shape in self.inputs), default=1)
        rows = min(MOST_SWEPT, max(2, LARGEST_SWEEP // max(1, widest) ** 2))
        drawn = []
        for shape in self.inputs:
            count = rows * prod(shape)
            # At random between even steps: products of even ones are equal, and matrices of them singular.
            places = (np.arange(count) + self.stream.random(count)) / max(1, count)
            sizes = SWEPT[0] * (SWEPT[1] / SWEPT[0]) ** places
            numbers = np.where(np.arange(count) % 2, sizes, -sizes)
            drawn.append(self.stream.permutation(numbers).reshape(rows, *shape))
        return self._point(1.0, False, drawn, 1.0)

    def inside(self, point: Point) -> Point | None:
        """Return the examples of a point that lie inside the domain; None when there are none."""
        rows = np.ones(len(point.delta), bool)
        for x in point.inputs:
            if not is_integer(x):
                rows &= ((x > self.low) & (x < self.high)).reshape(len(x), -1).all(axis=1)
        if rows.all():
            return point
        return point.with_rows(lambda array: array[rows]) if rows.any() else None

    def reach(self, x: Array) -> Array:
        """Return how far the numbers of an input may move inside the domain; large ones move further."""
        return np.minimum(reach(x), np.minimum(x - self.low, self.high - x))

    def anywhere(self, point: Point) -> Point:
        """Return a direction that moves every place of every argument and of δ."""
        share = self._away_from_zero
        return Point(
            point.scale,
            point.ties,
            params={
                name: self._without_constants(name, share(w.shape) * reach(w))
                for name, w in point.params.items()
            },
            inputs=tuple(
                np.zeros(()) if is_integer(x) else share(x.shape) * self.reach(x) for x in point.inputs
            ),
            delta=share(point.delta.shape),
        )

    def _without_constants(self, name: str, direction: Array) -> Array:
        """Return a direction of a parameter that moves no row which the layer takes as a constant."""
        if rows := self.constant_rows.get(name):
            direction[list(rows)] = 0
        return direction

    def _point(self, scale: float, ties: bool, drawn: list[Array], spread: float, at: str = "") -> Point:
        inputs = tuple(
            self._within(self.integers[position], x.shape)
            if position in self.integers
            else self._inside(scale * x)
            for position, x in enumerate(drawn)
        )
        # Initial values may be all equal, so add noise; less than ½, since some have to stay positive.
        params = {
            name: spread * (init(self.stream, shape) + self.stream.uniform(-0.5, 0.5, shape))
            for name, (shape, init) in self.parameters.items()
        }
        delta = self._away_from_zero((len(drawn[0]), *self.output))
        return Point(scale, ties, params, inputs, delta, at)

    def _both_signs(self, shape: Shape) -> Array:
        """Return six examples, three of them negatives of the others: each place has both signs."""
        half = self.stream.standard_normal((3, *shape))
        return np.concatenate([half, -half])

    def _ties(self) -> list[Array]:
        """Return six examples: all 0, all 1, all −1, equal numbers in every input, and two random ties."""
        same = self._ternary((max(1, *map(prod, self.inputs)),))
        return [
            np.stack([
                np.zeros(shape), np.ones(shape), -np.ones(shape),
                np.resize(same, shape), self._ternary(shape), self._ternary(shape),
            ])
            for shape in self.inputs
        ]  # fmt: skip

    def _ternary(self, shape: Shape) -> Array:
        return self.stream.integers(-1, 2, shape).astype(np.float64)

    def _away_from_zero(self, shape: Shape) -> Array:
        """Return numbers of either sign between ½ and 1."""
        return self.stream.choice((-1.0, 1.0), shape) * self.stream.uniform(0.5, 1, shape)

    def _inside(self, x: Array) -> Array:
        """Map numbers into the domain; equal ones stay equal."""
        size = np.where(x == 0, 1, np.abs(x))
        if isfinite(self.low) and isfinite(self.high):
            share = x / (1 + size)
            return np.asarray((self.low + self.high + (self.high - self.low) * share) / 2)
        if isfinite(self.low):
            return self.low + size * max(1, abs(self.low))
        return self.high - size * max(1, abs(self.high)) if isfinite(self.high) else x

    def _within(self, allowed: Integers, shape: Shape) -> Array:
        """Draw allowed integers, including the first and the last one."""
        ranges = allowed if isinstance(allowed, tuple) else (allowed,)
        counts = np.cumsum([len(each) for each in ranges])
        drawn: Array = self.stream.integers(counts[-1], size=shape)
        drawn.flat[:1], drawn.flat[-1:] = 0, counts[-1] - 1
        places = np.searchsorted(counts, drawn, side="right")
        starts = np.array([each.stop for each in ranges]) - counts
        return np.asarray(starts[places] + drawn)


def reach(x: Array) -> Array:
    """Return a distance at which both rounding and the curvature of a smooth function are small."""
    return np.sqrt(np.maximum(np.abs(x), 1))
