"""Draw the points to try a layer at: batches at several scales and at exact ties, and directions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from math import isfinite, prod
from types import MappingProxyType

import numpy as np

from deltawire_layers.kit.points import FIRST_NUMBERS, Point, is_integer, reach
from deltawire_layers.layer import Array, Integers, Parameter, Shape

SCALES = ((1e-3, 1.0), (1.0, 1.0), (10.0, 10.0), (1e2, 1.0), (1e4, 1.0))
"""Scales of the inputs, each with the scale of the parameters relative to their initial values."""

OVERFLOWING = 1e2
"""Scale at which some number is at least 150, where exp overflows in float32 and not in float64."""

TIE_SCALES = (1.0, 9876.54321)
"""Scales of tied inputs; the large one has many digits, because few digits would hide rounding."""

PARAMETER_FACTORS = {"at 0": 0.0, "negative": -1.0, "far": 300.0}
"""Factors of the parameters' first numbers, at which every layer is tried too."""

MANY = 24
"""Examples of a large batch: enough for rare pairs, such as the least score and the right label."""

LARGE = 1e4
"""Size of the large numbers beside small ones."""

OFFSET = 1e3
"""Distance from 0 of numbers that lie close together: their differences have few digits in float32."""

SWEPT = (0.03, 30.0)
"""Least and greatest size of the numbers of a sweep."""

MOST_SWEPT, LARGEST_SWEEP = 128, 2**13
"""Maximum of examples of a sweep, and of numbers when each example is tried at every place."""


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
            first = {name: init(self.stream, shape) for name, (shape, init) in self.parameters.items()}
            # First numbers are often equal, and a bias of 0 leaves ties as they are: branches may meet.
            for drawn in ([self._both_signs(shape) for shape in self.inputs], self._ties()):
                yield self._point(1.0, True, drawn, 1.0, FIRST_NUMBERS).with_params(first)

    def offset(self) -> Point:
        """Return a batch whose numbers are far from 0 and close together, on one side in each example."""
        moved = [(self._both_signs(shape).T + np.resize((OFFSET, -OFFSET), 6)).T for shape in self.inputs]
        point = self._point(1.0, False, moved, 1.0)
        floats = [np.abs(x).min() for x in point.inputs if x.size and not is_integer(x)]
        return point.lying_around(float(min(floats, default=0)))

    def overflowing(self) -> Point:
        """Return a large batch of a scale at which exp overflows in float32 and not in float64."""
        drawn = [self.stream.standard_normal((MANY, *shape)) for shape in self.inputs]
        return self._point(OVERFLOWING, False, drawn, 1.0)

    def mixed(self) -> list[Point]:
        """Return batches that differ in the numbers before or after some place: large ones, or small ones."""
        drawn = [self.stream.standard_normal((MANY, *shape)) for shape in self.inputs]
        small = self._point(1.0, False, drawn, 1.0)
        moved: dict[float, list[Array]] = {LARGE: [], -LARGE: [], 1.0: []}
        for x in small.inputs:
            places, cuts = np.arange(x[0].size), self.stream.integers(0, x[0].size + 1, (MANY, 1))
            large = np.where(np.arange(MANY)[:, None] % 2, places < cuts, places >= cuts).reshape(x.shape)
            for factor, inputs in moved.items():
                inputs.append(x if is_integer(x) else np.where(large, factor * x, x))
        return [small.with_inputs(inputs) for inputs in moved.values()]

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
        """Return numbers as they are if the domain holds them and their negatives; else map them into it."""
        if np.abs(x).max(initial=0) < min(-self.low, self.high):
            return x
        size = np.where(x == 0, 1, np.abs(x))
        if isfinite(self.low) and isfinite(self.high):
            return np.asarray((self.low + self.high + (self.high - self.low) * x / (1 + size)) / 2)
        if isfinite(self.low):
            return self.low + size * max(1, abs(self.low))
        return self.high - size * max(1, abs(self.high))

    def _within(self, allowed: Integers, shape: Shape) -> Array:
        """Draw allowed integers, including the first and the last one."""
        ranges = allowed if isinstance(allowed, tuple) else (allowed,)
        counts = np.cumsum([len(each) for each in ranges])
        drawn: Array = self.stream.integers(counts[-1], size=shape)
        drawn.flat[:1], drawn.flat[-1:] = 0, counts[-1] - 1
        places = np.searchsorted(counts, drawn, side="right")
        starts = np.array([each.stop for each in ranges]) - counts
        return np.asarray(starts[places] + drawn)
