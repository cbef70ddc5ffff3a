"""Check rule 5, `saved`: measure how many numbers the equations save, and suggest the declaration."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import islice
from operator import itemgetter
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from deltawire_layers.kit.closed_form import Sample, closed_form, signature
from deltawire_layers.kit.points import Sampler
from deltawire_layers.kit.trial import Pass, Trial
from deltawire_layers.layer import Array, Layer, Shape

DRAWS = 1500
"""Maximum of configs and shapes drawn for a suggestion; a layer refuses many of them."""

SAMPLES = 24
"""Number of configs and shapes measured for a suggestion; no wrong formula should fit all of them."""

LARGEST = 7
"""Greatest size of an axis and greatest integer of a config to draw."""

MOST_AXES = 4
"""Greatest number of axes of an input to draw."""


def check_saved(trial: Trial) -> None:
    """Check that the equations save no more numbers than the layer declares.

    Raises:
        ConformanceError: `saved` is too small, or not a whole number; the error suggests the line to paste.
    """
    saved = trial.layer.saved(*trial.shapes)
    if type(saved) is not int or saved < 0:
        problem = f"is {saved!r}, expected a whole number, 0 or more"
        raise trial.broken(5, "saved", problem, suggestion=suggestion(trial.layer, trial.shapes))
    measured = measure(trial.layer, trial.shapes)
    if measured > saved:
        problem = f"is {saved}, but the equations save {measured:g} numbers per example"
        raise trial.broken(5, "saved", problem, suggestion=suggestion(trial.layer, trial.shapes))


def measure(layer: Layer, shapes: tuple[Shape, ...]) -> float:
    """Return how many numbers per example the equations save besides the inputs and the value.

    The measurement is in float32, where saved integers and booleans count most relative to a number.
    """
    output, parameters = layer.output_shape(*shapes), layer.parameters(*shapes)
    trial = Trial(layer, shapes, output, parameters, layer.integer_inputs(*shapes))
    sampler = Sampler(shapes, output, parameters, trial.integers, layer.domain, seed=0)
    usual = next(islice(sampler.points(), 1, None)).with_floats(lambda array: array.astype(np.float32))
    two, four = usual.with_rows(itemgetter(slice(2))), usual.with_rows(itemgetter(slice(4)))
    with np.errstate(all="ignore"):
        more = _saved_bytes(trial.forward(four)) - _saved_bytes(trial.forward(two))
    return more / (2 * two.delta.itemsize)


def suggestion(layer: Layer, shapes: tuple[Shape, ...]) -> str:
    """Return the declaration of `saved` to paste; without a closed form, the measured numbers."""
    samples = list(islice(_samples(layer, shapes), SAMPLES))
    formula = closed_form(samples)
    if formula is None:
        numbers = ", ".join(f"{s.saved:g} for {', '.join(map(str, s.shapes))}" for s in samples[:4])
        return f"no closed form fits; measured: {numbers}"
    line = f"def saved({signature(layer)}): return {formula}"
    module = sys.modules.get(type(layer).__module__)
    missing = "prod(" in formula and not hasattr(module, "prod")
    return f"paste: {line}" + ("  # from math import prod" if missing else "")


def _samples(layer: Layer, shapes: tuple[Shape, ...]) -> Iterator[Sample]:
    """Measure the layer for its own config and shapes, then along a random walk through others."""
    stream = np.random.default_rng(0)
    yield Sample(layer, shapes, measure(layer, shapes))
    seen = {f"{vars(layer)} {shapes}"}
    for _ in range(DRAWS):
        try:
            other, fitting = _other_config(layer, stream), _other_shapes(shapes, stream)
            other.output_shape(*fitting)
            case = f"{vars(other)} {fitting}"
            if case not in seen:
                yield Sample(other, fitting, measure(other, fitting))
                seen.add(case)
        except Exception:  # a layer may refuse a config or a shape with any exception: try another
            continue
        layer, shapes = other, fitting


def _other_config(layer: Layer, stream: np.random.Generator) -> Layer:
    """Return the layer with each integer of its config redrawn with probability 1/3."""

    def drawn(value: Any) -> Any:
        if isinstance(value, list):
            return [drawn(item) for item in value]
        again = type(value) is int and stream.random() < 1 / 3
        return int(stream.integers(1, LARGEST + 1)) if again else value

    config = layer.Config().dump(layer)
    other = {name: drawn(value) for name, value in config.items()}
    return layer if other == config else type(layer)(**other)


def _other_shapes(shapes: tuple[Shape, ...], stream: np.random.Generator) -> tuple[Shape, ...]:
    """Return the shapes with one size redrawn, in all equal axes or in some; sometimes add an axis.

    Thus a walk tries both shapes whose equal axes stay equal and shapes whose axes differ.
    """
    size = int(stream.integers(1, LARGEST + 1))
    move = stream.random()
    if move < 0.1:  # an axis in front of every input
        return tuple((size, *shape) for shape in shapes) if _rank(shapes) < MOST_AXES else shapes
    if move < 0.2:  # an axis behind one input
        at = int(stream.integers(len(shapes)))
        return (*shapes[:at], (*shapes[at], size), *shapes[at + 1 :]) if _rank(shapes) < MOST_AXES else shapes
    sizes = sorted({size for shape in shapes for size in shape})
    before = sizes[int(stream.integers(len(sizes)))] if sizes else 0
    share = 1.0 if move < 0.6 else 0.5

    def drawn(now: int) -> int:
        return size if now == before and stream.random() < share else now

    return tuple(tuple(map(drawn, shape)) for shape in shapes)


def _rank(shapes: tuple[Shape, ...]) -> int:
    return max(map(len, shapes))


def _saved_bytes(run: Pass) -> int:
    """Return the bytes of the arrays that the equations refer to, besides the arguments and the value."""
    given = {id(_owner(array)) for array in (run.value, *run.given.arrays())}
    size, seen = 0, set[int]()
    queue: list[Any] = [run.signal, *(equation for equation, _ in run.equations.values())]
    while queue:
        thing = queue.pop()
        if isinstance(thing, np.ndarray):
            thing = _owner(thing)
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, np.ndarray):
            size += 0 if id(thing) in given else thing.nbytes
        elif isinstance(thing, FunctionType):
            queue += gc.get_referents(thing.__defaults__, *(thing.__closure__ or ()))
        elif isinstance(thing, partial | MethodType | Mapping | list | tuple):
            queue += gc.get_referents(thing)
    return size


def _owner(array: Array) -> Array:
    """Return the array whose memory this one views."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array
