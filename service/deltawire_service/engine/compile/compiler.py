"""From a spec to a network: find the layers, order the graph, infer shapes and parameters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from heapq import heapify, heappop, heappush
from itertools import product
from math import prod
from operator import attrgetter
from typing import Any

from marshmallow import ValidationError

from deltawire.errors import Fault, Refused
from deltawire_layers import (
    CONFIG_KEYS,
    Arity,
    Integers,
    Layer,
    LayerError,
    Parameter,
    Registry,
    check_deadline,
)
from deltawire_plugins.shown import shown
from deltawire_service.engine.compile import declarations
from deltawire_service.engine.compile.noise import noise_inputs
from deltawire_service.engine.compile.parameters import (
    learned_inputs,
    node_parameters,
    parameter_table,
    tie_faults,
)
from deltawire_service.engine.compile.sent_inputs import sent_inputs
from deltawire_service.engine.compile.spec import read_spec
from deltawire_service.engine.execute.layer_calls import call
from deltawire_service.engine.execute.threads import Threads
from deltawire_service.engine.graph import InputSpec, Node, Regularization
from deltawire_service.engine.limits import Limits
from deltawire_service.engine.network import Network
from deltawire_service.engine.plan import input_checks
from deltawire_service.engine.plan.globs import match_globs
from deltawire_service.faults import Faults, nearest, schema_faults, unknown_kind

Entry = dict[str, Any]  # one node of the spec, as read


def compile_network(
    spec: Any,
    layers: Registry,
    limits: Limits = Limits(),  # noqa: B008 (immutable)
    threads: Threads | None = None,
) -> Network:
    """Compile a network.

    Args:
        spec: the JSON of the network, as parsed.
        layers: the layers that its nodes may have, by kind.
        limits: bounds on the network and on its requests.
        threads: the threads that compute; by default, its caller's alone.

    Raises:
        Refused: the spec is wrong; pointers are relative to it (`/nodes/2/inputs/0`).
        PluginError: a layer fails where it must not.
    """
    read = read_spec(spec, limits)
    entries: list[Entry] = read["nodes"]
    made = _layers(entries, layers)
    _wire(read, made)
    order = _order(entries)
    network = _infer(read, made, order, limits, threads or Threads())
    input_checks.check_smallest(network)
    return network


def _layers(entries: list[Entry], layers: Registry) -> list[Layer]:
    """Make the layer of every node."""
    made, faults = list[Layer](), Faults()
    for place, entry in enumerate(entries):
        check_deadline()
        kind = entry["kind"]
        if kind not in layers:
            faults.append(Fault(f"/nodes/{place}/kind", "unknown_kind", unknown_kind(kind, layers)))
            continue
        try:
            made.append(declarations.make(entry["name"], kind, layers[kind], entry["config"]))
        except ValidationError as error:
            faults += _config_faults(entry, place, layers[kind], error)
    faults.refuse()
    return made


def _config_faults(entry: Entry, place: int, layer: type[Layer], error: ValidationError) -> Iterable[Fault]:
    """Return the faults that a layer finds in a config; the messages are its own."""
    name, kind = entry["name"], entry["kind"]

    def read() -> list[Fault]:
        return [
            Fault(fault.pointer, "config_invalid", f"node '{name}' ({kind}): {fault.detail}")
            for fault in schema_faults(error, layer.Config(), f"/nodes/{place}/config", CONFIG_KEYS)
        ]

    return call(name, kind, "say what is wrong with its config", read)


def _wire(read: dict[str, Any], made: list[Layer]) -> None:
    """Fill in the inputs that nodes leave out, and check that all names and numbers of inputs are right."""
    faults = Faults()
    entries: list[Entry] = read["nodes"]
    known = {*read["inputs"], *(entry["name"] for entry in entries)}
    for place, (entry, layer) in enumerate(zip(entries, made, strict=True)):
        arity = declarations.input_arity(entry["name"], entry["kind"], layer)
        if "inputs" not in entry:
            before = [entries[place - 1]["name"]] if place else list(read["inputs"])
            takes_one = len(arity.names) == 1 and (layer.takes_one or not arity.variadic)
            if not takes_one or len(before) != 1:
                others = nearest("", known - {entry["name"]})
                detail = f"node '{entry['name']}' ({entry['kind']}) takes {arity}: name its inputs{others}"
                faults.append(Fault(f"/nodes/{place}/inputs", "arity_mismatch", detail))
                continue
            entry["inputs"] = before
        for position, name in enumerate(entry["inputs"]):
            if name not in known:
                hint = nearest(name, known - {entry["name"]})
                detail = f"node '{entry['name']}': no input or node is named {shown(name)}{hint}"
                faults.append(Fault(f"/nodes/{place}/inputs/{position}", "unknown_input", detail))
        if not arity.accepts(len(entry["inputs"])):
            detail = f"node '{entry['name']}' ({entry['kind']}): expected {arity}, got {len(entry['inputs'])}"
            faults.append(Fault(f"/nodes/{place}/inputs", "arity_mismatch", detail))
    faults.refuse()


def _order(entries: list[Entry]) -> list[int]:
    """Return the places of the nodes in an order of computation, as near to the spec's as possible."""
    place_of = {entry["name"]: place for place, entry in enumerate(entries)}
    sources = [{place_of[name] for name in entry["inputs"] if name in place_of} for entry in entries]
    consumers: list[list[int]] = [[] for _ in entries]
    for place, before in enumerate(sources):
        for source in before:
            consumers[source].append(place)
    waiting = [len(before) for before in sources]
    ready = [place for place, count in enumerate(waiting) if not count]
    heapify(ready)
    order = []
    while ready:
        place = heappop(ready)
        order.append(place)
        for consumer in consumers[place]:
            waiting[consumer] -= 1
            if not waiting[consumer]:
                heappush(ready, consumer)
    if len(order) < len(entries):
        cycle = _cycle(sources, next(place for place, count in enumerate(waiting) if count), set(order))
        around = [entries[place]["name"] for place in cycle]
        names = " → ".join(around if len(around) <= 12 else [*around[:6], "…", *around[-5:]])
        detail = f"the graph has a cycle: {names}; a network has none"
        raise Refused([Fault(f"/nodes/{cycle[-1]}/inputs", "graph_cycle", detail)])
    return order


def _cycle(sources: list[set[int]], start: int, done: set[int]) -> list[int]:
    """Return one cycle of the graph in the direction of the data, its first place repeated at the end."""
    path, seen = [start], {start: 0}
    while True:
        place = min(sources[path[-1]] - done)  # what waits, waits for something that waits too
        if place in seen:
            return [place, *reversed(path[seen[place] :])]
        seen[place] = len(path)
        path.append(place)


def _infer(
    read: dict[str, Any], made: list[Layer], order: list[int], limits: Limits, threads: Threads
) -> Network:
    """Infer shapes, parameters and ranges of labels node by node; then check what spans the whole network."""
    entries: list[Entry] = read["nodes"]
    input_specs = sent_inputs(read["inputs"])
    shapes = {name: tuple(input_spec["shape"]) for name, input_spec in read["inputs"].items()}
    learned = learned_inputs(read["inputs"])
    owned: dict[str, Mapping[str, Parameter]] = {}
    nodes: dict[str, Node] = {}
    faults = Faults()
    numbers = 0  # a lower bound of the peak of one example: values are held until deltas have reached them
    for place in order:
        check_deadline()
        entry, layer = entries[place], made[place]
        if any(source not in shapes for source in entry["inputs"]):
            continue  # after a node that is wrong already
        name, kind = entry["name"], entry["kind"]
        given = tuple(shapes[source] for source in entry["inputs"])
        try:
            shape, owned[name], integers, saved, work = declarations.declare(name, kind, layer, given)
        except LayerError as error:
            faults.append(_misfit(entry, place, error, declarations.input_arity(name, kind, layer)))
            continue
        if len(shape) >= limits.rank:
            most = f"at most {limits.rank} are allowed{limits.setting('rank')}"
            detail = f"node '{name}': {len(shape)} axes and the batch, {most}"
            faults.append(Fault(f"/nodes/{place}", "shape_too_large", detail))
        faults += _integers(entry, place, integers, input_specs)
        _bound(entry, layer, input_specs)
        parameters = node_parameters(entry, owned[name])
        own = parameters.own(name)
        numbers += prod(shape) + saved + sum(prod(owned[name][local].shape) for local in own)
        if not faults:  # at once, for hundreds of nodes may follow, each twice as large as the one before
            input_checks.check_numbers(limits, name, numbers)
        shapes[name] = shape
        nodes[name] = Node(
            name, kind, place, layer, tuple(entry["inputs"]), given, shape,
            parameters.names, saved, parameters.transposed, work,
        )  # fmt: skip
    # A tie that does not fit is first: it explains shapes that do not fit after it.
    Faults([*tie_faults(entries, owned, read["inputs"]), *faults]).refuse()
    table = parameter_table(entries, owned, learned)
    loss = _loss(read, nodes)
    regularization = _regularization(read, table)
    canonical = _canonical(read, entries, made, loss, regularization)
    text = json.dumps(canonical, sort_keys=True, separators=(",", ":"))
    identity = hashlib.sha256(text.encode()).hexdigest()
    return Network(
        canonical,
        input_specs,
        nodes,
        table,
        loss,
        regularization,
        limits,
        identity,
        tuple(learned),
        noise_inputs(read["inputs"]),
        threads=threads,
    )


def _misfit(entry: Entry, place: int, error: LayerError, arity: Arity) -> Fault:
    """Return the fault of a layer that refuses the shapes of its inputs.

    Args:
        entry: the node.
        place: its place in the spec.
        error: the refusal.
        arity: the inputs that the layer takes.
    """
    one = at = ""
    if error.input is not None:
        one, source = f"/{error.input}", entry["inputs"][error.input]
        # A node that feeds several inputs, as in self-attention, does not say which of them is meant.
        repeated = entry["inputs"].count(source) > 1 and error.input < len(arity.every)
        optional = len(arity.names) <= error.input < len(arity.every)
        at = f" input '{source}'" + (f" as {arity.every[error.input]}" if repeated or optional else "")
    detail = f"node '{entry['name']}' ({entry['kind']}){at}: {error}"
    return Fault(f"/nodes/{place}/inputs{one}", "shape_mismatch", detail)


def _integers(
    entry: Entry, place: int, integers: Mapping[int, Integers], input_specs: dict[str, InputSpec]
) -> Iterable[Fault]:
    """Check that integers go where a layer takes them, and narrow each input's ranges to what it allows."""
    for position, name in enumerate(entry["inputs"]):
        integer = name in input_specs and input_specs[name].dtype == "int64"
        if integer != (position in integers):
            expected, came = ("integers", "floats") if position in integers else ("floats", "integers")
            hint = "; declare an input with dtype 'int64' for it" if position in integers else ""
            detail = (
                f"node '{entry['name']}' ({entry['kind']}) takes {expected} here, '{name}' has {came}{hint}"
            )
            yield Fault(f"/nodes/{place}/inputs/{position}", "dtype_mismatch", detail)
        elif integer:
            allowed, before = integers[position], input_specs[name].ranges
            ranges = allowed if isinstance(allowed, tuple) else (allowed,)
            input_specs[name] = replace(input_specs[name], ranges=_overlaps(before, ranges))


def _overlaps(before: tuple[range, ...] | None, ranges: tuple[range, ...]) -> tuple[range, ...]:
    """Return the integers of ranges that were allowed before too, the least first; before: None for all."""
    if before is not None:
        pairs = product(before, ranges)
        ranges = tuple(range(max(a.start, b.start), min(a.stop, b.stop)) for a, b in pairs)
    return tuple(sorted(filter(None, ranges), key=attrgetter("start")))


def _bound(entry: Entry, layer: Layer, input_specs: dict[str, InputSpec]) -> None:
    """Narrow the bounds of each input of floats to what a layer allows."""
    for position, (least, most) in layer.bounds.items():
        name = entry["inputs"][position] if position < len(entry["inputs"]) else None
        if name in input_specs and input_specs[name].dtype == "float":
            low, high = input_specs[name].bounds or (least, most)
            input_specs[name] = replace(input_specs[name], bounds=(max(low, least), min(high, most)))


def _loss(read: dict[str, Any], nodes: Mapping[str, Node]) -> dict[str, float]:
    """Return the loss nodes and their weights; by default, the last node if it is one number per example."""
    if "loss" not in read:
        last = nodes[read["nodes"][-1]["name"]]
        return {last.name: 1.0} if last.shape == () else {}
    faults = Faults()
    for name in read["loss"]:
        if name not in nodes:
            detail = f"no node is named {shown(name)}{nearest(name, nodes)}"
            faults.append(Fault("/loss", "unknown_name", detail))
        elif nodes[name].shape != ():
            shape = list(nodes[name].shape)
            detail = f"a loss is one number per example, shape []; node '{name}' has shape {shape}"
            faults.append(Fault("/loss", "loss_invalid", detail))
    faults.refuse()
    loss: dict[str, float] = read["loss"]
    return loss


def _regularization(read: dict[str, Any], parameters: Mapping[str, Parameter]) -> Regularization:
    if "regularization" not in read:
        return Regularization()
    entry = read["regularization"]
    faults = Faults()
    globs = entry.get("parameters", ["*.weight"])
    matched, unmatched = match_globs(globs, parameters)
    for place in unmatched if "parameters" in entry else ():  # the default need not match anything
        detail = f"no parameter matches {shown(globs[place])}{nearest(globs[place], parameters)}"
        faults.append(Fault(f"/regularization/parameters/{place}", "unknown_name", detail))
    faults.refuse()
    return Regularization(entry["l2"], tuple(name for name in parameters if name in matched))


def _canonical(
    read: dict[str, Any],
    entries: list[Entry],
    made: list[Layer],
    loss: Mapping[str, float],
    regularization: Regularization,
) -> dict[str, Any]:
    """Return the spec with every default written out, so that equal networks have equal specs."""
    nodes = []
    for entry, layer in zip(entries, made, strict=True):
        node: dict[str, Any] = {
            key: entry[key] for key in ("name", "kind", "inputs", "tied_to") if key in entry
        }
        if entry["transpose"]:
            node["transpose"] = True
        nodes.append(node | {"config": declarations.dump_config(entry["name"], entry["kind"], layer)})
    canonical = {"version": read["version"], "inputs": read["inputs"], "nodes": nodes}
    if loss:
        canonical["loss"] = dict(loss)
    if regularization.l2:
        canonical["regularization"] = {"l2": regularization.l2, "parameters": list(regularization.parameters)}
    return canonical
