"""Jacobians: one backward pass for each number of an output, or one step for each number moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from deltawire.errors import Fault, Refused
from deltawire_layers import Array, Shape
from deltawire_service.engine import checks
from deltawire_service.engine.backprop import Arrays, is_finite
from deltawire_service.engine.derivatives.directions import Direction
from deltawire_service.engine.derivatives.per_example import each_gradient, with_inputs
from deltawire_service.engine.derivatives.planning import beside_floats, repeated
from deltawire_service.engine.derivatives.step import COMPLEX, Step
from deltawire_service.engine.plan import ARRAYS, Carriage
from deltawire_service.engine.rows import Work, quietly
from deltawire_service.engine.wanted import Wanted, wanted_values

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
    carriage: Carriage = ARRAYS,
) -> Jacobian:
    """∂output/∂parameter and ∂output/∂input of each example, (batch, *output shape, *shape).

    Examples are independent: an output of one has no derivative with respect to another's data, and that part
    of the full Jacobian is left out. outputs: names of nodes; only the parameters and inputs that lead to
    them are needed. wrt_params, wrt_data: as for `gradients`.
    way: `rows`, one backward pass for each number of an output; `columns`, one forward pass in complex
    numbers for each number of a parameter and of an example's data; None: the cheaper one.
    made: the shapes of arrays that will be made of the answer and written in its place; they are planned for.
    non_finite, carriage, and what is raised: as for `gradients`; memory_plan_exceeded when it is too large.
    """
    names = sorted(wanted_values(network, outputs, "outputs").values)
    target = network.toward(tuple(names))
    wants = target._wants(wrt_params, wrt_data, (), ())
    network.check_names(params, data, frozenset(names))
    batch, dtype = checks.check_arrays(network, params, data)
    out = {name: network.nodes[name].shape for name in names}
    by_params = {name: each.shape for name, each in network.parameters.items() if name in wants.params}
    by_data = {name: slot.shape for name, slot in network.inputs.items() if name in wants.data}
    shapes = [*by_params.values(), *by_data.values()]
    rows, columns = sum(map(prod, out.values())), sum(map(prod, shapes))
    if way is None:
        way = "rows" if 1 + ROW_COST * rows <= STEP_COST * columns else "columns"
    answered = [*((batch, *shape, *by) for shape in out.values() for by in shapes), *made]
    if way == "rows":
        program, wide, times = target._program(with_inputs(target, wants)), dtype, rows
        once = target._plan(program.wants, batch, wide, carriage)
    else:
        program, wide, times = network._program(Wanted(values=frozenset(names), loss=False)), COMPLEX, columns
        once = beside_floats(target._plan(program.wants, batch, wide, carriage), dtype, target.parameters)
    plan = repeated(once, carriage, wide.itemsize, max(1, times), answered=answered)
    checks.check_memory(network, plan, batch)
    work = Work(target, program, params, data, batch, dtype, plan, network.threads, spent=network.spent)

    def compute(until: float) -> Jacobian:

        def zeros(shape: Shape, by: Mapping[str, Shape]) -> dict[str, Array]:
            return {name: np.zeros((batch, *shape, *each), dtype) for name, each in by.items()}

        blocks = {
            name: Direction(zeros(shape, by_params), zeros(shape, by_data)) for name, shape in out.items()
        }
        (_by_rows if way == "rows" else _by_columns)(work, wants, blocks, until)
        found = Jacobian(blocks, way)
        if non_finite == "error" and not found.finite():
            starts = {name: np.ones((batch, *shape), dtype) for name, shape in out.items()}
            fault = work._replace(starts=starts).find_non_finite(until)
            detail = "the Jacobian holds a number that is not finite"
            raise Refused([fault or Fault("/network", "non_finite", detail)])
        return found

    return network.run(compute, plan)


@quietly
def _by_rows(work: Work, wants: Wanted, blocks: dict[str, Direction], until: float) -> None:
    """A backward pass for each number of each output, of all examples at once."""

    def compute(start: int, stop: int) -> None:
        begun = work.forward(start, stop, until)
        work.account(begun)
        for name, block in blocks.items():
            shape = work.network.nodes[name].shape
            for place in np.ndindex(shape):
                one = np.zeros((stop - start, *shape), work.dtype)
                one[:, *place] = 1
                each = begun.again()
                each.backward({name: one})
                work.account(each)
                for at, array in block.data.items():
                    if at in each.deltas:
                        array[start:stop, *place] = each.deltas[at]
                for at, gradient in each_gradient(work, begun, each, wants.params, until):
                    block.params[at][start:stop, *place] += gradient

    for _ in work.chunks(compute):  # each has written its rows
        pass


def _by_columns(work: Work, wants: Wanted, blocks: dict[str, Direction], until: float) -> None:
    """A step for each number of each parameter and input, of all examples at once."""
    for part, name, shape in _columns(work, wants):
        for place in np.ndindex(shape):
            shared = part == "params" or work.network.inputs[name].shared
            along = np.zeros(shape if shared else (work.batch, *shape))
            along[place if shared else (slice(None), *place)] = 1
            step = Step(Direction(**{part: {name: along}}))
            values, _ = step.moved(work).values(until)
            for output, value in values.items():
                derivative = step.derivative(value, work.dtype)
                axes = (slice(None),) * derivative.ndim
                getattr(blocks[output], part)[name][*axes, *place] = derivative


def _columns(work: Work, wants: Wanted) -> Iterator[tuple[str, str, Shape]]:
    """Place, name and shape of all that is moved, as far as it was given: the rest has no influence."""
    for name, parameter in work.network.parameters.items():
        if name in wants.params and name in work.params:
            yield "params", name, parameter.shape
    for name, slot in work.network.inputs.items():
        if name in wants.data and name in work.data:
            yield "data", name, slot.shape
