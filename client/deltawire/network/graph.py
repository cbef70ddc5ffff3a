"""The graph of a spec: which places lead to which, with the inputs that nodes leave out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from deltawire.errors import Fault, Refused
from deltawire.network.inputs import sent


def sources_of(spec: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the places that lead to each input and node, in an order of computation.

    Args:
        spec: Of a network, with a name for every node.

    Raises:
        Refused: A node takes something that does not exist, or the nodes form a circle.
    """
    sources: dict[str, list[str]] = {name: [] for name in spec["inputs"]}
    for place, node in enumerate(spec["nodes"]):
        before = [spec["nodes"][place - 1]["name"]] if place else list(spec["inputs"])
        sources[node["name"]] = list(node.get("inputs", before))
    for place, node in enumerate(spec["nodes"]):
        for position, name in enumerate(sources[node["name"]]):
            if name not in sources:
                detail = f"node '{node['name']}': no input or node is named '{name}'"
                raise Refused([Fault(f"/nodes/{place}/inputs/{position}", "unknown_input", detail)])
    try:
        order = list(TopologicalSorter(sources).static_order())
    except CycleError as error:
        detail = f"the graph has a cycle: {' → '.join(error.args[1])}; a network has none"
        raise Refused([Fault("/nodes", "graph_cycle", detail)]) from None
    return {name: sources[name] for name in order}


def outputs_of(spec: Mapping[str, Any], data: Collection[str]) -> list[str]:
    """Return the nodes that no other takes, in the order of the spec, as far as the data lead.

    Without its labels a loss is not computed, and the scores that it takes are an output.

    Args:
        spec: Of a network, with a name for every node.
        data: The names of the inputs that data is sent for.

    Raises:
        Refused: As by `sources_of`.
    """
    inputs, reached, taken = spec["inputs"], set[str](), set[str]()
    for name, sources in sources_of(spec).items():
        if name in inputs:
            known = name in data or not sent(inputs[name])
        else:
            known = reached.issuperset(sources)
        if known:
            reached.add(name)
            taken.update(sources)
    return [node["name"] for node in spec["nodes"] if node["name"] in reached - taken]


def upstream(spec: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the part of a spec that leads to one place, without a loss.

    Args:
        spec: Of a network, with a name for every node.
        name: Of an input or a node.

    Raises:
        Refused: As by `sources_of`.
    """
    sources = sources_of(spec)
    leading, before = {name}, 0
    while len(leading) > before:
        before = len(leading)
        for each in reversed(sources):
            if each in leading:
                leading.update(sources[each])
        # A tied node needs the one that owns its parameters, and all that leads to that.
        leading |= {
            node["tied_to"] for node in spec["nodes"] if node["name"] in leading and "tied_to" in node
        }
    return {
        "version": 1,
        "inputs": {each: entry for each, entry in spec["inputs"].items() if each in leading},
        "nodes": [
            node | {"inputs": sources[node["name"]]} for node in spec["nodes"] if node["name"] in leading
        ],
    }
