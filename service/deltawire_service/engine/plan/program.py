"""The program of a request: which equations to call, in which order, and which values to release when."""

from __future__ import annotations

from typing import NamedTuple

from deltawire_service.engine.graph import Graph, Node
from deltawire_service.engine.plan.targets import Targets


class ArrayRole(NamedTuple):
    """The role of an array at its node.

    Args:
        kind: `value`, `delta`, `gradient` of the layer's parameter `name`, delta `sent` to the input `name`
            at `position`, or `local` derivative by that input.
        name: the layer's parameter, or the source of the input.
        position: the position of the input.
    """

    kind: str
    name: str = ""
    position: int = 0

    def __str__(self) -> str:
        phrases = {"gradient": "gradient of {}", "sent": "delta sent to '{}'", "local": "derivative by '{}'"}
        return phrases.get(self.kind, self.kind).format(self.name)


class ForwardStep(NamedTuple):
    """The computation of one node's value."""

    node: Node
    saved: bool
    """Whether its equations are called in the backward pass."""
    release: tuple[str, ...]
    """The values that no later step reads."""


class BackwardStep(NamedTuple):
    """The calls of one node's equations.

    Every array has its role beside it, for messages and traces.
    """

    node: Node
    grads: tuple[tuple[str, str, ArrayRole], ...]
    """The layer's and the network's name of each parameter whose gradient is needed."""
    deltas: tuple[tuple[int, str, ArrayRole], ...]
    """Position and source of each input that a delta is sent to."""
    local: bool = False
    """Whether a trace shows the derivatives ∂value/∂input themselves, too."""


class Program(NamedTuple):
    """The steps that compute a request: every equation needed once, and no other."""

    targets: Targets
    forward: tuple[ForwardStep, ...]
    backward: tuple[BackwardStep, ...]
    retained: tuple[str, ...]
    """The nodes whose values are results: losses, and the targets' values."""
    params: tuple[str, ...]
    """The targets, in the order of the network; likewise below."""
    data: tuple[str, ...]
    values: tuple[str, ...]
    deltas: tuple[str, ...]
    noise: tuple[str, ...]
    """The noise inputs that the forward steps take."""
    learned: tuple[str, ...]
    """The learned inputs among the targets' parameters."""
    needed: frozenset[str]
    """The nodes and inputs whose deltas lead to a target.

    A trace sends deltas to the others as well, where there is a derivative.
    """


def make_program(network: Graph, targets: Targets) -> Program:
    """Return the steps that compute these targets, in time linear in the size of the graph."""
    nodes = list(network.nodes.values())
    loss = network.loss if targets.loss else {}
    leads = network.upstream(loss)
    computed = leads | network.upstream(targets.values)

    # A node carries a delta when a target lies at it or before it.
    learned = tuple(name for name in network.learned if name in targets.params)
    carries = {*targets.data, *learned}
    for node in nodes:
        own = node.name in targets.deltas or not targets.params.isdisjoint(node.parameters.values())
        if own or not carries.isdisjoint(node.inputs):
            carries.add(node.name)
    needed = frozenset(carries)
    if targets.trace:
        carries.update(network.nodes, network.float_inputs, network.learned)

    backward = tuple(
        BackwardStep(
            node,
            tuple(
                (local, name, ArrayRole("gradient", local))
                for local, name in node.parameters.items()
                if name in targets.params
            ),
            tuple(
                (position, source, ArrayRole("sent", source, position))
                for position, source in enumerate(node.inputs)
                if source in carries
            ),
            local=targets.trace and node.layer.elementwise,
        )
        for node in reversed(nodes)
        if node.name in leads and node.name in carries
    )
    saved = {step.node.name for step in backward if step.grads or step.deltas}

    steps = [node for node in nodes if node.name in computed]
    last = {source: node.name for node in steps for source in node.inputs}
    retained = tuple(node.name for node in steps if node.name in loss or node.name in targets.values)
    forward = tuple(
        ForwardStep(
            node,
            node.name in saved,
            tuple(
                name
                for name in dict.fromkeys(node.inputs)
                if last[name] == node.name and name not in retained
            ),
        )
        for node in steps
    )
    return Program(
        targets,
        forward,
        backward,
        retained,
        tuple(name for name in network.parameters if name in targets.params),
        tuple(name for name in network.inputs if name in targets.data),
        tuple(name for name in network.nodes if name in targets.values),
        tuple(name for name in network.nodes if name in targets.deltas),
        tuple(name for name in network.noise if name in last),
        learned,
        needed,
    )
