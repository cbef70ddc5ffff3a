"""A served network as other frameworks need to know it before their first call: names and shapes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from deltawire.client import Client
from deltawire.errors import Fault, Refused
from deltawire.network import Network
from deltawire.published import Published
from deltawire.request_builder import Spec, inputs_of, resolve_published


@dataclass(frozen=True)
class ServedNetwork:
    """A network at a service.

    Attributes:
        client: Calls the service.
        network: Goes with every call in a spec's place.
        inputs: Names in the order of the spec.
        outputs: Nodes whose values are returned.
        shapes: Of one example, by node.
        shared: The inputs without a batch axis.
    """

    client: Client
    network: Mapping[str, Any]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    shapes: Mapping[str, tuple[int, ...]]
    shared: frozenset[str]

    def __deepcopy__(self, memo: object) -> Self:
        return self  # nothing here changes: a copy of a model may ask the same service


@contextmanager
def without_options() -> Iterator[None]:
    """Take the options of the client out of the errors inside: a function of a framework has none."""
    try:
        yield
    except Refused as refused:
        raise refused.with_mends({"non_finite": ""}) from refused.__cause__


def serve_network(network: Spec, outputs: Iterable[str], client: Client | None) -> ServedNetwork:
    """Have the service plan a network, and return what it says.

    Args:
        network: A network, a spec, or a published network.
        outputs: Nodes whose values are returned; by default the last node of the spec.
        client: Of the service; by default one in this process.

    Raises:
        Refused: The network is wrong, or has no such node.
    """
    client = client or Client()
    resolved = resolve_published(network, client.published)
    shapes = {node["name"]: tuple(node["shape"]) for node in client.plan(resolved)["nodes"]}
    described = resolved.description["network"] if isinstance(resolved, Published) else resolved
    spec = Network.from_spec(described).spec()
    chosen = tuple(outputs) or (spec["nodes"][-1]["name"],)
    if unknown := [name for name in chosen if name not in shapes]:
        detail = f"no node is named '{unknown[0]}'; known: {', '.join(shapes)}"
        raise Refused([Fault("/outputs", "unknown_name", detail)])
    inputs = inputs_of(spec)
    shared = frozenset(name for name, entry in inputs.items() if entry.get("shared"))
    sent = resolved if isinstance(resolved, Published) else spec
    return ServedNetwork(client, sent, tuple(inputs), chosen, shapes, shared)
