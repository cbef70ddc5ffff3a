"""Jacobians: one backward pass for each number of an output, or one step for each number moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from deltawire.errors import Fault, Refused
from deltawire_layers import Array, Shape
from deltawire_service.engine.derivatives.complex_step import COMPLEX, Step
from deltawire_service.engine.derivatives.directions import Direction
from deltawire_service.engine.derivatives.per_example import each_gradient, with_inputs
from deltawire_service.engine.derivatives.repeated_plans import complex_plan, repeated_plan
from deltawire_service.engine.execute.backprop import Arrays, is_finite
from deltawire_service.engine.execute.batch_run import BatchRun, quietly
from deltawire_service.engine.plan import input_checks
from deltawire_service.engine.plan.memory_plan import NO_BODY_COST, BodyCost
from deltawire_service.engine.plan.targets import Targets, value_targets

if TYPE_CHECKING:
    from deltawire_service.engine.network import Network

WAYS = ("rows", "columns")

STEP_COST, ROW_COST = 4, 2
"""What a step forward in complex numbers costs, and a pass backward, beside a real pass forward."""


@dataclass(frozen=True)
class Jacobian:
    """What `jacobian` answers: by output, then by parameter and input, ∂output/∂(parameter, input) of each
    example, (batch, *output shape, *shape). way: how it was computed, `rows` or `columns`."""

    outputs: dict[str, Direction]
    way: str

    def finite(self) -> bool:
        """Whether every number of the answer is finite."""
        return all(is_finite(array) for block in self.outputs.values() for array in block.flat().values())


def jacobian(
    network: Network,
    params: Arrays,
    data: Arrays,
    outputs: Iterable[str],
    *,
    wrt_params: bool | Iterable[str] = True,
    wrt_data: bool | Iterable[str] = False,
    way: str | None = None,
    made: Iterable[Shape] = (),
    non_finite: str = "error",
    body_cost: BodyCost = NO_BODY_COST,
) -> Jacobian:
    """∂output/∂parameter and ∂output/∂input of each example, (batch, *output shape, *shape).

    Examples are independent: an output of one has no derivative with respect to another's data, and that part
    of the full Jacobian is left out. outputs: names of nodes; only the parameters and inputs that lead to
    them are needed. wrt_params, wrt_data: as for `gradients`.
    way: `rows`, one backward pass for each number of an output; `columns`, one forward pass in complex
    numbers for each number of a parameter and of an example's data; None: the cheaper one.
    made: the shapes of arrays that will be made of the answer and written in its place; they are planned for.
    non_finite, body_cost, and what is raised: as for `gradients`; memory_plan_exceeded when it is too large.
    """
    names = sorted(value_targets(network, outputs, "outputs").values)
    target = network.with_outputs(tuple(names))
    targets = target._targets(wrt_params, wrt_data, (), ())
    network.check_names(params, data, frozenset(names))
    batch, dtype = input_checks.check_arrays(network, params, data)
    out = {name: network.nodes[name].shape for name in names}
    by_params = {name: each.shape for name, each in network.parameters.items() if name in targets.params}
    by_data = {name: input_spec.shape for name, input_spec in network.inputs.items() if name in targets.data}
    shapes = [*by_params.values(), *by_data.values()]
    rows, columns = sum(map(prod, out.values())), sum(map(prod, shapes))
    if way is None:
        way = "rows" if 1 + ROW_COST * rows <= STEP_COST * columns else "columns"
    answered = [*((batch, *shape, *by) for shape in out.values() for by in shapes), *made]
    if way == "rows":
        program, wide, times = target._program(with_inputs(target, targets)), dtype, rows
        once = target._plan(program.targets, batch, wide, body_cost)
    else:
        program, wide, times = (
            network._program(Targets(values=frozenset(names), loss=False)),
            COMPLEX,
            columns,
        )
        once = complex_plan(target._plan(program.targets, batch, wide, body_cost), dtype, target.parameters)
    plan = repeated_plan(once, body_cost, wide.itemsize, max(1, times), answered=answered)
    input_checks.check_memory(network, plan, batch)
    batch_run = BatchRun(
        target,
        program,
        params,
        data,
        batch,
        dtype,
        plan,
        network.threads,
        on_compute_seconds=network.on_compute_seconds,
    )

    def compute(deadline: float) -> Jacobian:

        def zeros(shape: Shape, by: Mapping[str, Shape]) -> dict[str, Array]:
            return {name: np.zeros((batch, *shape, *each), dtype) for name, each in by.items()}

        blocks = {
            name: Direction(zeros(shape, by_params), zeros(shape, by_data)) for name, shape in out.items()
        }
        (_by_rows if way == "rows" else _by_columns)(batch_run, targets, blocks, deadline)
        found = Jacobian(blocks, way)
        if non_finite == "error" and not found.finite():
            starts = {name: np.ones((batch, *shape), dtype) for name, shape in out.items()}
            fault = batch_run._replace(starts=starts).find_non_finite(deadline)
            detail = "the Jacobian holds a number that is not finite"
            raise Refused([fault or Fault("/network", "non_finite", detail)])
        return found

    return network.run(compute, plan)


@quietly
def _by_rows(batch_run: BatchRun, targets: Targets, blocks: dict[str, Direction], deadline: float) -> None:
    """A backward pass for each number of each output, of all examples at once."""

    def compute(start: int, stop: int) -> None:
        begun = batch_run.forward(start, stop, deadline)
        batch_run.account(begun)
        for name, block in blocks.items():
            shape = batch_run.network.nodes[name].shape
            for place in np.ndindex(shape):
                one = np.zeros((stop - start, *shape), batch_run.dtype)
                one[:, *place] = 1
                each = begun.fork()
                each.backward({name: one})
                batch_run.account(each)
                for at, array in block.data.items():
                    if at in each.deltas:
                        array[start:stop, *place] = each.deltas[at]
                for at, gradient in each_gradient(batch_run, begun, each, targets.params, deadline):
                    block.params[at][start:stop, *place] += gradient

    for _ in batch_run.chunks(compute):  # each has written its rows
        pass


def _by_columns(batch_run: BatchRun, targets: Targets, blocks: dict[str, Direction], deadline: float) -> None:
    """A step for each number of each parameter and input, of all examples at once."""
    for part, name, shape in _columns(batch_run, targets):
        for place in np.ndindex(shape):
            shared = part == "params" or batch_run.network.inputs[name].shared
            along = np.zeros(shape if shared else (batch_run.batch, *shape))
            along[place if shared else (slice(None), *place)] = 1
            step = Step(Direction(**{part: {name: along}}))
            values, _ = step.moved(batch_run).values(deadline)
            for output, value in values.items():
                derivative = step.derivative(value, batch_run.dtype)
                axes = (slice(None),) * derivative.ndim
                getattr(blocks[output], part)[name][*axes, *place] = derivative


def _columns(batch_run: BatchRun, targets: Targets) -> Iterator[tuple[str, str, Shape]]:
    """Place, name and shape of all that is moved, as far as it was given: the rest has no influence."""
    for name, parameter in batch_run.network.parameters.items():
        if name in targets.params and name in batch_run.params:
            yield "params", name, parameter.shape
    for name, input_spec in batch_run.network.inputs.items():
        if name in targets.data and name in batch_run.data:
            yield "data", name, input_spec.shape
