"""Call a layer for the kit, and check the form of every result."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from deltawire_layers.kit.points import Point
from deltawire_layers.layer import Activation, Array, Equation, Integers, Layer, Parameter, Shape

RULES = MappingProxyType(
    {
        1: "pure",
        2: "examples are independent",
        3: "only what is asked",
        4: "analytic",
        5: "shapes first",
        6: "documented by formula",
    }
)

SHARP = 1e-9
"""Allowed relative difference of two numbers that are exact except for rounding."""

EPSILON = 2.0**-52

WRITTEN = re.compile("read-only|WRITEABLE|mappingproxy")
"""Messages of numpy and Python about a write to something read-only."""


class ConformanceError(AssertionError):
    """A layer breaks the contract. The arguments are also its attributes.

    Args:
        layer: name of the layer's class.
        rule: number of the rule; `rule_name` is its name.
        closure: `value`, `δ of input 1`, `gradient of 'weight'`, `signal`, or a declaration: `saved`, …
        problem: the mistake, as the end of a sentence that begins with the closure.
        point: the point where numbers are wrong: `scale 10`, `exact ties of scale 1`.
        place: index of the worst number.
        expected: the expected number at that place.
        got: the number that the layer returned at that place.
        suggestion: a way to mend it, where the kit can derive one.
    """

    def __init__(
        self,
        layer: str,
        rule: int,
        closure: str,
        problem: str,
        point: str | None = None,
        place: tuple[int, ...] | None = None,
        expected: float | str | None = None,
        got: float | str | None = None,
        suggestion: str | None = None,
    ):
        super().__init__(layer, rule, closure, problem, point, place, expected, got, suggestion)
        self.layer, self.rule, self.closure, self.problem = layer, rule, closure, problem
        self.point, self.place, self.expected, self.got = point, place, expected, got
        self.suggestion = suggestion

    @property
    def rule_name(self) -> str:
        """Return the name of the broken rule."""
        return RULES[self.rule]

    def __str__(self) -> str:
        message = f"{self.layer} breaks rule {self.rule} ({self.rule_name}): {self.closure} {self.problem}"
        if self.place is not None:
            message += f": expected {self.expected}, got {self.got} at {list(self.place)}"
        if self.point is not None:
            message += f", at {self.point}"
        return message if self.suggestion is None else f"{message}; {self.suggestion}"


def delta_of(position: int) -> str:
    """Return the name, in errors, of an input's equation."""
    return f"δ of input {position}"


def gradient_of(name: str) -> str:
    """Return the name, in errors, of a parameter's equation."""
    return f"gradient of {name!r}"


def read_only(array: Array) -> Array:
    """Return a read-only copy."""
    copy = np.array(array)
    copy.flags.writeable = False
    return copy


class Trial(NamedTuple):
    """A layer, the shapes of its inputs, and its declarations for them."""

    layer: Layer
    shapes: tuple[Shape, ...]
    output: Shape
    parameters: Mapping[str, Parameter]
    integers: Mapping[int, Integers]

    def broken(
        self,
        rule: int,
        closure: str,
        problem: str,
        point: Point | None = None,
        place: Iterable[int] | None = None,
        expected: float | str | None = None,
        got: float | str | None = None,
        suggestion: str | None = None,
    ) -> ConformanceError:
        """Return the error to raise.

        Args:
            rule: number of the broken rule.
            closure: value, equation or declaration at fault.
            problem: the mistake, as the end of a sentence.
            point: the point where numbers are wrong.
            place: index of the worst number.
            expected: the expected number at that place.
            got: the returned number at that place.
            suggestion: a way to mend it.
        """
        where = None if point is None else str(point)
        index = None if place is None else tuple(map(int, place))
        return ConformanceError(
            type(self.layer).__name__, rule, closure, problem, where, index, expected, got, suggestion
        )

    def call(self, closure: str, point: Point, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function of the layer, and return its result.

        Args:
            closure: value or equation that the function computes.
            point: the point at which it is called.
            function: the function.
            args: its arguments.

        Raises:
            ConformanceError: the function raises; its exception decides which rule is broken.
        """
        try:
            return function(*args)
        except Exception as error:  # a layer may raise anything
            message = f"{type(error).__name__}: {error}"
            if WRITTEN.search(message):
                raise self.broken(1, closure, f"writes to an argument ({message})", point) from error
            if isinstance(error, KeyError) and set(error.args).isdisjoint(self.parameters):
                problem = f"needs a parameter that is not declared ({message})"
                raise self.broken(5, closure, problem) from error
            rule = 4 if np.iscomplexobj(point.delta) else 5
            raise self.broken(rule, closure, f"raises {message}, given {point.delta.dtype}", point) from error

    def checked(self, closure: str, point: Point, result: Any, shape: Shape) -> Array:
        """Return a result that is an array of this shape, of the arguments' dtype, without NaN.

        Args:
            closure: value or equation that returned it.
            point: the point at which it was called.
            result: the result.
            shape: the shape expected.

        Raises:
            ConformanceError: the result is anything else.
        """
        if not isinstance(result, np.ndarray):
            raise self.broken(5, closure, f"is not an array but {type(result).__name__}")
        if result.shape != shape:
            raise self.broken(5, closure, f"has shape {result.shape}, expected {shape}", point)
        if result.dtype != point.delta.dtype:
            raise self.broken(
                4, closure, f"is {result.dtype} though all arguments are {point.delta.dtype}", point
            )
        unknown = np.isnan(result)
        if unknown.any():
            place = np.argwhere(unknown)[0]
            raise self.broken(
                4, closure, f"is not a number in {result.dtype}", point, place, "a number", "NaN"
            )
        return result

    def forward(self, point: Point) -> Pass:
        """Run a forward pass on read-only arguments."""
        return self.forward_on(point.with_all(read_only))

    def forward_on(self, given: Point) -> Pass:
        """Run a forward pass on the arrays of a point as they are."""
        params = MappingProxyType(dict(given.params))
        activation = self.call("value", given, self.layer.forward, params, *given.inputs)
        if not isinstance(activation, Activation):
            raise self.broken(3, "forward", f"returns {type(activation).__name__}, expected an Activation")
        value = self.checked("value", given, activation.value, (len(given.delta), *self.output))
        return Pass(self, given, value, activation.signal, self._equations(given, activation))

    def _equations(self, given: Point, activation: Activation) -> dict[str, tuple[Equation, Shape]]:
        """Return the equations by their names in errors, each with the shape of its result.

        Raises:
            ConformanceError: an equation is missing, or belongs to no input and no parameter.
        """
        inputs, deltas = len(self.shapes), len(activation.deltas)
        if deltas < inputs:
            raise self.broken(3, delta_of(deltas), f"is missing: {deltas} deltas for {inputs} inputs")
        if deltas > inputs:
            raise self.broken(3, delta_of(inputs), f"has no input: {deltas} deltas for {inputs} inputs")
        for name in self.parameters.keys() - activation.grads.keys():
            raise self.broken(3, gradient_of(name), "is missing")
        for name in activation.grads.keys() - self.parameters.keys():
            raise self.broken(
                3, gradient_of(name), f"has no parameter; declared: {', '.join(self.parameters)}"
            )
        for position in self.integers:
            if activation.deltas[position] is not None:
                raise self.broken(3, delta_of(position), "should be None: the input takes integers")
        deltas_of_inputs = {
            delta_of(position): (equation, given.inputs[position].shape)
            for position, equation in enumerate(activation.deltas)
            if equation is not None
        }
        return deltas_of_inputs | {
            gradient_of(name): (equation, self.parameters[name].shape)
            for name, equation in activation.grads.items()
        }

    def finite(self, point: Point) -> Point | None:
        """Return the point with the examples whose value is finite; None when there are none."""
        value = self.forward(point).value
        rows = np.isfinite(value).reshape(len(value), -1).all(axis=1)
        return point.with_rows(lambda array: array[rows]) if rows.any() else None

    def agree(
        self,
        rule: int,
        closure: str,
        problem: str,
        point: Point,
        expected: Array,
        got: Array,
        allowance: Array,
    ) -> None:
        """Check that numbers lie within an allowance of the expected ones, where those are finite.

        Args:
            rule: number of the rule that a difference breaks.
            closure: value or equation that returned the numbers.
            problem: the mistake, as the end of a sentence that begins with the closure.
            point: the point.
            expected: the expected numbers.
            got: the numbers returned.
            allowance: how far apart they may lie.

        Raises:
            ConformanceError: a number lies further away.
        """
        excess = np.abs(got - expected) - allowance
        wrong = (excess > 0) & np.isfinite(expected)
        if wrong.any():
            place = tuple(map(int, np.unravel_index(np.argmax(np.where(wrong, excess, 0)), wrong.shape)))
            right, wrong_one = float(expected[place].real), float(got[place].real)
            raise self.broken(rule, closure, problem, point, place, right, wrong_one)

    def measure(self, point: Point) -> Measured:
        """Compute the value and all equations at a point, and their noise."""
        results = self.forward(point).results()
        nudged = self.forward(point.with_floats(lambda array: array * (1 + 4 * EPSILON))).results()
        noise = {}
        for closure, result in results.items():
            own_axes = None if closure.startswith("gradient") else tuple(range(1, result.ndim))
            noise[closure] = np.abs(nudged[closure] - result).max(axis=own_axes, keepdims=True, initial=0)
        return Measured(point, results, noise)


class Pass(NamedTuple):
    """One forward pass: its arguments, the value, and the backward equations."""

    trial: Trial
    given: Point
    value: Array
    signal: Callable[[Array], Any]
    equations: dict[str, tuple[Equation, Shape]]

    def backward(self, closures: Iterable[str] | None = None, delta: Array | None = None) -> dict[str, Array]:
        """Call equations, by default all, with a δ, by default the point's; return results by closure."""
        call, given = self.trial.call, self.given
        signal = call("signal", given, self.signal, given.delta if delta is None else delta)
        results = {}
        for closure in self.equations if closures is None else closures:
            equation, shape = self.equations[closure]
            results[closure] = self.trial.checked(
                closure, given, call(closure, given, equation, signal), shape
            )
        return results

    def results(self) -> dict[str, Array]:
        """Return the value and the results of all equations."""
        return {"value": self.value} | self.backward()


class Measured(NamedTuple):
    """A point, the results there, and their noise.

    The noise is the greatest change in an example, or in a whole gradient, when all arguments grow by a few
    last bits. They grow by one factor, so that ties stay ties.
    """

    point: Point
    results: dict[str, Array]
    noise: dict[str, Array]

    def rounding(self, closure: str, size: Array) -> Array:
        """Return how far two computations of a result may differ; size is the sum of its terms' sizes."""
        products = self.point.magnitude
        # At a tie, one computation may cancel exactly and another may not, so that noise is no bound.
        cancelled = products**3 if self.point.ties else products * (1e3 + 16 * products)
        return np.asarray(SHARP * size + EPSILON * cancelled + 16 * self.noise[closure])
