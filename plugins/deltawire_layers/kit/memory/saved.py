"""Check rule 5, `saved`: measure how many numbers the equations save, and suggest the declaration."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Iterator
from itertools import islice
from math import ceil, prod
from operator import itemgetter
from typing import Any

import numpy as np

from deltawire_layers.breaches import saved_breach
from deltawire_layers.kit.hangs import timed
from deltawire_layers.kit.memory.closed_form import Sample, closed_form, signature
from deltawire_layers.kit.memory.kept import saved_bytes
from deltawire_layers.kit.points import Point
from deltawire_layers.kit.trial import Trial
from deltawire_layers.layer import Layer, Shape

SCRATCH_ARRAYS = 8
"""Arrays, as large as the largest input or the value, that an equation may hold for a moment."""

SCRATCH_ROWS = (16, 64)
"""Batches whose memory is compared."""

BLOCK = 2**22
"""Numbers beyond which an equation may not work in more, however many examples there are."""

DRAWS = 1500
"""Maximum of configs and shapes drawn for a suggestion; a layer refuses many of them."""

SAMPLES = 24
"""Number of configs and shapes measured for a suggestion; no wrong formula should fit all of them."""

LARGEST = 7
"""Greatest size of an axis and greatest integer of a config to draw."""

MOST_AXES = 4
"""Greatest number of axes of an input to draw."""


def check_saved(trial: Trial) -> None:
    """Check that the equations save and work in no more numbers than the layer declares.

    Raises:
        ConformanceError: `saved` is too small, or not a whole number; the error suggests the line to paste.
    """
    layer, shapes = trial.layer, trial.shapes
    saved = timed("saved", layer.saved, *shapes)
    breach = saved_breach(saved)
    if breach is not None:
        raise trial.broken(5, "saved", breach.problem, suggestion=suggestion(layer, shapes))
    measured = measure(layer, shapes)
    if measured > saved:
        problem = f"is {saved}, but the equations save {measured:g} numbers per example"
        raise trial.broken(5, "saved", problem, suggestion=suggestion(layer, shapes))
    planned = SCRATCH_ARRAYS * max(1, prod(trial.output), *map(prod, shapes))
    closure, scratch = _scratch(trial, SCRATCH_ROWS)
    if scratch > planned + saved - measured:
        # An equation may work through a large batch in blocks of some megabytes, so look beyond them.
        rows = ceil(BLOCK / scratch)
        closure, scratch = _scratch(trial, (rows, 2 * rows))
    if scratch > planned + saved - measured:
        needed = ceil(measured + scratch - planned)
        problem = f"is {saved}, but {closure} works in {scratch:g} numbers per example"
        raise trial.broken(5, "saved", problem, suggestion=f"declare {needed} for these shapes")


def _scratch(trial: Trial, batches: tuple[int, int]) -> tuple[str, float]:
    """Return the equation that works in the most memory, and how many numbers that is for each example.

    Its result and the signal are not part of it.
    """
    few, many = (_scratch_bytes(trial, count) for count in batches)
    rows = batches[1] - batches[0]
    each = {closure: (many[closure] - few[closure]) / (rows * 4) for closure in many}
    worst = max(each, key=lambda closure: each[closure], default="")
    return worst, each.get(worst, 0.0)


def _scratch_bytes(trial: Trial, rows: int) -> dict[str, int]:
    """Return the most bytes that each equation holds while it runs, beside its result."""
    index = np.arange(rows) % 2
    point = _usual(trial).with_rows(itemgetter(index))
    run = trial.forward(point)
    run.backward()  # so that tables which a layer keeps are there
    signal = run.signal(run.given.delta)
    sizes, traced = {}, tracemalloc.is_tracing()
    tracemalloc.start()
    try:
        for closure, (equation, _) in run.equations.items():
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            result = trial.call(closure, run.given, equation, signal)
            _, peak = tracemalloc.get_traced_memory()
            sizes[closure] = peak - before - result.nbytes
            del result
    finally:
        if not traced:
            tracemalloc.stop()
    return sizes


def measure(layer: Layer, shapes: tuple[Shape, ...]) -> float:
    """Return how many numbers per example the equations save besides the inputs and the value.

    The measurement is in float32, where saved integers and booleans count most relative to a number.
    """
    output, parameters = layer.output_shape(*shapes), layer.parameters(*shapes)
    trial = Trial(layer, shapes, output, parameters, layer.integer_inputs(*shapes))
    usual = _usual(trial)
    two, four = usual.with_rows(itemgetter(slice(2))), usual.with_rows(itemgetter(slice(4)))
    with np.errstate(all="ignore"):
        more = saved_bytes(trial.forward(four)) - saved_bytes(trial.forward(two))
    return more / (2 * two.delta.itemsize)


def _usual(trial: Trial) -> Point:
    """Return a point of scale 1 in float32."""
    point = next(islice(trial.sampler(0).points(), 1, None))
    return point.with_floats(lambda array: array.astype(np.float32))


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
