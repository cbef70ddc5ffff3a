"""What a request asks for: the names in it, looked up and its globs resolved."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import NamedTuple

from deltawire.errors import Fault
from deltawire_service.engine.graph import Graph
from deltawire_service.faults import Faults, nearest, shown


class Targets(NamedTuple):
    """What a request asks for, by name, its globs resolved."""

    params: frozenset[str] = frozenset()
    data: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    deltas: frozenset[str] = frozenset()
    loss: bool = True
    """Whether the loss is computed: everything but `values` needs it."""
    trace: bool = False
    """Whether deltas are sent wherever they can be, and shown on their way."""


def gradient_targets(
    network: Graph,
    wrt_params: bool | Iterable[str],
    wrt_data: bool | Iterable[str],
    values: Iterable[str],
    deltas: Iterable[str],
    trace: bool = False,
) -> Targets:
    """The names a request asks for. Raises Refused where one is unknown or not differentiable."""
    faults = _loss_missing(network)

    if isinstance(wrt_params, bool):
        params = frozenset(network.parameters if wrt_params else ())
    else:
        globs = list(wrt_params)
        params = frozenset(n for n in network.parameters if any(fnmatchcase(n, glob) for glob in globs))
        for place, glob in enumerate(globs):
            if not any(fnmatchcase(name, glob) for name in network.parameters):
                detail = f"no parameter matches {shown(glob)}{nearest(glob, network.parameters)}"
                faults.append(Fault(f"/wrt/params/{place}", "unknown_name", detail))

    floats = [name for name, input_spec in network.inputs.items() if input_spec.dtype == "float"]
    data = list(floats if wrt_data else ()) if isinstance(wrt_data, bool) else list(wrt_data)
    for place, name in enumerate(data):
        if name not in network.inputs:
            detail = f"no input is named {shown(name)}{nearest(name, floats)}"
            faults.append(Fault(f"/wrt/data/{place}", "unknown_name", detail))
        elif name not in floats:
            detail = f"input '{name}' holds integers: it has no gradient"
            faults.append(Fault(f"/wrt/data/{place}", "not_differentiable", detail))

    value_targets, unknown_values = _nodes(network, "values", values)
    wanted_deltas, unknown_deltas = _nodes(network, "deltas", deltas)
    faults += [*unknown_values, *unknown_deltas]
    faults.refuse()
    return Targets(params, frozenset(data), value_targets, wanted_deltas, trace=trace)


def value_targets(network: Graph, values: Iterable[str], option: str = "values") -> Targets:
    """The values of some nodes and nothing else. Raises Refused where a name is unknown or none is given."""
    names, faults = _nodes(network, option, values)
    if not names:
        detail = f"name at least one node whose value is wanted{nearest('', network.nodes)}"
        faults.append(Fault(f"/{option}", "field_invalid", detail))
    faults.refuse()
    return Targets(values=names, loss=False)


def loss_targets(network: Graph) -> Targets:
    """The loss and nothing else. Raises Refused when the network has none."""
    _loss_missing(network).refuse()
    return Targets()


def _loss_missing(network: Graph) -> Faults:
    if network.loss:
        return Faults()
    last = network.spec["nodes"][-1]["name"]
    shape = list(network.nodes[last].shape)
    detail = f"the spec names no loss, and its last node, '{last}', has shape {shape}: a loss has shape []"
    return Faults([Fault("/network/loss", "loss_missing", detail)])


def _nodes(network: Graph, option: str, names: Iterable[str]) -> tuple[frozenset[str], Faults]:
    """Names of nodes asked for by an option, and what is wrong with them."""
    names = list(names)
    faults = Faults()
    for place, name in enumerate(names):
        if name not in network.nodes:
            detail = f"no node is named {shown(name)}{nearest(name, network.nodes)}"
            faults.append(Fault(f"/{option}/{place}", "unknown_name", detail))
    return frozenset(names), faults
