"""The conformance kit: `check_layer` checks a layer against every rule of the contract."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import numpy as np

from deltawire_layers.breaches import output_shape_breach
from deltawire_layers.kit.comparison import same_as
from deltawire_layers.kit.declared import (
    SECONDS,
    check_documents,
    declared,
    fitting_shapes,
    refuse_class,
    run_check,
)
from deltawire_layers.kit.derivatives import first_order, second_order, sweep
from deltawire_layers.kit.errors import ConformanceError, Degenerate
from deltawire_layers.kit.examples import batches, independent
from deltawire_layers.kit.memory.saved import check_saved
from deltawire_layers.kit.points import Point
from deltawire_layers.kit.purity.calls import (
    any_layout,
    bits,
    check_threads,
    concurrent,
    pure,
    same_bits,
    state,
    unchanged,
)
from deltawire_layers.kit.purity.history import forgets
from deltawire_layers.kit.purity.interleaving import interleaved
from deltawire_layers.kit.purity.process import DECLARATIONS, Process
from deltawire_layers.kit.purity.writable import Writable
from deltawire_layers.kit.sampler import Sampler
from deltawire_layers.kit.sizes import precision, precision_beside_large, precision_of_terms, scaled_deltas
from deltawire_layers.kit.trial import Trial
from deltawire_layers.layer import Layer, Shape, arity


def check_layer(
    layer: Layer,
    *shapes: Shape,
    seed: int = 0,
    seconds: float = SECONDS,
    against: Layer | None = None,
) -> None:
    """Check a layer against all six rules of the contract.

    Try several shapes and configs. Small shapes are enough: the time grows with the size of an example and of
    the parameters.

    Args:
        layer: the layer, configured.
        shapes: the shape of one example of each input, without the batch axis; by default, every usual shape
            that the layer takes, those of size 1 among them.
        seed: seed of the numbers to try.
        seconds: how long one call of the layer may take.
        against: a layer that means the same, as one whose author wrote only the forward line; both have to
            return the same numbers. Parameters belong together by name or, where names differ, by order.

    Raises:
        ConformanceError: a rule is broken; the error names the rule, the equation and the place.
        LayerError: the layer does not take these shapes, or none of the usual ones.
        TypeError: the layer takes another number of inputs, or a shape is none.

    Example:
        `check_layer(SwiGLU(units=3), (4,))` is a whole test.
    """
    refuse_class(layer)
    if shapes and not arity(layer).accepts(len(shapes)):
        raise TypeError(f"{type(layer).__name__} takes {arity(layer)}, got {len(shapes)} shapes")
    for shape in shapes:
        if output_shape_breach(shape) is not None:
            raise TypeError(f"{shape!r} is no shape: expected a tuple of whole numbers, 1 or more")
    for case in [shapes] if shapes else fitting_shapes(layer, seconds):
        run_check(layer, case, seconds, partial(_check, layer, case, seed, against))


def _check(layer: Layer, shapes: tuple[Shape, ...], seed: int, against: Layer | None) -> None:
    # Not "ignore": a layer that sets that would change nothing.
    with np.errstate(all="call", call=_ignore):
        process = Process()
        try:
            before = state(layer)
            trial, writable = declared(layer, shapes), Writable(layer)
            again = partial(declared, layer, shapes)
            process.check(trial, again, of=DECLARATIONS, at="output_shape")
            try:
                unchanged(trial, before, "a declaration")
                _rules(trial, writable, process, seed, against)
            finally:
                writable.rewind()
        finally:
            process.put_back()


def _ignore(error: str, flag: int) -> None:
    """Ignore an error of numpy's arithmetic: what comes of it is compared."""


def _rules(trial: Trial, writable: Writable, process: Process, seed: int, against: Layer | None) -> None:
    """Check the rules one after the other."""
    before, sampler = state(trial.layer), trial.sampler(seed)
    drawn = list(sampler.points())

    def once_more(call: Callable[[], object]) -> None:
        """Call the layer again, as if it had not been called before."""
        writable.rewind()
        call()

    first = partial(trial.finite, drawn[0])
    first()
    process.check(trial, partial(once_more, first))
    points = [point for point in map(trial.finite, drawn) if point is not None]
    if not points:
        raise trial.broken(4, "value", "is never finite", suggestion="declare where it is: domain = (0, inf)")
    usual = points[len(points) > 1]  # of scale 1, unless the layer overflows there
    unchanged(trial, before, "a call")
    pure(trial, usual)
    process.check(trial, partial(once_more, lambda: trial.forward(usual).results()))
    forgets(trial, writable, usual, points)
    _in_any_order(trial, usual)
    interleaved(trial, usual)
    if against is not None:
        same_as(trial, against, sampler, points)
    ventures = [point for point in map(trial.finite, sampler.parameter_points()) if point is not None]

    def at_points() -> None:
        for point in points + ventures:
            with suppress(Degenerate):
                _at(trial, sampler, point, batch_sizes=point is usual)

    at_points()
    for point in (sampler.offset(), sampler.overflowing()):
        with suppress(Degenerate):
            precision(trial, sampler, point)
    precision_beside_large(trial, sampler)
    sweep(trial, sampler)
    process.check(trial, partial(once_more, at_points))
    concurrent(trial, usual)
    any_layout(trial, usual)
    check_saved(trial)
    check_documents(trial)
    check_threads(trial, usual)


def _at(trial: Trial, sampler: Sampler, point: Point, batch_sizes: bool) -> None:
    """Check the rules about numbers at one point."""
    measured = trial.measure(point)
    if not point.venture:
        alone = independent(trial, measured)
        scaled_deltas(trial, measured)
        if batch_sizes:
            batches(trial, measured, alone)
            precision_of_terms(trial, sampler, point)
    precision(trial, sampler, point)
    first_order(trial, sampler, measured, every_place=batch_sizes)
    second_order(trial, sampler, measured)


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
