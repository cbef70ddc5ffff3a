"""The steps that answer a request: which equations to call, in which order, what to forget when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from deltawire_service.engine.graph import Graph, Node
from deltawire_service.engine.plan.targets import Targets


class ArrayRole(NamedTuple):
    """What an array is to its node: `value`, `delta`, `gradient` of a parameter by its `name`, what is
    `sent` to the input `name` at a `position`, or the `local` gradient there."""

    what: str
    name: str = ""
    position: int = 0

    def __str__(self) -> str:
        told = {"gradient": "gradient of {}", "sent": "delta sent to '{}'", "local": "derivative by '{}'"}
        return told.get(self.what, self.what).format(self.name)


class ForwardStep(NamedTuple):
    """Compute a node; `kept`: its equations are needed later; `release`: values nobody needs after it."""

    node: Node
    kept: bool
    release: tuple[str, ...]


class BackwardStep(NamedTuple):
    """The equations of a node to call.

    grads: the parameter's name in the layer and in the network. deltas: the input's position and name. Each
    with what it is called where something is wrong with it.
    """

    node: Node
    grads: tuple[tuple[str, str, ArrayRole], ...]
    deltas: tuple[tuple[int, str, ArrayRole], ...]
    local: bool = False
    """Whether the derivatives themselves are shown too."""


class Program(NamedTuple):
    """The steps that answer a request: every equation needed once, none that is not."""

    targets: Targets
    forward: tuple[ForwardStep, ...]
    backward: tuple[BackwardStep, ...]
    retained: tuple[str, ...]
    """The nodes whose values are kept: losses, and values asked for."""
    params: tuple[str, ...]
    data: tuple[str, ...]
    values: tuple[str, ...]
    deltas: tuple[str, ...]
    """What is wanted, in the order of the network."""
    needed: frozenset[str]
    """The nodes and inputs whose deltas lead to something wanted. A trace follows the others where it can."""


def make_program(network: Graph, targets: Targets) -> Program:
    """The steps for these wants. Linear in the size of the graph, without recursion."""
    nodes = list(network.nodes.values())
    loss = network.loss if targets.loss else {}
    leads = upstream(network, loss)
    computed = leads | upstream(network, targets.values)

    # A node carries a signal when something wanted lies at it or before it.
    carries = set(targets.data)
    for node in nodes:
        own = node.name in targets.deltas or not targets.params.isdisjoint(node.parameters.values())
        if own or not carries.isdisjoint(node.inputs):
            carries.add(node.name)
    needed = frozenset(carries)
    if targets.trace:
        carries.update(
            network.nodes,
            (name for name, input_spec in network.inputs.items() if input_spec.dtype == "float"),
        )

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
    kept = {step.node.name for step in backward if step.grads or step.deltas}

    steps = [node for node in nodes if node.name in computed]
    last = {source: node.name for node in steps for source in node.inputs}
    retained = tuple(node.name for node in steps if node.name in loss or node.name in targets.values)
    forward = tuple(
        ForwardStep(
            node,
            node.name in kept,
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
        needed,
    )


def upstream(network: Graph, names: Iterable[str]) -> set[str]:
    """The named nodes, and all nodes and inputs that lead to them."""
    found = set(names)
    for node in reversed(list(network.nodes.values())):
        if node.name in found:
            found.update(node.inputs)
    return found
