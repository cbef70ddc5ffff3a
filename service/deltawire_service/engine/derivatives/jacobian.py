"""Jacobians: a backward pass for each number of an output, or a step for each number that is moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np

from deltawire.errors import Fault, Refused
from deltawire_layers import Array, Shape
from deltawire_service.engine.derivatives.directions import Direction
from deltawire_service.engine.derivatives.per_example import (
    example_gradients,
    per_example_targets,
    with_row_operations,
)
from deltawire_service.engine.derivatives.repeated_plans import complex_plan, repeated_plan
from deltawire_service.engine.execute.backprop import Pass
from deltawire_service.engine.execute.batch_run import BatchRun
from deltawire_service.engine.execute.complex_step import COMPLEX, Step
from deltawire_service.engine.execute.finite import all_finite
from deltawire_service.engine.execute.non_finite import find_non_finite
from deltawire_service.engine.execute.objective import CotangentStarts
from deltawire_service.engine.graph import Arrays
from deltawire_service.engine.plan.first_order import first_order_only, first_reached
from deltawire_service.engine.plan.targets import Targets, Wrt, value_targets
from deltawire_service.engine.prepared import Options, Prepared

MODES = ("reverse", "forward")

FORWARD_COST, REVERSE_COST = 4, 2
"""Cost of a forward pass in complex numbers, and of a backward pass, relative to a real forward pass."""

Blocks = dict[str, Direction]


@dataclass(frozen=True)
class Jacobian:
    """The result of `Network.jacobian`."""

    outputs: Blocks
    """By output, then by parameter and input: ∂output/∂(parameter, input), (batch, *output shape, *shape)."""
    mode: str
    """How it was computed: `reverse` or `forward`."""


class _Layout(NamedTuple):
    """The shapes of a Jacobian."""

    batch: int
    outputs: Mapping[str, Shape]
    params: Mapping[str, Shape]
    data: Mapping[str, Shape]

    def cheaper_mode(self) -> str:
        reverse, forward = self.passes("reverse"), self.passes("forward")
        return "reverse" if 1 + REVERSE_COST * reverse <= FORWARD_COST * forward else "forward"

    def passes(self, mode: str) -> int:
        """Return how many passes a mode takes."""
        shapes = self.outputs if mode == "reverse" else {**self.params, **self.data}
        return sum(map(prod, shapes.values()))

    def shapes(self) -> list[Shape]:
        """Return the shapes of all blocks."""
        by = [*self.params.values(), *self.data.values()]
        return [(self.batch, *output, *shape) for output in self.outputs.values() for shape in by]


def jacobian(
    network: Prepared,
    params: Arrays,
    data: Arrays,
    outputs: Iterable[str],
    wrt: Wrt,
    mode: str | None,
    made: Iterable[Shape],
    options: Options,
) -> Jacobian:
    """Compute ∂output/∂(parameter, input) of each example.

    Args:
        network: the network.
        params: arrays by parameter.
        data: arrays by input.
        outputs: nodes.
        wrt: the parameters and inputs to differentiate with respect to.
        mode: `reverse`, `forward`, or None for the cheaper one that all layers have.
        made: shapes of arrays that will be made of the result, for the plan.
        options: non_finite and body_cost.

    Raises:
        Refused: a name or an array is wrong, the result would be too large, or it is not finite.
    """
    names = sorted(value_targets(network, outputs, "outputs").values)
    target = network.with_outputs(tuple(names))
    targets = target.targets(wrt)
    batch = network.check_batch(params, data, frozenset(names))
    layout = _Layout(
        batch.size,
        {name: network.nodes[name].shape for name in names},
        {name: each.shape for name, each in network.parameters.items() if name in targets.params},
        {name: input_spec.shape for name, input_spec in network.inputs.items() if name in targets.data},
    )
    simulator = first_reached(target, {*layout.params, *layout.data}, names)
    if simulator is not None and mode == "forward":
        problem = "no step goes through it; leave mode out, or ask for reverse"
        raise Refused([first_order_only(simulator, problem, "/mode")])
    mode = mode or ("reverse" if simulator is not None else layout.cheaper_mode())
    if mode == "reverse":
        computed, dtype, compute = per_example_targets(target, targets), batch.dtype, _reverse
        plan = target.memory_plan(computed, batch.size, dtype, options.body_cost)
        plan = with_row_operations(plan, target, targets, batch.size, dtype.itemsize)
    else:
        computed, dtype, compute = Targets(values=frozenset(names), loss=False), COMPLEX, _forward
        plan = target.memory_plan(computed, batch.size, dtype, options.body_cost)
        plan = complex_plan(plan, batch.dtype, network.parameters)
    times, answered = max(1, layout.passes(mode)), [*layout.shapes(), *made]
    plan = repeated_plan(plan, options.body_cost, dtype.itemsize, times, answered=answered)
    run = target.batch_run(batch, computed, plan)
    if len(names) > 1:
        run = run.saving_by_node()  # each backward pass starts from one of the outputs

    def work() -> tuple[Jacobian, bool]:
        blocks = compute(run, layout)
        return Jacobian(blocks, mode), all(all_finite(block.flat().values()) for block in blocks.values())

    def find() -> Fault:
        ones = {name: np.ones((batch.size, *shape), batch.dtype) for name, shape in layout.outputs.items()}
        fault = find_non_finite(run.with_starts(CotangentStarts(ones)))
        return fault or Fault("/network", "non_finite", "the Jacobian holds a number that is not finite")

    return network.compute(plan, work, options.non_finite, find)


class OutputGradients(NamedTuple):
    """The computation of a backward pass for each number of each output, of all rows at once."""

    outputs: Mapping[str, Shape]
    params: Mapping[str, Shape]
    data: Mapping[str, Shape]

    def __call__(self, run: BatchRun, start: int, stop: int, /) -> list[Pass]:
        forward, count, dtype = run.forward(start, stop), stop - start, run.batch.dtype
        run.report(forward)
        blocks = _zeros(count, self.outputs, self.params, self.data, dtype)
        for name, block in blocks.items():
            shape = self.outputs[name]
            for place in np.ndindex(shape):
                one = np.zeros((count, *shape), dtype)
                one[:, *place] = 1
                backward = forward.fork()
                backward.backward({name: one})
                run.report(backward)
                for by, array in block.data.items():
                    if by in backward.deltas:
                        array[:, *place] = backward.deltas[by]
                for by, gradient in example_gradients(run, forward, backward, frozenset(self.params)):
                    block.params[by][:, *place] += gradient
        rows = Pass(run.program, {}, {}, dtype)  # it holds nothing but the blocks
        for name, block in blocks.items():
            rows.examples |= {f"{name}/{by}": array for by, array in block.flat().items()}
        return [rows]


def _reverse(run: BatchRun, layout: _Layout) -> Blocks:
    """Compute a backward pass for each number of each output, of all examples at once."""
    (result,) = run.results(OutputGradients(layout.outputs, layout.params, layout.data))
    return {
        name: Direction(
            {by: result.examples[f"{name}/params/{by}"] for by in layout.params},
            {by: result.examples[f"{name}/data/{by}"] for by in layout.data},
        )
        for name in layout.outputs
    }


def _forward(run: BatchRun, layout: _Layout) -> Blocks:
    """Compute a step for each number of each parameter and input, of all examples at once."""
    blocks = _zeros(layout.batch, layout.outputs, layout.params, layout.data, run.batch.dtype)
    for part, name, shape in _moved(run, layout):
        for place in np.ndindex(shape):
            shared = part == "params" or run.network.inputs[name].shared
            along = np.zeros(shape if shared else (layout.batch, *shape))
            along[place if shared else (slice(None), *place)] = 1
            step = Step.along(*Direction(**{part: {name: along}}))
            for output, value in run.moved(step).values().items():
                derivative = step.derivative(value, run.batch.dtype)
                axes = (slice(None),) * derivative.ndim
                getattr(blocks[output], part)[name][*axes, *place] = derivative
    return blocks


def _zeros(
    rows: int,
    outputs: Mapping[str, Shape],
    params: Mapping[str, Shape],
    data: Mapping[str, Shape],
    dtype: np.dtype[Any],
) -> Blocks:
    """Return blocks of zeros for so many rows: what leads to no output stays zero."""

    def zeros(output: Shape, by: Mapping[str, Shape]) -> dict[str, Array]:
        return {name: np.zeros((rows, *output, *shape), dtype) for name, shape in by.items()}

    return {name: Direction(zeros(shape, params), zeros(shape, data)) for name, shape in outputs.items()}


def _moved(run: BatchRun, layout: _Layout) -> Iterator[tuple[str, str, Shape]]:
    """Yield part, name and shape of all that is moved, as far as it came: the rest leads to no output."""
    yield from (("params", name, shape) for name, shape in layout.params.items() if name in run.batch.params)
    yield from (("data", name, shape) for name, shape in layout.data.items() if name in run.batch.data)
