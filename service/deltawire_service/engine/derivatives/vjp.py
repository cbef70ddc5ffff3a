"""Vector-Jacobian products: after one forward pass, backprop from any nodes, once for each cotangent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deltawire.errors import Fault, Refused
from deltawire_layers import Array
from deltawire_service.engine.derivatives import directions
from deltawire_service.engine.derivatives.repeated_plans import repeated_plan
from deltawire_service.engine.execute.backprop import Arrays, Pass, is_finite
from deltawire_service.engine.execute.batch_result import BatchResult
from deltawire_service.engine.execute.batch_run import BatchRun, quietly
from deltawire_service.engine.plan import input_checks
from deltawire_service.engine.plan.memory_plan import NO_BODY_COST, BodyCost

if TYPE_CHECKING:
    from deltawire_service.engine.network import Network


@dataclass(frozen=True)
class Products:
    """What `vjp` and `hvp` answer, by name; each array is shaped like what it is a product for, with the
    leading axis of the cotangents (of the vectors) where these had one. values: (batch, *shape) by node."""

    params: dict[str, Array]
    data: dict[str, Array]
    values: dict[str, Array]

    def finite(self) -> bool:
        """Whether every number of the answer is finite."""
        return all(is_finite(array) for part in vars(self).values() for array in part.values())


def vjp(
    network: Network,
    params: Arrays,
    data: Arrays,
    cotangents: Arrays,
    *,
    wrt_params: bool | Iterable[str] = True,
    wrt_data: bool | Iterable[str] = False,
    values: Iterable[str] = (),
    non_finite: str = "error",
    body_cost: BodyCost = NO_BODY_COST,
) -> Products:
    """Vector-Jacobian products, Σ cotangent · ∂output/∂(parameter, input): sums over outputs and batch.

    cotangents: by node, (batch, *shape) each, or (count, batch, *shape) for `count` products at once, which
    share one forward pass. Only the parameters and inputs that lead to these nodes, or to those of `values`,
    are needed; what does not lead to them gets zeros.
    wrt_params, wrt_data, values, non_finite, body_cost, and what is raised: as for `gradients`.
    """
    target = network.with_outputs(directions.check_outputs(network, cotangents))
    targets = target._targets(wrt_params, wrt_data, values, ())
    network.check_names(params, data, targets.values | cotangents.keys())
    batch, dtype = input_checks.check_arrays(network, params, data)
    shapes = {name: (batch, *network.nodes[name].shape) for name in cotangents}
    count = directions.counted("cotangents", cotangents, shapes, dtype)
    times = 1 if count is None else count
    given = [array.shape for array in cotangents.values()]
    answered = [*shapes.values()]
    if count is not None:
        for _ in range(count):
            answered += [network.parameters[name].shape for name in targets.params]
            answered += [(batch, *network.inputs[name].shape) for name in targets.data]
    plan = repeated_plan(
        target._plan(targets, batch, dtype, body_cost), body_cost, dtype.itemsize, times, given, answered
    )
    input_checks.check_memory(network, plan, batch)
    batch_run = BatchRun(
        target,
        target._program(targets),
        params,
        data,
        batch,
        dtype,
        plan,
        network.threads,
        on_compute_seconds=network.on_compute_seconds,
    )

    def compute(deadline: float) -> Products:
        each = [directions.one_of(cotangents, count, index) for index in range(times)]
        batch_results = _products(batch_run, each, deadline)
        found = Products(
            directions.stacked(
                (batch_run.gradients_of(batch_result) for batch_result in batch_results), count
            ),
            directions.stacked(
                (batch_run.data_deltas(batch_result) for batch_result in batch_results), count
            ),
            {name: batch_results[0].values[name] for name in batch_run.program.values},
        )
        if non_finite == "error" and not found.finite():
            fault = directions.non_finite("cotangents", cotangents)
            raise Refused([fault or _first_non_finite(batch_run, each, deadline)])
        return found

    return network.run(compute, plan)


@quietly
def _products(batch_run: BatchRun, cotangents: list[Arrays], deadline: float) -> list[BatchResult]:
    """What comes back for each of the cotangents, (batch, *shape) by node; values are with the first."""

    def compute(start: int, stop: int) -> tuple[int, list[Pass]]:
        begun = batch_run.forward(start, stop, deadline)
        batch_run.account(begun)
        passes = [begun.fork() for _ in cotangents]
        passes[0].values = begun.values
        for each, starts in zip(passes, cotangents, strict=True):
            each.backward(batch_run._replace(starts=starts).cotangents(start, stop))
            batch_run.account(each)
        return start, passes

    batch_results = [
        BatchResult(batch_run.batch, batch_run.dtype, batch_run.network.inputs) for _ in cotangents
    ]
    for start, passes in batch_run.chunks(compute):
        for batch_result, done in zip(batch_results, passes, strict=True):
            batch_result.add(start, done)
    return batch_results


def _first_non_finite(batch_run: BatchRun, cotangents: list[Arrays], deadline: float) -> Fault:
    found = (batch_run._replace(starts=starts).find_non_finite(deadline) for starts in cotangents)
    summed = Fault("/network", "non_finite", f"a sum over the batch is too large for {batch_run.dtype}")
    return next(filter(None, found), summed)
