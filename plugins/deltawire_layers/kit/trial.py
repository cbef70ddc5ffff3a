"""One layer on trial: every call the kit makes of it, and a first look at all that comes back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from deltawire_layers.kit.points import Point
from deltawire_layers.layer import Activation, Array, Equation, Layer, Parameter, Shape

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
"""Relative difference of two numbers that are both exact but for rounding."""

EPSILON = 2.0**-52

WRITTEN = re.compile("read-only|WRITEABLE|mappingproxy")
"""What numpy and Python say when somebody writes to what was given for reading."""


class ConformanceError(AssertionError):
    """A layer breaks the contract: which rule, in which closure, and the worst place.

    layer:   name of its class
    rule:    number of the rule; `rule_name` is its name
    closure: `value`, `δ of input 1`, `gradient of 'weight'`, `signal`, or a declaration: `saved`, …
    problem: what is wrong with it
    point:   where it was tried (`scale 10`, `exact ties of scale 1`), when numbers are wrong
    place:   index of the worst number, with what is `expected` there and what it `got`
    suggestion: a way to mend it, when the kit could work one out
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
        return RULES[self.rule]

    def __str__(self) -> str:
        message = f"{self.layer} breaks rule {self.rule} ({self.rule_name}): {self.closure} {self.problem}"
        if self.place is not None:
            message += f": expected {self.expected}, got {self.got} at {list(self.place)}"
        if self.point is not None:
            message += f", at {self.point}"
        return message if self.suggestion is None else f"{message}; {self.suggestion}"


def delta_of(position: int) -> str:
    return f"δ of input {position}"


def gradient_of(name: str) -> str:
    return f"gradient of {name!r}"


def read_only(array: Array) -> Array:
    """A copy that refuses to be written to."""
    copy = np.array(array)
    copy.flags.writeable = False
    return copy


class Trial(NamedTuple):
    """A layer, the shapes of its inputs, and what it declares for them."""

    layer: Layer
    shapes: tuple[Shape, ...]
    output: Shape
    parameters: Mapping[str, Parameter]
    integers: Mapping[int, range]

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
        """The error to raise."""
        where = None if point is None else str(point)
        index = None if place is None else tuple(map(int, place))
        return ConformanceError(
            type(self.layer).__name__, rule, closure, problem, where, index, expected, got, suggestion
        )

    def call(self, closure: str, point: Point, function: Callable[..., Any], *args: Any) -> Any:
        """What a function of the layer returns. What it raises tells which rule is broken."""
        try:
            return function(*args)
        except Exception as error:  # a layer may raise anything
            said = f"{type(error).__name__}: {error}"
            if WRITTEN.search(said):
                raise self.broken(1, closure, f"writes to an argument ({said})", point) from error
            if isinstance(error, KeyError) and set(error.args).isdisjoint(self.parameters):
                raise self.broken(5, closure, f"needs a parameter that is not declared ({said})") from error
            rule = 4 if np.iscomplexobj(point.delta) else 5
            raise self.broken(rule, closure, f"raises {said}, given {point.delta.dtype}", point) from error

    def fitting(self, closure: str, point: Point, result: Any, shape: Shape) -> Array:
        """The result, if it is an array of this shape, of the dtype of the arguments, without a NaN."""
        if not isinstance(result, np.ndarray):
            raise self.broken(5, closure, f"is no array but {type(result).__name__}")
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
        """A forward pass on arguments that cannot be written to."""
        return self.forward_on(point.with_all(read_only))

    def forward_on(self, given: Point) -> Pass:
        """A forward pass on these very arrays."""
        params = MappingProxyType(dict(given.params))
        activation = self.call("value", given, self.layer.forward, params, *given.inputs)
        if not isinstance(activation, Activation):
            raise self.broken(3, "forward", f"returns {type(activation).__name__}, expected an Activation")
        value = self.fitting("value", given, activation.value, (len(given.delta), *self.output))
        return Pass(self, given, value, activation.signal, self._equations(given, activation))

    def _equations(self, given: Point, activation: Activation) -> dict[str, tuple[Equation, Shape]]:
        """The equations by their names in errors, each with the shape of its answer; none missing."""
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
        found = {
            delta_of(position): (equation, given.inputs[position].shape)
            for position, equation in enumerate(activation.deltas)
            if equation is not None
        }
        return found | {
            gradient_of(name): (equation, self.parameters[name].shape)
            for name, equation in activation.grads.items()
        }

    def finite(self, point: Point) -> Point | None:
        """The examples whose value does not overflow, if there are any."""
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
        """Raise when a number is further from the expected one than allowed. Infinity is never expected."""
        excess = np.abs(got - expected) - allowance
        wrong = (excess > 0) & np.isfinite(expected)
        if wrong.any():
            place = tuple(map(int, np.unravel_index(np.argmax(np.where(wrong, excess, 0)), wrong.shape)))
            right, found = float(expected[place].real), float(got[place].real)
            raise self.broken(rule, closure, problem, point, place, right, found)

    def measure(self, point: Point) -> Measured:
        """All answers at a point, and how sure they are."""
        answers = self.forward(point).answers()
        nudged = self.forward(point.with_floats(lambda array: array * (1 + 4 * EPSILON))).answers()
        noise = {}
        for closure, answer in answers.items():
            own_axes = None if closure.startswith("gradient") else tuple(range(1, answer.ndim))
            noise[closure] = np.abs(nudged[closure] - answer).max(axis=own_axes, keepdims=True, initial=0)
        return Measured(point, answers, noise)


class Pass(NamedTuple):
    """One forward pass: what it was given, the value, and the backward equations."""

    trial: Trial
    given: Point
    value: Array
    signal: Callable[[Array], Any]
    equations: dict[str, tuple[Equation, Shape]]

    def backward(self, closures: Iterable[str] | None = None, delta: Array | None = None) -> dict[str, Array]:
        """Answers of the equations asked for, all of them by default, to the δ of the point by default."""
        call, given = self.trial.call, self.given
        signal = call("signal", given, self.signal, given.delta if delta is None else delta)
        answers = {}
        for closure in self.equations if closures is None else closures:
            equation, shape = self.equations[closure]
            answers[closure] = self.trial.fitting(
                closure, given, call(closure, given, equation, signal), shape
            )
        return answers

    def answers(self) -> dict[str, Array]:
        """The value, and the answers of all equations."""
        return {"value": self.value} | self.backward()


class Measured(NamedTuple):
    """A point, the value and all equations there, and their noise.

    The noise is how far the numbers of an example (of a gradient: all of them) move when all arguments grow
    by a few last bits. They grow by one factor, so that ties stay ties.
    """

    point: Point
    answers: dict[str, Array]
    noise: dict[str, Array]

    def rounding(self, closure: str, size: Array) -> Array:
        """How far apart two ways to compute an answer may lie; `size`: its terms summed, without signs."""
        products = self.point.magnitude
        # At a tie one way may cancel exactly and another not: the noise of one says nothing of the other.
        cancelled = products**3 if self.point.ties else products * (1e3 + 16 * products)
        return np.asarray(SHARP * size + EPSILON * cancelled + 16 * self.noise[closure])
