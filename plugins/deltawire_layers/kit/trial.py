"""Call a layer for the kit, and check the form of every result."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import numpy as np

from deltawire_layers.breaches import Breach, activation_breach, array_breach, delta_of, gradient_of
from deltawire_layers.kit.domains import domain_mend
from deltawire_layers.kit.errors import ConformanceError, Degenerate, MissingParameter
from deltawire_layers.kit.hangs import Abandoned, timed
from deltawire_layers.kit.points import Point
from deltawire_layers.kit.sampler import Sampler
from deltawire_layers.layer import Activation, Array, Equation, Integers, Layer, Parameter, Shape
from deltawire_layers.locking import lock

SHARP = 1e-9
"""Allowed relative difference of two numbers that are exact except for rounding."""

EPSILON = 2.0**-52

WRITTEN = re.compile("read-only|WRITEABLE|mappingproxy|write=True|writeable flag")
"""Messages of numpy and Python about a write to something read-only."""

OF_SHAPES = re.compile("shape|broadcast|dimension|axis|axes|size")
"""Messages about shapes, which no domain mends."""


class Parameters(dict[str, Array]):
    """Parameters that tell a name which is not declared from the missing key of another dict."""

    def __missing__(self, name: object) -> Array:
        raise MissingParameter(name)


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

    def sampler(self, seed: int) -> Sampler:
        """Return the sampler of points for the layer."""
        layer = self.layer
        drawn = (self.shapes, self.output, self.parameters, self.integers)
        return Sampler(*drawn, layer.domain, seed, layer.constant_rows())

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
        name, where = type(self.layer).__name__, None if point is None else str(point)
        index = None if place is None else tuple(map(int, place))
        return ConformanceError(name, rule, closure, problem, where, index, expected, got, suggestion)

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
            return timed(closure, function, *args)
        except Abandoned:
            raise
        except BaseException as error:  # a layer may raise anything, SystemExit included
            if isinstance(error, np.linalg.LinAlgError) and point.degenerate:
                raise Degenerate from error
            raise self._raised(closure, point, error) from error

    def _raised(self, closure: str, point: Point, error: BaseException) -> ConformanceError:
        """Return the error for an exception of the layer, which decides the rule that is broken."""
        message = f"{type(error).__name__}: {error}"
        if WRITTEN.search(message):
            return self.broken(
                1,
                closure,
                f"writes to an array that is read-only, as arguments and results are ({message})",
                point,
            )
        if isinstance(error, MissingParameter):
            return self.broken(5, closure, f"needs a parameter that is not declared ({message})")
        rule = 4 if np.iscomplexobj(point.delta) else 5
        numeric = isinstance(error, ValueError | ArithmeticError) and not OF_SHAPES.search(message)
        mend = domain_mend(self.layer, point) if numeric else None
        problem = f"raises {message}, given {point.delta.dtype}"
        return self.broken(rule, closure, problem, point, suggestion=mend)

    def refuse(self, breach: Breach | None, point: Point | None = None) -> None:
        """Raise the error for a breach; do nothing for None."""
        if breach is not None:
            rule, closure, problem, mend = breach
            raise self.broken(rule, str(closure), problem, point, suggestion=mend)

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
        array = self.formed(closure, point, result, shape)
        unknown = np.isnan(array)
        if unknown.any():
            place = np.argwhere(unknown)[0]
            problem = f"is not a number in {array.dtype}"
            mend = domain_mend(self.layer, point, None if closure.startswith("gradient") else array)
            raise self.broken(4, closure, problem, point, place, "a number", "NaN", mend)
        return array

    def formed(self, closure: str, point: Point, result: Any, shape: Shape) -> Array:
        """Return a result that is an array of this shape and of the arguments' dtype, locked as it is served.

        Args:
            closure: value or equation that returned it.
            point: the point at which it was called.
            result: the result.
            shape: the shape expected.

        Raises:
            ConformanceError: the result is anything else.
        """
        self.refuse(array_breach(closure, result, shape, point.delta.dtype), point)
        lock(result)
        array: Array = result.view()
        return array

    def forward(self, point: Point) -> Pass:
        """Run a forward pass on read-only arguments."""
        return self.forward_on(point.with_all(read_only))

    def forward_on(self, given: Point) -> Pass:
        """Run a forward pass on the arrays of a point as they are."""
        activation = self._activation(given)
        # Beside a parameter at 0, where a root has no value, differences are no numbers.
        check = self.formed if given.venture else self.checked
        value = check("value", given, activation.value, (len(given.delta), *self.output))
        return Pass(self, given, value, activation.signal, self._equations(given, activation))

    def _activation(self, given: Point) -> Activation:
        """Run the forward pass, and return its result, whose form is right.

        Raises:
            ConformanceError: an equation is missing, or belongs to no input and no parameter.
        """
        params = MappingProxyType(Parameters(given.params))
        activation = self.call("value", given, self.layer.forward, params, *given.inputs)
        self.refuse(activation_breach(activation, len(self.shapes), self.parameters.keys()))
        for position in self.integers:
            if activation.deltas[position] is not None:
                raise self.broken(3, delta_of(position), "should be None: the input takes integers")
        return cast(Activation, activation)

    def _equations(self, given: Point, activation: Activation) -> dict[str, tuple[Equation, Shape]]:
        """Return the equations by their names in errors, each with the shape of its result."""
        deltas_of_inputs = {
            delta_of(position): (equation, given.inputs[position].shape)
            for position, equation in enumerate(activation.deltas)
            if equation is not None
        }
        return deltas_of_inputs | {
            gradient_of(name): (equation, self.parameters[name].shape)
            for name, equation in activation.grads.items()
        }

    def finite(self, point: Point, below: float = np.inf) -> Point | None:
        """Return the point with the examples whose value is finite; None when there are none.

        At a degenerate point, examples without a value are left out too.

        Args:
            point: the point.
            below: a bound of the numbers of the value.
        """
        try:
            value = self._value(point)
        except Degenerate:
            return self._with_values(point)
        rows = (np.abs(value) < below).reshape(len(value), -1).all(axis=1)
        if rows.all():
            return point
        return point.with_rows(lambda array: array[rows]) if rows.any() else None

    def _value(self, point: Point) -> Array:
        """Return the value at a point; at one with parameters of all kinds, it may be no number."""
        given = point.with_all(read_only)
        check = self.formed if point.venture else self.checked
        return check("value", given, self._activation(given).value, (len(given.delta), *self.output))

    def _with_values(self, point: Point) -> Point | None:
        """Return the point with the examples that have a finite value each on its own."""
        rows = []
        for row in range(len(point.delta)):
            one = point.with_rows(itemgetter([row]))
            try:
                if np.isfinite(self._value(one)).all():
                    rows.append(row)
            except Degenerate:
                continue
        return point.with_rows(itemgetter(rows)) if rows else None

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
        excess = np.where(np.isnan(got) & ~np.isnan(allowance), np.inf, np.abs(got - expected) - allowance)
        wrong = (excess > 0) & np.isfinite(expected)
        if wrong.any():
            place = tuple(map(int, np.unravel_index(np.argmax(np.where(wrong, excess, 0)), wrong.shape)))
            right, wrong_one = float(expected[place].real), float(got[place].real)
            raise self.broken(rule, closure, problem, point, place, right, wrong_one)

    def measure(self, point: Point) -> Measured:
        """Compute the value and all equations at a point, and their noise."""
        results = self.forward(point).results()
        nudged = self.forward(point.nudged(1 + 4 * EPSILON)).results()
        noise = {
            name: greatest(name, np.where(np.isnan(result), 0, nudged[name] - result))
            for name, result in results.items()
        }
        return Measured(point, results, noise)


def greatest(closure: str, numbers: Array) -> Array:
    """Return the greatest size in each example of a value or δ, or in a whole gradient; axes are kept."""
    own_axes = None if closure.startswith("gradient") else tuple(range(1, numbers.ndim))
    return np.asarray(np.abs(numbers).max(axis=own_axes, keepdims=True, initial=0))


class Pass(NamedTuple):
    """One forward pass: its arguments, the value, and the backward equations."""

    trial: Trial
    given: Point
    value: Array
    signal: Callable[[Array], Any]
    equations: dict[str, tuple[Equation, Shape]]

    def backward(
        self, closures: Iterable[str] | None = None, delta: Array | None = None, numbers: bool = True
    ) -> dict[str, Array]:
        """Call equations, and return their results by closure.

        Args:
            closures: the equations to call, by default all.
            delta: δ of the value, by default the point's.
            numbers: whether every result has to be a number.
        """
        call, given = self.trial.call, self.given
        signal = call("signal", given, self.signal, given.delta if delta is None else delta)
        for array in signal if type(signal) is tuple else (signal,):
            if type(array) is np.ndarray:
                lock(array)
        # A derivative by a parameter may be infinite at 0; `first_order` finds what is no number elsewhere.
        check = self.trial.checked if numbers and not given.venture else self.trial.formed
        results = {}
        for closure in self.equations if closures is None else closures:
            equation, shape = self.equations[closure]
            results[closure] = check(closure, given, call(closure, given, equation, signal), shape)
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
        point = self.point
        one = point.magnitude
        # At a tie, one computation may cancel exactly and another may not, so that noise is no bound.
        exact = point.ties or point.venture
        cancelled = point.products(3) if exact else one * (1e3 + 16 * one)
        return np.asarray(SHARP * size + EPSILON * cancelled + 16 * self.noise[closure])
