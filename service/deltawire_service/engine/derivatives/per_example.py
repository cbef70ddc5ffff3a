"""Gradients of each example by itself: what `Pass` sums over the rows, kept apart.

Deltas are apart already, for examples are independent; so the passes are those of any request, and only the
equations of parameters are called otherwise, from a node's inputs and its delta.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from deltawire.errors import Fault, Refused
from deltawire_layers import Array
from deltawire_service.engine.derivatives.repeated_plans import repeated_plan
from deltawire_service.engine.errors import DeadlineExceeded
from deltawire_service.engine.execute import layer_calls
from deltawire_service.engine.execute.backprop import Arrays, Pass, is_finite
from deltawire_service.engine.execute.batch_result import BatchResult
from deltawire_service.engine.execute.batch_run import BatchRun, Gradients, quietly
from deltawire_service.engine.graph import Graph, Node
from deltawire_service.engine.plan import input_checks
from deltawire_service.engine.plan.memory_plan import BodyCost
from deltawire_service.engine.plan.targets import Targets
from deltawire_service.engine.runner import ignore_seconds

if TYPE_CHECKING:
    from deltawire_service.engine.network import Network


def with_inputs(network: Graph, targets: Targets) -> Targets:
    """What passes keep so that the gradients of parameters can be made apart: they make none themselves."""
    nodes = [node for node in network.nodes.values() if targets.params.intersection(node.parameters.values())]
    inputs = {name for node in nodes for name in node.inputs if name in network.nodes}
    return targets._replace(
        params=frozenset(),
        values=targets.values | inputs,
        deltas=targets.deltas.union(node.name for node in nodes),
    )


def per_example_gradients(
    network: Network,
    targets: Targets,
    params: Arrays,
    data: Arrays,
    reduction: str,
    non_finite: str,
    body_cost: BodyCost,
) -> Gradients:
    """`Network.gradients` with gradients of each example's own loss, (batch, *shape)."""
    batch, dtype = input_checks.check_arrays(network, params, data)
    answered = [(batch, *network.parameters[name].shape) for name in targets.params]
    answered += [(batch, *network.inputs[name].shape) for name in targets.data if network.inputs[name].shared]
    plan = network._plan(targets, batch, dtype, body_cost)
    plan = repeated_plan(plan, body_cost, dtype.itemsize, 1, answered=answered)
    input_checks.check_memory(network, plan, batch)
    program = network._program(with_inputs(network, targets))
    batch_run = BatchRun(
        network,
        program,
        params,
        data,
        batch,
        dtype,
        plan,
        network.threads,
        reduction,
        on_compute_seconds=network.on_compute_seconds,
    )

    def compute(deadline: float) -> Gradients:
        result = _result(batch_run, targets, deadline)
        if non_finite == "error" and not result.finite:
            detail = "the gradient of an example holds a number that is not finite"
            raise Refused([batch_run.find_non_finite(deadline) or Fault("/network", "non_finite", detail)])
        return result

    return network.run(compute, plan)


@quietly
def _result(batch_run: BatchRun, targets: Targets, deadline: float) -> Gradients:
    """Both passes over all chunks, and the gradients of each chunk's rows put in their places."""
    network, batch = batch_run.network, batch_run.batch
    params = {
        name: np.zeros((batch, *parameter.shape), batch_run.dtype)
        for name, parameter in network.parameters.items()
        if name in targets.params
    }
    data = {
        name: np.zeros((batch, *input_spec.shape), batch_run.dtype)
        for name, input_spec in network.inputs.items()
        if name in targets.data
    }
    apart = batch_run._replace(reduction="sum")

    def compute(start: int, stop: int) -> tuple[int, Pass]:
        done = apart.forward(start, stop, deadline)
        if apart.program.backward:
            done.backward(apart.cotangents(start, stop))
        apart.account(done)
        for name, gradient in each_gradient(apart, done, done, targets.params, deadline):
            params[name][start:stop] += gradient
        for name, array in data.items():
            if name in done.deltas:
                array[start:stop] = done.deltas.pop(name)
        kept = {*targets.values, *network.loss}
        done.values = {name: value for name, value in done.values.items() if name in kept}
        done.deltas = {name: delta for name, delta in done.deltas.items() if name in targets.deltas}
        return start, done

    batch_result = BatchResult(batch, batch_run.dtype, network.inputs)
    for start, done in batch_run.chunks(compute):
        batch_result.add(start, done)
    losses = batch_run.losses(batch_result)
    loss = float(batch_run.reduced(losses))
    values = {name: batch_result.values[name] for name in network.nodes if name in targets.values}
    deltas = {
        name: batch_result.delta(name, (batch, *node.shape))
        for name, node in network.nodes.items()
        if name in targets.deltas
    }
    parts = (params, data, values, deltas)
    finite = isfinite(loss) and all(is_finite(array) for part in parts for array in part.values())
    return Gradients(loss, losses, params, data, values, deltas, finite)


def each_gradient(
    batch_run: BatchRun, forward: Pass, backward: Pass, params: frozenset[str], deadline: float
) -> Iterator[tuple[str, Array]]:
    """The gradients of the rows of a pass, (rows, *shape) by parameter: one for each node that has it."""
    values = {**forward.data, **forward.values}
    for node in batch_run.network.nodes.values():
        wanted = {local: name for local, name in node.parameters.items() if name in params}
        if wanted and node.name in backward.deltas:
            given = {local: forward.params[name] for local, name in node.parameters.items()}
            inputs = [values[name] for name in node.inputs]
            begun = monotonic()
            found = _of_node(batch_run, node, given, inputs, backward.deltas[node.name], deadline)
            if batch_run.on_compute_seconds is not ignore_seconds:
                batch_run.on_compute_seconds({node.kind: monotonic() - begun})
            yield from ((name, found[local]) for local, name in wanted.items())


def _of_node(
    batch_run: BatchRun, node: Node, params: Arrays, inputs: list[Array], delta: Array, deadline: float
) -> Arrays:
    """Gradients of one node, by the layer's names: as fast as it knows, else row by row."""
    found = layer_calls.per_example(node, params, inputs, delta, batch_run.dtype)
    return _row_by_row(batch_run, node, params, inputs, delta, deadline) if found is None else found


def _row_by_row(
    batch_run: BatchRun, node: Node, params: Arrays, inputs: list[Array], delta: Array, deadline: float
) -> Arrays:
    """Each row as a batch of one: right for any layer."""
    found = {local: np.empty((len(delta), *array.shape), batch_run.dtype) for local, array in params.items()}
    for row in range(len(delta)):
        if monotonic() > deadline:
            raise DeadlineExceeded
        alone = slice(row, row + 1)
        _, activation = layer_calls.forward(node, params, [array[alone] for array in inputs], batch_run.dtype)
        signal = layer_calls.signal(node, activation, delta[alone])
        for local, gradients in found.items():
            shape = gradients.shape[1:]
            gradients[row] = layer_calls.equation(
                node, f"gradient of {local}", activation.grads[local], signal, shape, batch_run.dtype
            )
    return found
