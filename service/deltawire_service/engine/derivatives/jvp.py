"""Jacobian-vector products: one forward pass in complex numbers for each tangent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deltawire.errors import Refused
from deltawire_layers import Array
from deltawire_service.engine import checks
from deltawire_service.engine.backprop import Arrays, is_finite
from deltawire_service.engine.derivatives import directions
from deltawire_service.engine.derivatives.directions import Direction
from deltawire_service.engine.derivatives.planning import beside_floats, repeated
from deltawire_service.engine.derivatives.step import COMPLEX, Step
from deltawire_service.engine.plan import ARRAYS, Carriage
from deltawire_service.engine.rows import Work
from deltawire_service.engine.wanted import wanted_values

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
    carriage: Carriage = ARRAYS,
) -> Tangents:
    """Jacobian-vector products, Σ ∂output/∂(parameter, input) · tangent, by the complex step.

    tangents: arrays shaped like the parameters and data they are named after, or with one leading axis more,
    for several products at once. outputs: names of nodes; only the parameters and inputs that lead to them
    are needed. Computed in complex128, whatever the arrays are; at kinks the branch taken is differentiated.
    non_finite, carriage, and what is raised: as for `gradients`.
    """
    wants = wanted_values(network, outputs, "outputs")
    directions.check_direction(network, "tangents", tangents)
    network.check_names(params, data, wants.values)
    batch, dtype = checks.check_arrays(network, params, data)
    flat, shapes = tangents.flat(), directions.shapes_of(network, batch, tangents)
    count = directions.counted("tangents", flat, shapes, dtype)
    times = 1 if count is None else count
    out = [(times, batch, *network.nodes[name].shape) for name in wants.values]
    given = [array.shape for array in flat.values()]
    once = beside_floats(network._plan(wants, batch, COMPLEX, carriage), dtype, network.parameters)
    plan = repeated(once, carriage, 16, times, given, out)
    checks.check_memory(network, plan, batch)
    work = Work(
        network,
        network._program(wants),
        params,
        data,
        batch,
        dtype,
        plan,
        network.threads,
        spent=network.spent,
    )

    def compute(until: float) -> Tangents:
        answers = list[dict[str, Array]]()
        for index in range(times):
            step = Step(Direction(*(directions.one_of(part, count, index) for part in tangents)))
            found, _ = step.moved(work).values(until)
            answers.append({name: step.derivative(array, dtype) for name, array in found.items()})
        values = {name: array.real.astype(dtype) for name, array in found.items()}
        answer = Tangents(values, directions.stacked(answers, count))
        if non_finite == "error" and not answer.finite():
            raise Refused([directions.non_finite("tangents", flat) or step.first_non_finite(work, until)])
        return answer

    return network.run(compute, plan)
