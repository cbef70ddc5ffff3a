"""Vector-Jacobian products: after one forward pass, backprop from any nodes, once for each cotangent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from deltawire.errors import Fault
from deltawire_layers import Array
from deltawire_service.engine.derivatives import directions
from deltawire_service.engine.derivatives.repeated_plans import repeated_plan
from deltawire_service.engine.execute.batch_run import BatchRun
from deltawire_service.engine.execute.finite import all_finite
from deltawire_service.engine.execute.non_finite import find_in_arrays, find_non_finite
from deltawire_service.engine.execute.objective import CotangentStarts
from deltawire_service.engine.graph import Arrays
from deltawire_service.engine.plan.targets import Wrt
from deltawire_service.engine.prepared import Options, Prepared


@dataclass(frozen=True)
class Products:
    """The result of `Network.vjp`: arrays by name.

    Products are shaped like the parameters and inputs they belong to, with the leading axis of the cotangents
    where these had one.
    """

    params: dict[str, Array]
    data: dict[str, Array]
    values: dict[str, Array]
    """(batch, *shape) by node."""


def vjp(
    network: Prepared,
    params: Arrays,
    data: Arrays,
    cotangents: Arrays,
    wrt: Wrt,
    values: Iterable[str],
    options: Options,
) -> Products:
    """Compute vector-Jacobian products, Σ cotangent · ∂output/∂(parameter, input).

    Args:
        network: the network.
        params: arrays by parameter.
        data: arrays by input.
        cotangents: by node, (batch, *shape), or (count, batch, *shape) for several products.
        wrt: the parameters and inputs to differentiate with respect to.
        values: nodes whose values are asked for, too.
        options: non_finite and body_cost.

    Raises:
        Refused: a name or an array is wrong, or a result is not finite.
    """
    target = network.with_outputs(directions.check_outputs(network, cotangents))
    targets = target.targets(wrt, values)
    batch = network.check_batch(params, data, targets.values | cotangents.keys())
    shapes = {name: (batch.size, *network.nodes[name].shape) for name in cotangents}
    count = directions.count("cotangents", cotangents, shapes, batch.dtype)
    times = 1 if count is None else count
    answered = [*shapes.values()]
    if count is not None:
        answered += count * [network.parameters[name].shape for name in targets.params]
        answered += count * [(batch.size, *network.inputs[name].shape) for name in targets.data]
    plan = repeated_plan(
        target.memory_plan(targets, batch.size, batch.dtype, options.body_cost),
        options.body_cost,
        batch.dtype.itemsize,
        times,
        [array.shape for array in cotangents.values()],
        answered,
    )
    starts = [CotangentStarts(directions.one_of(cotangents, count, index)) for index in range(times)]
    network.asked().product = True
    run = network.kept_run(target.batch_run(batch, targets, plan, *starts))
    program = run.program

    def work() -> tuple[Products, bool]:
        results = run.results(BatchRun.passes)
        products = Products(
            directions.stack((result.gradients(program.params) for result in results), count),
            directions.stack((result.deltas(program.data) for result in results), count),
            {name: results[0].values[name] for name in program.values},
        )
        return products, all(all_finite(part.values()) for part in vars(products).values())

    def find() -> Fault:
        faults = (find_non_finite(run.with_starts(each)) for each in starts)
        detail = f"a sum over the batch is too large for {batch.dtype}"
        fault = find_in_arrays(cotangents, "cotangents") or next(filter(None, faults), None)
        return fault or Fault("/network", "non_finite", detail)

    return network.compute(plan, work, options.non_finite, find)
