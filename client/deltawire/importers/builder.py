"""Build an imported network: nodes, their names here, and metadata with the foreign names."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from deltawire.errors import Fault, Refused
from deltawire.importers.operands import Shape, Stored, Value
from deltawire.network import Network
from deltawire.wire import Array

LAYOUTS = "; "
"""Separator between the steps of a layout in the metadata, in the order they were applied."""


class Imported(NamedTuple):
    """An imported network: `client.forward(network, params, constants | data, outputs)` computes it."""

    network: Network
    """Its metadata holds the foreign names of parameters (`params/node.weight`) and data (`data/x`)."""
    params: dict[str, Array]
    constants: dict[str, Array]
    """Arrays of its constant inputs, such as the running statistics of a norm, by name."""
    outputs: tuple[str, ...]
    """The nodes whose values the model returns, in its order."""


class SharedParameters(Exception):
    """A node shares parameters with another node, but not all of them in the same layout."""


class Tie(NamedTuple):
    """How a node shares the parameters of another one."""

    node: str
    transpose: bool = False
    """Whether it shares the matrices alone, transposed."""


class Affine(NamedTuple):
    """The function scale · x + shift that an `affine` node computes."""

    x: Value
    scale: float
    shift: float


class Owner(NamedTuple):
    """The place of a parameter: its node, its name there, and the array in that node's layout.

    A learned input is a place too: its name, and "".
    """

    node: str
    local: str
    stored: Stored


class Builder:
    """The network built so far. The `Site` of each operation adds its layers."""

    def __init__(self, source: str, dtype: np.dtype[Any]):
        self.network = Network()
        self.network.metadata["source"] = source
        self.dtype = dtype
        self.params: dict[str, Array] = {}
        self.constants: dict[str, Array] = {}
        self.affine_nodes: dict[str, Affine] = {}
        """What the nodes of constants compute, by name; each takes in what it can of the one before."""
        self.views: dict[str, Value] = {}
        """The values of which nodes are another shape, by the name of the node."""
        self.faults: list[Fault] = []
        self.conflicts: set[object] = set()
        """Identities of arrays that operations use in ways that no single parameter can serve."""
        self._taken = {"params", "data"}
        self._owners: dict[object, Owner] = {}  # by the identity of the array
        self._used_as_constants: set[object] = set()
        self._constants: dict[object, Value] = {}  # by what they were made of

    def free_name(self, wanted: str) -> str:
        """Reserve the free name that is nearest to a foreign one: `encoder.0` becomes `encoder_0`."""
        plain = _plain(wanted)
        name, number = plain, 0
        while name in self._taken:
            number += 1
            name = f"{plain}_{number}"
        self._taken.add(name)
        return name

    def is_taken(self, foreign: str) -> bool:
        """Return True when the name nearest to a foreign one is taken."""
        return _plain(foreign) in self._taken

    def input(self, name: str, shape: Shape, whole: bool) -> Value:
        """Add an input of the model.

        Args:
            name: Its name in the model.
            shape: The shape of one example.
            whole: It holds integers (int64).
        """
        own = self.free_name(name)
        self.network.input(own, shape, "int64" if whole else None)
        self.remember(f"data/{own}", own, name)
        return Value(own, shape, whole)

    def constant(
        self, name: str, array: Array, foreign: str = "", whole: bool = False, source: object = None
    ) -> Value:
        """Add a constant input with its numbers, or return the one that was made of the same source.

        Args:
            name: The wanted name; the nearest free one is taken.
            array: Its numbers, without a batch axis.
            foreign: Its name in the model; "" for none.
            whole: Store integers (int64) for indices; else, the network's dtype.
            source: A key of the stored array; None for numbers that are no array of the model.
        """
        key = source, array.shape, whole
        if source is not None and key in self._constants:
            return self._constants[key]
        own = self.free_name(name)
        self.network.input(own, array.shape, "int64" if whole else None, constant=True)
        self.constants[own] = np.array(array, np.int64 if whole else self.dtype, order="C")
        if foreign:
            self.remember(f"data/{own}", own, foreign)
        self._constants[key] = Value(own, array.shape, whole)
        return self._constants[key]

    def learned(self, stored: Stored) -> Value:
        """Return a parameter as a learned input, the same one for every use.

        Args:
            stored: The parameter, in the layout that it has in the model.

        Raises:
            SharedParameters: A layer learns it already.
        """
        owner = self._owners.get(stored.identity)
        if owner is not None and owner.local:
            raise SharedParameters
        if owner is not None:
            return Value(owner.node, stored.array.shape)
        own, size = self.free_name(stored.name), float(np.std(stored.array)) if stored.array.size else 0.0
        first = {"normal": size} if size else {"constant": float(stored.array.flat[0])}
        self.network.parameter(own, stored.array.shape, **first)
        self.remember(f"params/{own}", own, stored.name)
        self._owners[stored.identity] = Owner(own, "", stored)
        self.params[own] = np.array(stored.array, order="C")
        return Value(own, stored.array.shape)

    def use_as_constant(self, stored: Stored) -> None:
        """Record that an array is used as a constant, which no layer learns."""
        self._used_as_constants.add(stored.identity)

    def remember(self, place: str, own: str, foreign: str) -> None:
        """Record a foreign name in the metadata when it differs from the name here.

        Args:
            place: The key of the metadata, such as `params/node.weight`.
            own: The name here.
            foreign: The name in the model.
        """
        if own != foreign:
            self.network.metadata[place] = foreign

    def learns(self, stored: Stored) -> bool:
        """Return True when a node learns an array, in the layout that it has here."""
        owner = self._owners.get(stored.identity)
        return owner is not None and owner.stored.layout == stored.layout

    def own(self, node: str, params: Mapping[str, Stored]) -> Tie | None:
        """Give a node its parameters; return how to tie it to another node that has them already.

        Raises:
            SharedParameters: Another node has some of them but not all, or in a layout that no tie restores.
        """
        owners = {local: self._owners.get(stored.identity) for local, stored in params.items()}
        apart = len({stored.identity for stored in params.values()}) == len(params)
        tie = None
        if not apart or any(owners.values()):
            tie = (self._same_as(params, owners) or _transposed_from(params, owners)) if apart else None
            if tie is None:
                raise SharedParameters
        for local, stored in params.items():
            self.remember(f"params/{node}.{local}", f"{node}.{local}", stored.name)
            if stored.layout:
                self.network.metadata[f"layout/params/{node}.{local}"] = LAYOUTS.join(stored.layout)
            if owners[local] is None:
                self._owners[stored.identity] = Owner(node, local, stored)
                self.params[f"{node}.{local}"] = np.array(stored.array, order="C")  # optimizers write to it
        return tie

    def _drop_unused_nodes(self, outputs: Collection[str]) -> None:
        """Drop affine nodes and new shapes that nothing takes: later nodes take what they are made of."""
        spec = self.network.spec()
        optional, used, nodes = self.affine_nodes.keys() | self.views.keys(), {*outputs}, []
        for node in reversed(spec["nodes"]):
            if node["name"] in used or node["name"] not in optional:
                used.update(node["inputs"])
                nodes.append(node)
        if len(nodes) < len(spec["nodes"]):
            self.network = Network.from_spec(spec | {"nodes": nodes[::-1]})

    def _same_as(self, params: Mapping[str, Stored], owners: Mapping[str, Owner | None]) -> Tie | None:
        """Return the node that has exactly these parameters, by the same names and in the same layout."""
        nodes = {owner.node if owner else "" for owner in owners.values()}
        alike = all(
            owner is not None
            and owner.local == local
            and owner.stored.layout == params[local].layout
            and owner.stored.array.shape == params[local].array.shape
            for local, owner in owners.items()
        )
        if not alike or len(nodes) != 1:
            return None
        (node,) = nodes
        theirs = {name.partition(".")[2] for name in self.params if name.partition(".")[0] == node}
        return Tie(node) if theirs == params.keys() else None

    def finish(self, outputs: Sequence[Value]) -> Imported:
        """Return the finished network. Raises Refused with all faults collected so far."""
        self.conflicts |= self._used_as_constants & self._owners.keys()
        for identity in self.conflicts & self._owners.keys():
            name = self._owners[identity].stored.name
            detail = f"'{name}' is used in several ways, and no one parameter of a layer serves them all"
            self.faults.append(Fault("", "not_expressible", detail))
        if self.faults:
            raise Refused(self.faults)
        self._drop_unused_nodes({value.name for value in outputs})
        return Imported(self.network, self.params, self.constants, tuple(value.name for value in outputs))


def _transposed_from(params: Mapping[str, Stored], owners: Mapping[str, Owner | None]) -> Tie | None:
    """Return the node that has the matrices among these parameters, transposed, and none of the others."""
    nodes = set()
    for local, stored in params.items():
        owner, matrix = owners[local], stored.array.ndim == 2
        if owner is None and not matrix:
            continue
        if owner is None or not matrix or owner.local != local:
            return None
        if (
            stored.transposed().layout != owner.stored.layout
            or owner.stored.array.shape[::-1] != stored.array.shape
        ):
            return None
        nodes.add(owner.node)
    return Tie(nodes.pop(), transpose=True) if len(nodes) == 1 else None


def _plain(foreign: str) -> str:
    """Replace the characters of a foreign name that a name may not have."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", foreign)[-56:]
    return plain if re.match(r"[A-Za-z_]", plain) else f"_{plain}"
