"""A point to try a layer at: a batch, or a direction in which its numbers move."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np

from deltawire_layers.layer import Array

FIRST_NUMBERS = "at their first numbers"
"""Where parameters are exactly what they start from, which is often 0 or 1."""

DIFFERENCE_STEP = 2.0**-24
"""Step of differences, relative to a direction: about the square root of float64's precision."""


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
    around: float = 0.0
    """Distance from 0 that no number of the inputs comes below."""

    def __str__(self) -> str:
        parameters = f", parameters {self.parameters_at}" if self.parameters_at else ""
        around = f" around ±{self.around:g}" if self.around else ""
        return f"{'exact ties of ' if self.ties else ''}scale {self.scale:g}{around}{parameters}"

    @property
    def venture(self) -> bool:
        """Return whether the layer may have no value here: a root of a negative parameter has none."""
        return bool(self.parameters_at)

    @property
    def degenerate(self) -> bool:
        """Return whether the kit drew numbers that may be singular, where a layer may raise LinAlgError."""
        return self.ties or self.venture or bool(self.around)

    @property
    def magnitude(self) -> float:
        """Return a bound of products of an input and a parameter; rounding grows with it."""
        return (1 + self.largest_input) * (1 + self.largest_parameter)

    @property
    def largest_input(self) -> float:
        """Return the greatest size of a number of the inputs, or how far it lies from where all lie."""
        return max(0.0, _largest(self.inputs) - self.around)

    @property
    def largest_parameter(self) -> float:
        """Return the greatest size of a number of the parameters."""
        return _largest(self.params.values())

    @property
    def cancelled_in_equations(self) -> float:
        """Return a bound of products that may cancel in an equation; one factor is a whole input.

        The gradient of a weight, x ∘ f′ ∘ δ, has the rounding of f′ as many times as x is large.
        """
        return self.products(2) * (1 + self.around / (1 + self.largest_input))

    @property
    def cancelled_in_value(self) -> float:
        """Return a bound of products of arguments that cancel in float32 on the way to a right value.

        Small inputs have small products; those that lie together are subtracted before they are multiplied.
        """
        return self.magnitude * self.largest_input if self.scale < 1 else self.products(2)

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
        return self.with_inputs(inputs)

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

    def lying_around(self, distance: float) -> Point:
        """Return the point with a distance from 0 that no number of its inputs comes below."""
        return self._replace(around=distance)

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


def reach(x: Array) -> Array:
    """Return a distance at which both rounding and the curvature of a smooth function are small."""
    return np.sqrt(np.maximum(np.abs(x), 1))
