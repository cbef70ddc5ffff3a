"""The targets of a request: the names it asks for, looked up, their globs resolved."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from deltawire.errors import Fault
from deltawire_plugins.shown import shown
from deltawire_service.engine.graph import Graph
from deltawire_service.engine.plan.globs import match_globs
from deltawire_service.faults import Faults, nearest

Which = bool | Iterable[str]
"""All of them, none, or some: globs of parameters, names of inputs."""


class Wrt(NamedTuple):
    """The arrays to differentiate with respect to."""

    params: Which = True
    """Globs of parameters."""
    data: Which = False
    """Names of inputs."""


class Targets(NamedTuple):
    """The names whose arrays a request asks for."""

    params: frozenset[str] = frozenset()
    """Parameters whose gradients are asked for."""
    data: frozenset[str] = frozenset()
    """Inputs whose deltas are asked for."""
    values: frozenset[str] = frozenset()
    """Nodes whose values are asked for."""
    deltas: frozenset[str] = frozenset()
    """Nodes whose deltas are asked for."""
    loss: bool = True
    """Whether the loss is computed: for everything but `values` alone."""
    trace: bool = False
    """Whether deltas are sent down every edge, so that a trace shows them all."""


def gradient_targets(
    network: Graph,
    wrt_params: Which,
    wrt_data: Which,
    values: Iterable[str] = (),
    deltas: Iterable[str] = (),
    trace: bool = False,
) -> Targets:
    """Return the targets of a request for gradients.

    Args:
        network: the network the names are looked up in.
        wrt_params: all parameters, none, or globs of their names.
        wrt_data: all inputs of floats, none, or names.
        values: nodes whose values are asked for.
        deltas: nodes whose deltas are asked for.
        trace: whether every array of both passes is asked for.

    Raises:
        Refused: a name is unknown or not differentiable, or the network has no loss.
    """
    faults = _loss_missing(network)

    if isinstance(wrt_params, bool):
        params = frozenset(network.parameters if wrt_params else ())
    else:
        globs = list(wrt_params)
        params, unmatched = match_globs(globs, network.parameters)
        for place in unmatched:
            detail = f"no parameter matches {shown(globs[place])}{nearest(globs[place], network.parameters)}"
            faults.append(Fault(f"/wrt/params/{place}", "unknown_name", detail))

    floats = network.float_inputs
    data = list(floats if wrt_data else ()) if isinstance(wrt_data, bool) else list(wrt_data)
    for place, name in enumerate(data):
        if name in network.noise:
            detail = f"input '{name}' is noise: it has no gradient"
            faults.append(Fault(f"/wrt/data/{place}", "not_differentiable", detail))
        elif name not in network.inputs:
            detail = f"no input is named {shown(name)}{nearest(name, floats)}"
            faults.append(Fault(f"/wrt/data/{place}", "unknown_name", detail))
        elif name not in floats:
            detail = f"input '{name}' holds integers: it has no gradient"
            faults.append(Fault(f"/wrt/data/{place}", "not_differentiable", detail))

    value_names, unknown_values = _nodes(network, "values", values)
    delta_names, unknown_deltas = _nodes(network, "deltas", deltas)
    faults += [*unknown_values, *unknown_deltas]
    faults.refuse()
    return Targets(params, frozenset(data), value_names, delta_names, trace=trace)


def value_targets(network: Graph, values: Iterable[str], option: str = "values") -> Targets:
    """Return the targets of a request for the values of some nodes and nothing else.

    Args:
        network: the network the names are looked up in.
        values: nodes, at least one.
        option: the request's option that holds the names, for the pointers of faults.

    Raises:
        Refused: a name is unknown, or there is none.
    """
    names, faults = _nodes(network, option, values)
    if not names:
        detail = f"name at least one node whose value is wanted{nearest('', network.nodes)}"
        faults.append(Fault(f"/{option}", "field_invalid", detail))
    faults.refuse()
    return Targets(values=names, loss=False)


def loss_targets(network: Graph) -> Targets:
    """Return the targets of a request for the loss alone. Raises Refused when the network has none."""
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
    """Look up the nodes that an option names; return them with the faults of those that do not exist."""
    names = list(names)
    faults = Faults()
    for place, name in enumerate(names):
        if name not in network.nodes:
            detail = f"no node is named {shown(name)}{_what_is(network, name)}"
            faults.append(Fault(f"/{option}/{place}", "unknown_name", detail))
    return frozenset(names), faults


def _what_is(network: Graph, name: str) -> str:
    """Return the end of a message about a name that is no node's."""
    if name in network.inputs:
        return f"; '{name}' is an input, whose numbers are in the data"
    if name in network.noise:
        return f"; '{name}' is an input, whose numbers are drawn"
    if name in network.parameters:
        return f"; '{name}' is a parameter, whose numbers are in the params"
    return nearest(name, network.nodes)
