"""Jacobian-vector products: one forward pass in complex numbers for each tangent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from deltawire.errors import Fault
from deltawire_layers import Array
from deltawire_service.engine.derivatives import directions
from deltawire_service.engine.derivatives.directions import Direction
from deltawire_service.engine.derivatives.repeated_plans import complex_plan, repeated_plan
from deltawire_service.engine.execute.complex_step import COMPLEX, Step
from deltawire_service.engine.execute.finite import all_finite
from deltawire_service.engine.execute.non_finite import find_along_steps, find_in_arrays
from deltawire_service.engine.graph import Arrays
from deltawire_service.engine.plan.first_order import check_orders
from deltawire_service.engine.plan.targets import value_targets
from deltawire_service.engine.prepared import Options, Prepared


@dataclass(frozen=True)
class Tangents:
    """The result of `Network.jvp`: arrays by node."""

    values: dict[str, Array]
    """(batch, *shape)."""
    tangents: dict[str, Array]
    """(batch, *shape), with the leading axis of the tangents given where these had one."""


def jvp(
    network: Prepared,
    params: Arrays,
    data: Arrays,
    tangents: Direction,
    outputs: Iterable[str],
    options: Options,
) -> Tangents:
    """Compute Jacobian-vector products, Σ ∂output/∂(parameter, input) · tangent, by the complex step.

    Args:
        network: the network.
        params: arrays by parameter.
        data: arrays by input.
        tangents: one direction, or several in leading axes.
        outputs: nodes.
        options: non_finite and body_cost.

    Raises:
        Refused: a name or an array is wrong, a tangent would go through a layer of `orders` 1, or a result
            is not finite.
    """
    targets = value_targets(network, outputs, "outputs")
    directions.check_direction(network, "tangents", tangents)
    moved = {*tangents.params, *tangents.data}
    problem = "no tangent goes through it; ask for the Jacobian in reverse mode"
    check_orders(network, moved, targets.values, problem)
    batch = network.check_batch(params, data, targets.values)
    flat, shapes = tangents.flat(), directions.shapes_of(network, batch.size, tangents)
    count = directions.count("tangents", flat, shapes, batch.dtype)
    times = 1 if count is None else count
    plan = repeated_plan(
        complex_plan(
            network.memory_plan(targets, batch.size, COMPLEX, options.body_cost),
            batch.dtype,
            network.parameters,
        ),
        options.body_cost,
        COMPLEX.itemsize,
        times,
        [array.shape for array in flat.values()],
        [(times, batch.size, *network.nodes[name].shape) for name in targets.values],
    )
    run = network.batch_run(batch, targets, plan)

    def steps() -> Iterator[Step]:
        return (Step.along(*direction) for direction in directions.each_direction(tangents, count))

    def work() -> tuple[Tangents, bool]:
        derivatives = list[dict[str, Array]]()
        for step in steps():
            moved = run.moved(step).values()
            derivatives.append({name: step.derivative(array, batch.dtype) for name, array in moved.items()})
        values = {name: array.real.astype(batch.dtype) for name, array in moved.items()}
        result = Tangents(values, directions.stack(derivatives, count))
        return result, all_finite((*result.values.values(), *result.tangents.values()))

    def find() -> Fault:
        return find_in_arrays(flat, "tangents") or find_along_steps(run, steps())

    return network.compute(plan, work, options.non_finite, find)
