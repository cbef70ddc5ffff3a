"""The parameters of a network: which node or input owns each, and which nodes share them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from deltawire.errors import Fault
from deltawire_layers import Initializer, Parameter, initializers
from deltawire_plugins.shown import shown
from deltawire_service.faults import Faults, nearest

Entry = Mapping[str, Any]  # a node or an input of the spec, as read

INITIALIZERS: Mapping[str, Callable[[float], Initializer]] = {
    "normal": initializers.Normal,
    "uniform": initializers.Uniform,
    "constant": initializers.Constant,
}
"""How the first numbers of a learned input are drawn, by the key of its `parameter`."""


class NodeParameters(NamedTuple):
    """The parameters of a node, as the network has them."""

    names: dict[str, str]
    """The network's name of each of the layer's parameters."""
    transposed: frozenset[str]
    """The layer's parameters that are matrices of another node, transposed."""

    def own(self, node: str) -> list[str]:
        """Return the layer's parameters that no other node owns."""
        return [local for local, name in self.names.items() if name == f"{node}.{local}"]


def node_parameters(entry: Entry, parameters: Mapping[str, Parameter]) -> NodeParameters:
    """Return the names of a node's parameters.

    A tied node has those of the node that it is tied to. With `transpose` only its matrices are tied, and all
    others are its own: an autoencoder's decoder has the encoder's weight, and a bias of another size.

    Args:
        entry: the node.
        parameters: what its layer declares.
    """
    name, transpose = entry["name"], entry["transpose"]
    owner = entry.get("tied_to", name)
    matrices = frozenset(local for local, each in parameters.items() if len(each.shape) == 2)
    names = {
        local: f"{owner if local in matrices or not transpose else name}.{local}" for local in parameters
    }
    return NodeParameters(names, matrices if transpose else frozenset())


def learned_inputs(inputs: Mapping[str, Entry]) -> dict[str, Parameter]:
    """Return the parameters that inputs are, by the names of the inputs."""
    learned = {}
    for name, entry in inputs.items():
        for key, size in entry.get("parameter", {}).items():
            learned[name] = Parameter(tuple(entry["shape"]), INITIALIZERS[key](size))
    return learned


def parameter_table(
    entries: list[dict[str, Any]],
    owned: Mapping[str, Mapping[str, Parameter]],
    learned: Mapping[str, Parameter],
) -> dict[str, Parameter]:
    """Return every parameter of a network by name.

    Args:
        entries: the nodes.
        owned: what the layer of each node declares.
        learned: the inputs that are parameters.
    """
    table = dict(learned)
    for entry in entries:
        name = entry["name"]
        own = node_parameters(entry, owned[name]).own(name)
        table.update({f"{name}.{local}": owned[name][local] for local in own})
    return table


def tie_faults(
    entries: list[dict[str, Any]],
    owned: Mapping[str, Mapping[str, Parameter]],
    inputs: Collection[str],
) -> Faults:
    """Return a fault for each node that is tied to one that does not have its parameters.

    Args:
        entries: the nodes.
        owned: what the layer of each node declares; nothing of nodes that are wrong in another way.
        inputs: the names of the inputs.
    """
    faults = Faults()
    tied = {entry["name"]: entry["tied_to"] for entry in entries if "tied_to" in entry}
    wrong = {entry["name"] for entry in entries} - owned.keys()
    for place, entry in enumerate(entries):
        name = entry["name"]
        if name not in tied or wrong & {name, tied[name]}:
            continue
        if tied[name] in inputs:
            details = [f": '{tied[name]}' is an input; tie to a node, whose parameters are shared"]
        else:
            details = _misfits(entry, tied, owned)
        faults += [
            Fault(f"/nodes/{place}/tied_to", "tie_invalid", f"node '{name}'{detail}") for detail in details
        ]
    return faults


def _misfits(
    entry: Entry, tied: Mapping[str, str], owned: Mapping[str, Mapping[str, Parameter]]
) -> list[str]:
    """Return why a node cannot be tied as it says; nothing where it can."""
    name, to, mine = entry["name"], entry["tied_to"], owned[entry["name"]]
    if to not in owned:
        return [f": no node is named {shown(to)}{nearest(to, set(owned) - {name})}"]
    if to in tied:
        return [f": '{to}' is tied itself; tie to the node that owns the parameters"]
    if not mine:
        return [f" ({entry['kind']}) has no parameters to tie"]
    matrices = {local: each for local, each in mine.items() if len(each.shape) == 2}
    turned = {local: owned[to][local].shape[::-1] if local in owned[to] else () for local in matrices}
    turned_fits = all(matrices[local].shape == shape for local, shape in turned.items())
    if not entry["transpose"]:
        fits, theirs, what = _shapes(mine) == _shapes(owned[to]), _shapes(owned[to]), "parameters"
        mend = "; its matrices fit with transpose: true" if matrices and turned_fits else ""
    else:
        if not matrices:
            return [f" ({entry['kind']}) has no matrix to transpose"]
        theirs = _shapes({local: each for local, each in owned[to].items() if len(each.shape) == 2})
        fits, mine, what, mend = turned_fits, matrices, "transposed matrices", ""
    return [] if fits else [f": expected the {what} of '{to}', {theirs}, got {_shapes(mine)}{mend}"]


def _shapes(parameters: Mapping[str, Parameter]) -> str:
    return ", ".join(f"{name} {list(parameter.shape)}" for name, parameter in parameters.items()) or "none"
