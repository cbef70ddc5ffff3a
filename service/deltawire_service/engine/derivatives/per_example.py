"""Gradients of each example by itself: what `Pass` sums over the rows, kept apart.

Deltas are apart already, for examples are independent. So both passes are those of any request, and only the
gradients of parameters are computed otherwise: from a node's inputs and its delta.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import isfinite
from time import monotonic
from typing import NamedTuple

import numpy as np

from deltawire.errors import Fault, Refused
from deltawire_layers import Array, Layer, Shape, check_deadline
from deltawire_service.engine.derivatives.gradients import Gradients
from deltawire_service.engine.derivatives.repeated_plans import repeated_plan
from deltawire_service.engine.execute import layer_calls
from deltawire_service.engine.execute.backprop import Pass
from deltawire_service.engine.execute.batch_run import BatchRun
from deltawire_service.engine.execute.finite import all_finite, quietly
from deltawire_service.engine.execute.non_finite import find_non_finite
from deltawire_service.engine.execute.objective import Objective
from deltawire_service.engine.graph import Arrays, Graph, Node
from deltawire_service.engine.plan.memory_plan import Plan
from deltawire_service.engine.plan.operations import pass_operations
from deltawire_service.engine.plan.program import ArrayRole
from deltawire_service.engine.plan.targets import Targets
from deltawire_service.engine.prepared import Options, Prepared
from deltawire_service.engine.runner import ignore_seconds


def per_example_targets(network: Graph, targets: Targets) -> Targets:
    """Return targets whose passes keep what gradients per example need, and sum no gradients themselves."""
    nodes = [node for node in network.nodes.values() if targets.params.intersection(node.parameters.values())]
    inputs = {name for node in nodes for name in node.inputs if name in network.nodes}
    deltas = targets.deltas.union(node.name for node in nodes)
    data = targets.data | targets.params.intersection(network.learned)
    return Targets(data=data, values=targets.values | inputs, deltas=deltas)


def with_row_operations(plan: Plan, network: Graph, targets: Targets, batch: int, itemsize: int) -> Plan:
    """Return a plan with the operations of layers whose gradients per example are computed row by row.

    Args:
        plan: the plan of the passes over the whole batch.
        network: the network.
        targets: the parameters whose gradients are asked for.
        batch: number of examples.
        itemsize: bytes of one floating-point number.
    """
    rows = sum(
        batch * 2 * pass_operations(network, node, 1, itemsize)  # a forward pass and its equations
        for node in network.nodes.values()
        if targets.params.intersection(node.parameters.values())
        and type(node.layer).per_example is Layer.per_example
    )
    return replace(plan, operations=plan.operations + rows)


def per_example_gradients(
    network: Prepared, params: Arrays, data: Arrays, targets: Targets, options: Options
) -> Gradients:
    """Compute the gradients of each example's own loss.

    Args:
        network: the network.
        params: arrays by parameter.
        data: arrays by input.
        targets: what is asked for.
        options: reduction (of the reported loss alone), non_finite and body_cost.

    Returns:
        Gradients and deltas that are not divided and leave the regularization out; gradients are
        (batch, *shape).

    Raises:
        Refused: a trace is asked for, an array is wrong, or a result is not finite.
    """
    if targets.trace:
        detail = "a trace shows sums over the batch: ask for it without per_example"
        raise Refused([Fault("/trace", "field_invalid", detail)])
    batch = network.check_batch(params, data)
    answered = [(batch.size, *network.parameters[name].shape) for name in targets.params]
    shared = [network.inputs[name] for name in targets.data if network.inputs[name].shared]
    answered += [(batch.size, *input_spec.shape) for input_spec in shared]
    itemsize = batch.dtype.itemsize
    plan = network.memory_plan(targets, batch.size, batch.dtype, options.body_cost)
    plan = repeated_plan(
        with_row_operations(plan, network, targets, batch.size, itemsize),
        options.body_cost,
        itemsize,
        1,
        answered=answered,
    )
    own_losses = network.objective(batch.size, "sum")
    run = network.batch_run(batch, per_example_targets(network, targets), plan, own_losses.starts)
    objective = network.objective(batch.size, options.reduction)

    def find() -> Fault:
        detail = "the gradient of an example holds a number that is not finite"
        return find_non_finite(run) or Fault("/network", "non_finite", detail)

    return network.compute(plan, lambda: _gradients(run, targets, objective), options.non_finite, find)


class ExampleGradients(NamedTuple):
    """The computation of both passes over some rows, with the gradients of each example."""

    targets: Targets
    results: frozenset[str]
    """The nodes whose values are results; the others were needed for the gradients alone."""

    def __call__(self, run: BatchRun, start: int, stop: int, /) -> list[Pass]:
        rows, targets = run.both_passes(start, stop), self.targets
        for name, gradient in example_gradients(run, rows, rows, targets.params):
            place = params_place(name)  # several nodes may have the parameter
            known = rows.examples.get(place)
            rows.examples[place] = gradient if known is None else known + gradient
        for name in targets.data:
            if run.network.inputs[name].shared and name in rows.deltas:  # else it is summed over the rows
                rows.examples[data_place(name)] = rows.deltas.pop(name)
        rows.values = {name: value for name, value in rows.values.items() if name in self.results}
        kept = targets.deltas | targets.data
        rows.deltas = {name: delta for name, delta in rows.deltas.items() if name in kept}
        return [rows]


def params_place(name: str) -> str:
    """Return the name that the gradients of each example by a parameter have among the examples of a pass."""
    return f"params/{name}"


def data_place(name: str) -> str:
    """Return the name that the deltas of a shared input have there."""
    return f"data/{name}"


@quietly
def _gradients(run: BatchRun, targets: Targets, objective: Objective) -> tuple[Gradients, bool]:
    """Compute both passes over all chunks; gradients that do not lead to the loss are zero."""
    network, batch, dtype = run.network, run.batch.size, run.batch.dtype
    (result,) = run.results(ExampleGradients(targets, targets.values.union(network.loss)))
    examples = result.examples

    def found(place: str, shape: Shape) -> Array:
        return examples[place] if place in examples else np.zeros((batch, *shape), dtype)

    params = {
        name: found(params_place(name), parameter.shape)
        for name, parameter in network.parameters.items()
        if name in targets.params
    }
    inputs = {name: spec for name, spec in network.inputs.items() if name in targets.data}
    shared = {name: found(data_place(name), spec.shape) for name, spec in inputs.items() if spec.shared}
    data = result.deltas(name for name in inputs if name not in shared)
    data = {name: shared[name] if name in shared else data[name] for name in inputs}
    losses = objective.losses(result.values)
    loss = float(objective.reduced(losses, run.batch.params, run.plan.chunks))
    values = {name: result.values[name] for name in network.nodes if name in targets.values}
    deltas = result.deltas(name for name in network.nodes if name in targets.deltas)
    finite = isfinite(loss) and all(all_finite(part.values()) for part in (params, data, values, deltas))
    return Gradients(loss, losses, params, data, values, deltas), finite


def example_gradients(
    run: BatchRun, forward: Pass, backward: Pass, params: frozenset[str]
) -> Iterator[tuple[str, Array]]:
    """Yield the gradients of the rows of a pass, (rows, *shape) by parameter, once for each node that has it.

    That of a learned input is the delta that has arrived there.

    Args:
        run: the run of the pass.
        forward: the pass that has the values of the nodes' inputs.
        backward: the pass that has their deltas: the same one, or a fork of it.
        params: the parameters whose gradients are asked for.
    """
    values = {**forward.data, **forward.values}
    for node in run.network.nodes.values():
        names = {local: name for local, name in node.parameters.items() if name in params}
        if names and node.name in backward.deltas:
            arrays = node.arrays(forward.params)
            inputs = [values[name] for name in node.inputs]
            begun = monotonic()
            delta, dtype = backward.deltas[node.name], run.batch.dtype
            gradients = layer_calls.per_example(node, arrays, inputs, delta, dtype)
            if gradients is None:
                gradients = _row_by_row(node, arrays, inputs, delta)
            if run.on_compute_seconds is not ignore_seconds:
                run.on_compute_seconds({node.kind: monotonic() - begun})
            yield from ((name, node.as_owned(local, gradients[local])) for local, name in names.items())
    for name in run.network.learned:
        if name in params and name in backward.deltas:
            yield name, backward.deltas[name]


def _row_by_row(node: Node, params: Arrays, inputs: list[Array], delta: Array) -> dict[str, Array]:
    """Compute each row as a batch of one, which is right for any layer."""
    dtype = delta.dtype
    gradients = {local: np.empty((len(delta), *array.shape), dtype) for local, array in params.items()}
    for row in range(len(delta)):
        check_deadline()
        alone = slice(row, row + 1)
        _, activation = layer_calls.forward(node, params, [array[alone] for array in inputs], dtype)
        signal = layer_calls.signal(node, activation, delta[alone])
        for local, rows in gradients.items():
            role = ArrayRole("gradient", local)
            rows[row] = layer_calls.equation(
                node, role, activation.grads[local], signal, rows.shape[1:], dtype
            )
    return gradients
