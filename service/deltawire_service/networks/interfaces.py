"""The interfaces of networks that the service keeps: all that their clients see, but the parameters."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

from deltawire.wire import Array
from deltawire_service.engine import Network


@dataclass(frozen=True, eq=False)
class Interface:
    """A network under a name, with what requests may leave out. It stays while parameters change."""

    name: str
    network: Network
    dtype: str
    values: tuple[str, ...]
    """The nodes whose values are returned to requests that name none."""
    data: Mapping[str, Array]
    """Data for requests that leave it out."""


def ends(network: Network, without: Container[str] = ()) -> list[str]:
    """Return the nodes that no other node takes.

    Args:
        network: the network.
        without: nodes that are left out. What only they take is an end then.
    """
    nodes = {name: node for name, node in network.nodes.items() if name not in without}
    taken = {source for node in nodes.values() for source in node.inputs}
    return [name for name in nodes if name not in taken]


def default_data(interface: Interface, batch: bool) -> dict[str, Array]:
    """Return the pinned data for what a request leaves out.

    Args:
        interface: the network.
        batch: the request brings a batch of its own, to which only shared inputs can be added.
    """
    inputs = interface.network.inputs
    return {name: array for name, array in interface.data.items() if not batch or inputs[name].shared}
