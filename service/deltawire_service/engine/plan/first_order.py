"""Layers of `orders` 1 in requests: which of them a direction reaches, and their refusal by name."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from deltawire.errors import Fault, Refused
from deltawire_service.engine.graph import Graph, Node


def first_reached(network: Graph, moved: Collection[str], outputs: Iterable[str]) -> Node | None:
    """Return the first layer of `orders` 1 that a direction reaches on the way to outputs; None if none.

    Args:
        network: the network.
        moved: the parameters and inputs that move.
        outputs: the nodes whose derivative is asked for.
    """
    if all(node.layer.orders > 1 for node in network.nodes.values()):
        return None
    leading, reached = network.upstream(outputs), set(moved)
    for node in network.nodes.values():
        if reached.intersection(node.inputs) or reached.intersection(node.parameters.values()):
            reached.add(node.name)
            if node.layer.orders == 1 and node.name in leading:
                return node
    return None


def check_orders(network: Graph, moved: Collection[str], outputs: Iterable[str], problem: str) -> None:
    """Check that no layer of `orders` 1 is on the way from moved arrays to outputs.

    Args:
        network: the network.
        moved: the parameters and inputs that move.
        outputs: the nodes whose derivative is asked for.
        problem: what cannot go through the layer, and the mend, as the end of a sentence.

    Raises:
        Refused: there is one; it is named.
    """
    node = first_reached(network, moved, outputs)
    if node is not None:
        raise Refused([first_order_only(node, problem)])


def first_order_only(node: Node, problem: str, pointer: str | None = None) -> Fault:
    """Return the fault of a derivative that a layer of `orders` 1 does not have.

    Args:
        node: its node.
        problem: what cannot go through it, and the mend, as the end of a sentence.
        pointer: the place in the request; by default, the node.
    """
    place = f"/network/nodes/{node.place}" if pointer is None else pointer
    detail = f"node '{node.name}' ({node.kind}) has first derivatives only: {problem}"
    return Fault(place, "first_order_only", detail)
