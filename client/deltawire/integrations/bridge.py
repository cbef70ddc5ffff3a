"""What a bridge to another framework knows of a served network before its first call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from deltawire.client import Client
from deltawire.documents import Spec, known
from deltawire.errors import Fault, Refused
from deltawire.network import Network
from deltawire.published import Published


@dataclass(frozen=True)
class Served:
    """A network at a service.

    request: what goes along with every call in a spec's place. inputs: names in the order of the spec.
    outputs: nodes whose values are wanted. shapes: of one example, by node. shared: the inputs without a
    batch axis.
    """

    client: Client
    request: Mapping[str, Any]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    shapes: Mapping[str, tuple[int, ...]]
    shared: frozenset[str]

    def __deepcopy__(self, memo: object) -> Self:
        return self  # a copy of a model asks the same service: nothing here changes


def served(network: Spec, outputs: Iterable[str], client: Client | None) -> Served:
    """The network as the service plans it; outputs: by default the last node of the spec.

    Raises Refused when the network is none, or has no such node.
    """
    asked = client or Client()
    found = known(network, asked.published)
    shapes = {node["name"]: tuple(node["shape"]) for node in asked.plan(found)["nodes"]}
    spec = Network.from_spec(found.shown["network"] if isinstance(found, Published) else found).spec()
    wanted = tuple(outputs) or (spec["nodes"][-1]["name"],)
    if unknown := [name for name in wanted if name not in shapes]:
        detail = f"no node is named '{unknown[0]}'; known: {', '.join(shapes)}"
        raise Refused([Fault("/outputs", "unknown_name", detail)])
    shared = frozenset(name for name, slot in spec["inputs"].items() if slot.get("shared"))
    request = found if isinstance(found, Published) else spec
    return Served(asked, request, tuple(spec["inputs"]), wanted, shapes, shared)
