"""Read specs: as plain JSON values, in which every node has a name."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from difflib import get_close_matches
from itertools import count
from typing import Any

from deltawire.arrays import plain_json
from deltawire.errors import Fault, Refused, wrong_argument


def read_spec(spec: Any) -> dict[str, Any]:
    """Return a copy of a spec. Nodes without a name get the one the service would give.

    Kinds, configs and shapes are not checked: the service knows which there are.

    Raises:
        Refused: The spec is malformed, or two inputs or nodes have the same name.
    """
    copy: dict[str, Any] = plain_json(spec, "")
    _require(isinstance(copy, dict), "", "a spec as a dict", copy)
    inputs: Any = copy.get("inputs")
    nodes: Any = copy.get("nodes")
    _require(isinstance(inputs, dict), "/inputs", "a dict of inputs by name", inputs)
    for name, entry in inputs.items():
        _require(isinstance(entry, dict), f"/inputs/{name}", "a dict", entry)
    _require(isinstance(nodes, list), "/nodes", "a list of dicts", nodes)
    for place, node in enumerate(nodes):
        _check_node(node, f"/nodes/{place}")
    _name_nodes(inputs, nodes)
    return copy


def running_name(kind: str, taken: Container[str]) -> str:
    """Return the name of a node that has none: its kind, and the first number that is free."""
    return next(name for number in count(1) if (name := f"{kind}{number}") not in taken)


def duplicate_name(name: str, pointer: str) -> Refused:
    """Return the refusal of a name that an input or a node has already."""
    detail = f"'{name}' is already the name of an input or a node"
    mend = "a notebook's cell that runs again begins with net = Network()"
    return Refused([Fault(pointer, "duplicate_name", detail, mend)])


def unknown_place(name: object, taken: Iterable[str]) -> KeyError:
    """Return the error about a name that no input or node has, with the most similar one."""
    known = sorted(taken)
    close = get_close_matches(str(name), known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known) or 'none'}"
    return KeyError(f"no input or node is named {name!r}: {hint}")


def _check_node(node: Any, pointer: str) -> None:
    _require(isinstance(node, Mapping), pointer, "a dict", node)
    kind, name, inputs = node.get("kind"), node.get("name", ""), node.get("inputs", [])
    _require(isinstance(kind, str), f"{pointer}/kind", "the kind of a layer", kind)
    _require(isinstance(name, str), f"{pointer}/name", "a name", name)
    names = isinstance(inputs, list) and all(isinstance(each, str) for each in inputs)
    _require(names, f"{pointer}/inputs", "a list of names", inputs)


def _name_nodes(inputs: Mapping[str, Any], nodes: list[dict[str, Any]]) -> None:
    """Name the nodes that have no name, in place."""
    named = {node["name"] for node in nodes if "name" in node}
    taken = set(inputs)
    for place, node in enumerate(nodes):
        if "name" not in node:
            node["name"] = running_name(node["kind"], named | taken)
        if node["name"] in taken:
            raise duplicate_name(node["name"], f"/nodes/{place}/name")
        taken.add(node["name"])


def _require(fits: bool, pointer: str, expected: str, got: Any) -> None:
    if not fits:
        raise wrong_argument(pointer, expected, got)
