"""Jacobian-vector products: one forward pass in complex numbers for each tangent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deltawire.errors import Refused
from deltawire_layers import Array
from deltawire_service.engine.derivatives import directions
from deltawire_service.engine.derivatives.complex_step import COMPLEX, Step
from deltawire_service.engine.derivatives.directions import Direction
from deltawire_service.engine.derivatives.repeated_plans import complex_plan, repeated_plan
from deltawire_service.engine.execute.backprop import Arrays, is_finite
from deltawire_service.engine.execute.batch_run import BatchRun
from deltawire_service.engine.plan import input_checks
from deltawire_service.engine.plan.memory_plan import NO_BODY_COST, BodyCost
from deltawire_service.engine.plan.targets import value_targets

if TYPE_CHECKING:
    from deltawire_service.engine.network import Network


@dataclass(frozen=True)
class Tangents:
    """What `jvp` answers, by node: values, (batch, *shape), and tangents, (batch, *shape), with the leading
    axis of the tangents given where these had one."""

    values: dict[str, Array]
    tangents: dict[str, Array]

    def finite(self) -> bool:
        """Whether every number of the answer is finite."""
        return all(is_finite(array) for part in vars(self).values() for array in part.values())


def jvp(
    network: Network,
    params: Arrays,
    data: Arrays,
    tangents: Direction,
    outputs: Iterable[str],
    *,
    non_finite: str = "error",
    body_cost: BodyCost = NO_BODY_COST,
) -> Tangents:
    """Jacobian-vector products, Σ ∂output/∂(parameter, input) · tangent, by the complex step.

    tangents: arrays shaped like the parameters and data they are named after, or with one leading axis more,
    for several products at once. outputs: names of nodes; only the parameters and inputs that lead to them
    are needed. Computed in complex128, whatever the arrays are; at kinks the branch taken is differentiated.
    non_finite, body_cost, and what is raised: as for `gradients`.
    """
    targets = value_targets(network, outputs, "outputs")
    directions.check_direction(network, "tangents", tangents)
    network.check_names(params, data, targets.values)
    batch, dtype = input_checks.check_arrays(network, params, data)
    flat, shapes = tangents.flat(), directions.shapes_of(network, batch, tangents)
    count = directions.counted("tangents", flat, shapes, dtype)
    times = 1 if count is None else count
    out = [(times, batch, *network.nodes[name].shape) for name in targets.values]
    given = [array.shape for array in flat.values()]
    once = complex_plan(network._plan(targets, batch, COMPLEX, body_cost), dtype, network.parameters)
    plan = repeated_plan(once, body_cost, 16, times, given, out)
    input_checks.check_memory(network, plan, batch)
    batch_run = BatchRun(
        network,
        network._program(targets),
        params,
        data,
        batch,
        dtype,
        plan,
        network.threads,
        on_compute_seconds=network.on_compute_seconds,
    )

    def compute(deadline: float) -> Tangents:
        answers = list[dict[str, Array]]()
        for index in range(times):
            step = Step(Direction(*(directions.one_of(part, count, index) for part in tangents)))
            found, _ = step.moved(batch_run).values(deadline)
            answers.append({name: step.derivative(array, dtype) for name, array in found.items()})
        values = {name: array.real.astype(dtype) for name, array in found.items()}
        answer = Tangents(values, directions.stacked(answers, count))
        if non_finite == "error" and not answer.finite():
            raise Refused(
                [directions.non_finite("tangents", flat) or step.first_non_finite(batch_run, deadline)]
            )
        return answer

    return network.run(compute, plan)
