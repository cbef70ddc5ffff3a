"""Check rule 5, shapes first, and rule 6, documented: what a layer declares before it computes a number."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from deltawire_layers.breaches import (
    Breach,
    class_breach,
    constant_rows_breach,
    draw_breach,
    integers_breach,
    output_shape_breach,
    parameters_breach,
    work_breach,
)
from deltawire_layers.kit.hangs import Abandoned, Hang, call_within, timed
from deltawire_layers.kit.trial import Trial
from deltawire_layers.layer import Layer, LayerError, Shape, arity

SECONDS = 20.0
"""How long one call of a layer may take."""

USUAL_SHAPES: tuple[Shape, ...] = ((4,), (), (3, 4), (1,), (2, 6, 6), (1, 1), (1, 4, 4))
"""Shapes to try when none are given."""

MOST_CASES = 12
"""Combinations of usual shapes to try of a layer that takes many."""


def run_check(layer: Layer, shapes: tuple[Shape, ...], seconds: float, check: Callable[[], None]) -> None:
    """Run a check of a layer, and bound the time of each of its calls.

    Args:
        layer: the layer.
        shapes: shapes of the inputs.
        seconds: how long one call may take.
        check: the check.

    Raises:
        ConformanceError: the check raises it, or a call does not return.
    """
    try:
        call_within(seconds, check)
    except Hang as hang:
        problem = f"does not return within {seconds:g} seconds"
        raise _trial(layer, shapes).broken(1, hang.closure, problem) from hang


def refuse_class(layer: Layer) -> None:
    """Check what the class of a layer declares.

    Raises:
        ConformanceError: it cannot be used.
    """
    trial = _trial(layer, ())
    if not isinstance(layer, Layer):
        mend = "give a configured layer: check_layer(MyLayer(), (4,))"
        raise trial.broken(5, "layer", f"is {layer!r}, not a layer", suggestion=mend)
    trial.refuse(_asked(trial, "Config", class_breach, type(layer)))


def fitting_shapes(layer: Layer, seconds: float = SECONDS) -> list[tuple[Shape, ...]]:
    """Return the usual shapes that a layer takes: for several inputs, the first combinations of them.

    Args:
        layer: the layer.
        seconds: how long one call may take.

    Raises:
        ConformanceError: the layer raises anything but LayerError.
        LayerError: the layer takes none of them.
    """
    names, variadic, optional = arity(layer)
    counts: Sequence[int] = range(len(names), len(names) + len(optional) + 1)
    if variadic and len(names) == 1:
        counts = (2, 1, 3)
    cases: list[tuple[Shape, ...]] = []
    refusals: set[str] = set()

    def find(count: int, most: int) -> None:
        for shapes in product(USUAL_SHAPES, repeat=count):
            trial = _trial(layer, shapes)
            try:
                output = _asked(trial, "output_shape", layer.output_shape, *shapes)
            except LayerError as refused:
                refusals.add(str(refused))
                continue
            trial.refuse(output_shape_breach(output))
            cases.append(shapes)
            if len(cases) == most:
                return

    for place, count in enumerate(counts, start=1):
        run_check(layer, (), seconds, partial(find, count, MOST_CASES * place // len(counts)))
    if not cases:
        why = f" ({refusals.pop()})" if len(refusals) == 1 else ""
        raise LayerError(f"none of the usual shapes fits{why}: give one for each of {arity(layer)}")
    return cases


def declared(layer: Layer, shapes: tuple[Shape, ...]) -> Trial:
    """Check the form of a layer's declarations for these shapes, and return its trial.

    Raises:
        ConformanceError: a declaration is wrong, or raises.
        LayerError: the layer refuses the shapes.
    """
    asking = _trial(layer, shapes)

    def asked(name: str, breach_of: Callable[[Any], Breach | None]) -> Any:
        answer = _asked(asking, name, getattr(layer, name), *shapes)
        asking.refuse(breach_of(answer))
        return answer

    output = asked("output_shape", output_shape_breach)
    parameters = asked("parameters", parameters_breach)
    integers = asked("integer_inputs", lambda answer: integers_breach(answer, len(shapes)))
    trial = Trial(layer, shapes, output, parameters, integers)
    asked("work", work_breach)
    trial.refuse(constant_rows_breach(_asked(trial, "constant_rows", layer.constant_rows), parameters))
    for name in parameters:
        _first_numbers(trial, name)
    for name in ("output_shape", "parameters", "integer_inputs", "work"):
        first, again = (_asked(trial, name, getattr(layer, name), *shapes) for _ in range(2))
        if _comparable(first) != _comparable(again):
            raise trial.broken(5, name, f"is {first!r}, then {again!r}: it depends on more than shapes")
    if layer.elementwise and any(shape != output for shape in shapes):
        problem = f"is claimed, but shapes {shapes} give a value of shape {output}"
        raise trial.broken(5, "elementwise", problem)
    return trial


def _comparable(answer: Any) -> Any:
    """Return a declaration without initializers, which are equal only when they are the same object."""
    if isinstance(answer, dict) and all(hasattr(each, "init") for each in answer.values()):
        return {name: each.shape for name, each in answer.items()}
    return answer


def _first_numbers(trial: Trial, name: str) -> None:
    """Check that a parameter starts with numbers of its shape, which come from the stream alone."""
    shape, init = trial.parameters[name]
    closure = f"parameter {name!r}"
    first, again = (_asked(trial, closure, init, np.random.default_rng(0), shape) for _ in range(2))
    trial.refuse(draw_breach(name, first, shape))
    trial.refuse(draw_breach(name, again, shape))
    if first.tobytes() != again.tobytes():
        raise trial.broken(5, closure, "starts with numbers that do not come from the stream alone")


def _trial(layer: Layer, shapes: tuple[Shape, ...]) -> Trial:
    """Return the trial of a layer whose declarations are not known."""
    return Trial(layer, shapes, (), {}, {})


def _asked(trial: Trial, closure: str, function: Callable[..., Any], *args: Any) -> Any:
    """Call a declaration; an exception of it, but LayerError, breaks rule 5."""
    try:
        return timed(closure, function, *args)
    except (LayerError, Abandoned):
        raise
    except BaseException as error:  # a layer may raise anything, SystemExit included
        mend = "refuse inputs that do not fit with LayerError" if closure == "output_shape" else None
        problem = f"raises {type(error).__name__}: {error}"
        raise trial.broken(5, closure, problem, suggestion=mend) from error


def _is_formula(formula: Any) -> bool:
    """Return whether every part of a formula is of the type it should have."""
    value, deltas, grads, init = formula
    return (
        isinstance(value, str)
        and type(deltas) is tuple
        and all(text is None or isinstance(text, str) for text in deltas)
        and all(isinstance(each, Mapping) for each in (grads, init))
        and all(isinstance(text, str) for each in (grads, init) for text in each.values())
    )


def check_documents(trial: Trial) -> None:
    """Check that the docstring starts with the formula, and that `formula` covers every closure."""
    layer, inputs, formula = trial.layer, len(trial.shapes), trial.layer.formula
    if "=" not in (type(layer).__doc__ or "").partition("\n")[0]:
        raise trial.broken(6, "docstring", "does not start with the formula of the value")
    if formula is None:
        return
    if not _is_formula(formula):
        raise trial.broken(6, "formula", "is not text, a tuple of text or None, and dicts of text by name")
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
