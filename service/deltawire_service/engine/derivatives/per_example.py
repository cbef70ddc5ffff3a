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
from deltawire_service.engine import checks, contract
from deltawire_service.engine.backprop import Arrays, Pass, is_finite
from deltawire_service.engine.derivatives.planning import repeated
from deltawire_service.engine.errors import DeadlineExceeded
from deltawire_service.engine.graph import Graph, Node
from deltawire_service.engine.plan import Carriage
from deltawire_service.engine.rows import Result, Work, quietly
from deltawire_service.engine.running import uncounted
from deltawire_service.engine.wanted import Wanted
from deltawire_service.engine.whole import Whole

if TYPE_CHECKING:
    from deltawire_service.engine.network import Network


def with_inputs(network: Graph, wants: Wanted) -> Wanted:
    """What passes keep so that the gradients of parameters can be made apart: they make none themselves."""
    nodes = [node for node in network.nodes.values() if wants.params.intersection(node.parameters.values())]
    inputs = {name for node in nodes for name in node.inputs if name in network.nodes}
    return wants._replace(
        params=frozenset(),
        values=wants.values | inputs,
        deltas=wants.deltas.union(node.name for node in nodes),
    )


def gradients_apart(
    network: Network,
    wants: Wanted,
    params: Arrays,
    data: Arrays,
    reduction: str,
    non_finite: str,
    carriage: Carriage,
) -> Result:
    """`Network.gradients` with gradients of each example's own loss, (batch, *shape)."""
    batch, dtype = checks.check_arrays(network, params, data)
    answered = [(batch, *network.parameters[name].shape) for name in wants.params]
    answered += [(batch, *network.inputs[name].shape) for name in wants.data if network.inputs[name].shared]
    plan = network._plan(wants, batch, dtype, carriage)
    plan = repeated(plan, carriage, dtype.itemsize, 1, answered=answered)
    checks.check_memory(network, plan, batch)
    program = network._program(with_inputs(network, wants))
    work = Work(
        network, program, params, data, batch, dtype, plan, network.threads, reduction, spent=network.spent
    )

    def compute(until: float) -> Result:
        result = _result(work, wants, until)
        if non_finite == "error" and not result.finite:
            detail = "the gradient of an example holds a number that is not finite"
            raise Refused([work.find_non_finite(until) or Fault("/network", "non_finite", detail)])
        return result

    return network.run(compute, plan)


@quietly
def _result(work: Work, wants: Wanted, until: float) -> Result:
    """Both passes over all chunks, and the gradients of each chunk's rows put in their places."""
    network, batch = work.network, work.batch
    params = {
        name: np.zeros((batch, *parameter.shape), work.dtype)
        for name, parameter in network.parameters.items()
        if name in wants.params
    }
    data = {
        name: np.zeros((batch, *slot.shape), work.dtype)
        for name, slot in network.inputs.items()
        if name in wants.data
    }
    apart = work._replace(reduction="sum")

    def compute(start: int, stop: int) -> tuple[int, Pass]:
        done = apart.forward(start, stop, until)
        if apart.program.backward:
            done.backward(apart.cotangents(start, stop))
        apart.account(done)
        for name, gradient in each_gradient(apart, done, done, wants.params, until):
            params[name][start:stop] += gradient
        for name, array in data.items():
            if name in done.deltas:
                array[start:stop] = done.deltas.pop(name)
        kept = {*wants.values, *network.loss}
        done.values = {name: value for name, value in done.values.items() if name in kept}
        done.deltas = {name: delta for name, delta in done.deltas.items() if name in wants.deltas}
        return start, done

    whole = Whole(batch, work.dtype, network.inputs)
    for start, done in work.chunks(compute):
        whole.add(start, done)
    losses = work.losses(whole)
    loss = float(work.reduced(losses))
    values = {name: whole.values[name] for name in network.nodes if name in wants.values}
    deltas = {
        name: whole.delta(name, (batch, *node.shape))
        for name, node in network.nodes.items()
        if name in wants.deltas
    }
    parts = (params, data, values, deltas)
    finite = isfinite(loss) and all(is_finite(array) for part in parts for array in part.values())
    return Result(loss, losses, params, data, values, deltas, finite)


def each_gradient(
    work: Work, forward: Pass, backward: Pass, params: frozenset[str], until: float
) -> Iterator[tuple[str, Array]]:
    """The gradients of the rows of a pass, (rows, *shape) by parameter: one for each node that has it."""
    values = {**forward.data, **forward.values}
    for node in work.network.nodes.values():
        wanted = {local: name for local, name in node.parameters.items() if name in params}
        if wanted and node.name in backward.deltas:
            given = {local: forward.params[name] for local, name in node.parameters.items()}
            inputs = [values[name] for name in node.inputs]
            begun = monotonic()
            found = _of_node(work, node, given, inputs, backward.deltas[node.name], until)
            if work.spent is not uncounted:
                work.spent({node.kind: monotonic() - begun})
            yield from ((name, found[local]) for local, name in wanted.items())


def _of_node(
    work: Work, node: Node, params: Arrays, inputs: list[Array], delta: Array, until: float
) -> Arrays:
    """Gradients of one node, by the layer's names: as fast as it knows, else row by row."""
    found = contract.per_example(node, params, inputs, delta, work.dtype)
    return _row_by_row(work, node, params, inputs, delta, until) if found is None else found


def _row_by_row(
    work: Work, node: Node, params: Arrays, inputs: list[Array], delta: Array, until: float
) -> Arrays:
    """Each row as a batch of one: right for any layer."""
    found = {local: np.empty((len(delta), *array.shape), work.dtype) for local, array in params.items()}
    for row in range(len(delta)):
        if monotonic() > until:
            raise DeadlineExceeded
        alone = slice(row, row + 1)
        _, activation = contract.forward(node, params, [array[alone] for array in inputs], work.dtype)
        signal = contract.signal(node, activation, delta[alone])
        for local, gradients in found.items():
            shape = gradients.shape[1:]
            gradients[row] = contract.equation(
                node, f"gradient of {local}", activation.grads[local], signal, shape, work.dtype
            )
    return found
