"""The conformance kit: `check_layer` checks a layer against every rule of the contract."""

from __future__ import annotations

import re
from operator import itemgetter

import numpy as np

from deltawire_layers.kit.comparison import same_as
from deltawire_layers.kit.derivatives import dtype_kept, first_order, second_order
from deltawire_layers.kit.points import Point, Sampler
from deltawire_layers.kit.purity import any_layout, bits, concurrent, pure, same_bits
from deltawire_layers.kit.saved import check_saved
from deltawire_layers.kit.trial import (
    ConformanceError,
    Measured,
    Trial,
    gradient_of,
    read_only,
)
from deltawire_layers.layer import Array, Layer, Parameter, Shape, Work, arity


def check_layer(layer: Layer, *shapes: Shape, seed: int = 0, against: Layer | None = None) -> None:
    """Check a layer against all six rules of the contract.

    Try several shapes and configs. Small shapes are enough: the time grows with the size of an example and of
    the parameters.

    Args:
        layer: the layer, configured.
        shapes: the shape of one example of each input, without the batch axis.
        seed: seed of the numbers to try.
        against: a layer that means the same, as one whose author wrote only the forward line; both have to
            return the same numbers. Parameters belong together by name or, where names differ, by order.

    Raises:
        ConformanceError: a rule is broken; the error names the rule, the equation and the place.
        LayerError: the layer does not take these shapes.
        TypeError: the layer takes another number of inputs.

    Example:
        `check_layer(SwiGLU(units=3), (4,))` is a whole test.
    """
    if not arity(layer).accepts(len(shapes)):
        raise TypeError(f"{type(layer).__name__} takes {arity(layer)}, got {len(shapes)} shapes")
    with np.errstate(all="ignore"):
        trial = _declared(layer, shapes)
        sampler = Sampler(shapes, trial.output, trial.parameters, trial.integers, layer.domain, seed)
        points = [point for point in map(trial.finite, sampler.points()) if point is not None]
        if not points:
            raise trial.broken(4, "value", "is never finite")
        usual = points[len(points) > 1]  # of scale 1, unless the layer overflows there
        pure(trial, usual)
        _in_any_order(trial, usual)
        if against is not None:
            same_as(trial, against, sampler, points)
        for point in points:
            measured = trial.measure(point)
            _independent(trial, measured)
            dtype_kept(trial, point)
            first_order(trial, sampler, measured)
            second_order(trial, sampler, measured)
        concurrent(trial, usual)
        any_layout(trial, usual)
        check_saved(trial)
        _documented(trial)


# Rule 5, shapes first.


def _declared(layer: Layer, shapes: tuple[Shape, ...]) -> Trial:
    """Check the form of a layer's declarations for these shapes, and return its trial."""
    output = layer.output_shape(*shapes)
    trial = Trial(layer, shapes, output, layer.parameters(*shapes), layer.integer_inputs(*shapes))
    if not _is_shape(output):
        raise trial.broken(5, "output_shape", f"is {output!r}, expected a tuple of whole numbers")
    if type(layer.orders) is not int or layer.orders not in (1, 2):
        raise trial.broken(5, "orders", f"is {layer.orders!r}, expected 1 or 2")
    work = layer.work(*shapes)
    if not (isinstance(work, Work) and all(type(number) is int and number >= 0 for number in work)):
        raise trial.broken(5, "work", f"is {work!r}, expected Work of two whole numbers, 0 or more")
    for name, parameter in trial.parameters.items():
        closure = f"parameter {name!r}"
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", name):
            raise trial.broken(5, closure, "is not named in letters, digits and underscores")
        if not isinstance(parameter, Parameter) or not _is_shape(parameter.shape):
            raise trial.broken(5, closure, f"is {parameter!r}, expected Parameter(shape, init)")
        first, again = (parameter.init(np.random.default_rng(0), parameter.shape) for _ in range(2))
        if not _is_start(first, parameter.shape):
            expected = f"an array of shape {parameter.shape}, finite float64 numbers"
            raise trial.broken(5, closure, f"starts with {first!r}, expected {expected}")
        if first.tobytes() != again.tobytes():
            raise trial.broken(5, closure, "starts with numbers that do not come from the stream alone")
    for position, allowed in trial.integers.items():
        ranges = allowed if isinstance(allowed, tuple) else (allowed,)
        if position not in range(len(shapes)) or not all(map(_is_range, ranges)):
            raise trial.broken(5, "integer_inputs", f"has the range {allowed!r} for input {position}")
    if layer.elementwise and any(shape != output for shape in shapes):
        raise trial.broken(
            5, "elementwise", f"is claimed, but shapes {shapes} give a value of shape {output}"
        )
    return trial


def _is_range(allowed: object) -> bool:
    return isinstance(allowed, range) and allowed.step == 1 and len(allowed) > 0


def _is_shape(shape: object) -> bool:
    return isinstance(shape, tuple) and all(type(size) is int and size >= 0 for size in shape)


def _is_start(first: object, shape: Shape) -> bool:
    return (
        isinstance(first, np.ndarray)
        and (first.shape, first.dtype) == (shape, np.float64)
        and bool(np.isfinite(first).all())
    )


# Rule 3, only what is asked. Every pass checks that each input and parameter has one equation.


def _in_any_order(trial: Trial, point: Point) -> None:
    """Check that an equation returns the same bits alone, in another order, and when called twice."""
    run = trial.forward(point)
    closures, right = list(run.equations), bits(run.backward())
    for order in (closures[::-1] + closures, *([closure] for closure in closures)):
        try:
            result = bits(trial.forward(point).backward(order))
        except ConformanceError as error:
            raise trial.broken(3, error.closure, f"leans on another equation: it {error.problem}") from error
        same_bits(trial, 3, right, result, "depends on which equations were called before")


# Rule 2, examples are independent.


def _independent(trial: Trial, measured: Measured) -> None:
    """Check a batch against its examples one by one: equal results, and gradients that add up."""
    single = (measured.point.with_rows(itemgetter([row])) for row in range(len(measured.point.delta)))
    alone = [trial.forward(point).results() for point in single]
    for closure, result in measured.results.items():
        parts = np.stack([results[closure] for results in alone])
        if closure.startswith("gradient"):
            problem = "is not the sum of its examples' gradients"
            expected, size = parts.sum(axis=0), np.abs(parts).sum(axis=0)
        else:
            problem = "of an example depends on the other examples"
            expected, size = parts[:, 0], np.abs(parts[:, 0])
        trial.agree(2, closure, problem, measured.point, expected, result, measured.rounding(closure, size))
    _per_example(trial, measured, alone)


def _per_example(trial: Trial, measured: Measured, alone: list[dict[str, Array]]) -> None:
    """Check that `per_example` returns the gradients of batches of one."""
    point = measured.point.with_all(read_only)
    result = trial.call(
        "per_example", point, trial.layer.per_example, point.params, point.delta, *point.inputs
    )
    if result is None:
        return
    if result.keys() != trial.parameters.keys():
        raise trial.broken(2, "per_example", f"has {sorted(result)}, expected {sorted(trial.parameters)}")
    for name, parameter in trial.parameters.items():
        closure = gradient_of(name)
        rows = trial.checked("per_example", point, result[name], (len(alone), *parameter.shape))
        expected = np.stack([results[closure] for results in alone])
        allowance = measured.rounding(closure, np.abs(expected))
        problem = f"of {name!r} is not the gradient of each example alone"
        trial.agree(2, "per_example", problem, measured.point, expected, rows, allowance)


# Rule 6, documented by formula.


def _documented(trial: Trial) -> None:
    """Check that the docstring starts with the formula, and that `formula` covers every closure."""
    layer, inputs, formula = trial.layer, len(trial.shapes), trial.layer.formula
    if "=" not in (type(layer).__doc__ or "").partition("\n")[0]:
        raise trial.broken(6, "docstring", "does not start with the formula of the value")
    if formula is None:
        return
    takes, given = arity(layer), len(formula.deltas)
    variadic = takes.variadic
    if not takes.accepts(given) and not (variadic and 0 < given <= inputs):
        raise trial.broken(6, "formula", f"has {given} deltas for {inputs} inputs")
    for name in trial.parameters.keys() - formula.grads.keys():
        raise trial.broken(6, "formula", f"has no gradient of {name!r}")
    for name in formula.init.keys() - formula.grads.keys():
        raise trial.broken(6, "formula", f"has an init of {name!r}, which is no parameter")
    known = {"value", "delta", *formula.grads, *(f"x{position}" for position in range(max(inputs, given)))}
    for text in (formula.value, *filter(None, formula.deltas), *formula.grads.values()):
        # A name in braces is a placeholder, unless it follows a LaTeX command, as in \text{name}.
        for name in re.findall(r"(?<![\w}\]^_])\{([A-Za-z_]\w*)\}", text):
            if name not in known and not (variadic and re.fullmatch(r"x\d+", name)):
                problem = f"has an unknown placeholder {{{name}}}; known: {', '.join(sorted(known))}"
                raise trial.broken(6, "formula", problem)
