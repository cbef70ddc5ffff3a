"""The loss and its gradients; and the values of nodes, which are the first half of it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from math import isfinite
from typing import NamedTuple

from deltawire.errors import Fault
from deltawire_layers import Array
from deltawire_service.engine.execute.batch_run import BatchRun
from deltawire_service.engine.execute.finite import all_finite
from deltawire_service.engine.execute.non_finite import find_non_finite
from deltawire_service.engine.execute.objective import Objective
from deltawire_service.engine.execute.trace import Trace
from deltawire_service.engine.graph import Arrays
from deltawire_service.engine.plan.targets import Targets, value_targets
from deltawire_service.engine.prepared import Options, Prepared


class Gradients(NamedTuple):
    """The result of `Network.gradients`; parts that were not asked for are empty."""

    loss: float
    """The reduced loss, regularization included."""
    losses: Array
    """Each example's loss, (batch,)."""
    params: dict[str, Array]
    """Gradients by parameter."""
    data: dict[str, Array]
    """Gradients by input, (batch, *shape), or (*shape) when shared."""
    values: dict[str, Array]
    """(batch, *shape) by node."""
    deltas: dict[str, Array]
    """(batch, *shape) by node."""
    trace: Trace | None = None


def gradients(
    network: Prepared, params: Arrays, data: Arrays, targets: Targets, options: Options
) -> Gradients:
    """Compute the loss and gradients of a batch.

    Args:
        network: the network.
        params: arrays by parameter.
        data: arrays by input.
        targets: what is asked for.
        options: reduction, non_finite and body_cost.

    Raises:
        Refused: an array is wrong, or a result is not finite.
    """
    batch = network.check_batch(params, data)
    plan = network.memory_plan(targets, batch.size, batch.dtype, options.body_cost)
    objective = network.objective(batch.size, options.reduction)
    run = network.loss_run(batch, targets, plan, objective.starts)
    work = partial(compute_gradients, run, objective)
    return network.compute(plan, work, options.non_finite, lambda: first_non_finite(run))


def compute_gradients(run: BatchRun, objective: Objective) -> tuple[Gradients, bool]:
    """Compute the gradients of a run, and whether every number of them is finite.

    Args:
        run: a run that starts from the objective.
        objective: the reduced loss.
    """
    program, batch = run.program, run.batch
    trace = Trace(program, batch.size, batch.dtype, run.plan.chunks) if program.targets.trace else None
    result = run.result(trace)
    losses = objective.losses(result.values)
    loss = float(objective.reduced(losses, batch.params, run.plan.chunks))
    by_params = result.gradients(program.params)
    regularized = objective.regularized(by_params, batch.params)
    by_data, deltas = result.deltas(program.data), result.deltas(program.deltas)
    values = {name: result.values[name] for name in program.values}
    by_rows = (*regularized.values(), *by_data.values(), *values.values(), *deltas.values())
    finite = isfinite(loss) and result.finite and all_finite(by_rows)
    return Gradients(loss, losses, by_params | regularized, by_data, values, deltas, trace), finite


def forward(
    network: Prepared, params: Arrays, data: Arrays, values: Iterable[str], options: Options
) -> dict[str, Array]:
    """Compute the values of nodes, (batch, *shape) by name.

    Args:
        network: the network.
        params: arrays by parameter.
        data: arrays by input.
        values: the nodes.
        options: non_finite and body_cost.

    Raises:
        Refused: a name or an array is wrong, or a value is not finite.
    """
    targets = value_targets(network, values)
    batch = network.check_batch(params, data, targets.values)
    plan = network.memory_plan(targets, batch.size, batch.dtype, options.body_cost)
    run = network.value_run(batch, targets, plan)

    def work() -> tuple[dict[str, Array], bool]:
        values = run.values()
        return values, all_finite(values.values())

    return network.compute(plan, work, options.non_finite, lambda: first_non_finite(run))


def first_non_finite(run: BatchRun) -> Fault:
    """Return the fault of the first array that is not finite, or else of a sum over the batch."""
    detail = f"a sum over the batch is too large for {run.batch.dtype}"
    return find_non_finite(run) or Fault("/network/loss", "non_finite", detail)
