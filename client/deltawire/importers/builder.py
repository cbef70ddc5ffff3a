"""Build an imported network: nodes, their names here, and metadata with the foreign names."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from deltawire.errors import Fault, Refused
from deltawire.network import Network
from deltawire.wire import Array

Shape = tuple[int, ...]

BATCHES = 5, 7
"""Sizes of the two batches a foreign model is run with: an axis that changes with them is the batch axis."""

LAYOUTS = "; "
"""Separator between the steps of a layout in the metadata, in the order they were applied."""


class Imported(NamedTuple):
    """An imported network: `client.forward(network, params, constants | data, outputs)` computes it."""

    network: Network
    """Its metadata holds the foreign names of parameters (`params/node.weight`) and data (`data/x`)."""
    params: dict[str, Array]
    constants: dict[str, Array]
    """Arrays of its shared inputs, such as the running statistics of a norm, by name."""
    outputs: tuple[str, ...]
    """The nodes whose values the model returns, in its order."""


@dataclass(frozen=True)
class Value:
    """An input or a node of the network.

    Args:
        name: Its name in the network.
        shape: The shape of one example of its value.
        whole: It holds integers, which layers accept as indices only.
    """

    name: str
    shape: Shape
    whole: bool = False


@dataclass(frozen=True, eq=False)
class Stored:
    """An array that is stored in the model.

    Args:
        name: Its name in the model.
        array: Its numbers.
        identity: A key of the memory, equal for all names of one array.
        trainable: It may become a parameter.
        kept: It must become a parameter, and the same one wherever it is used.
        layout: The steps from the model's layout to this one: "transposed", "axes 2,0,1" or "shape 2,3" (the
            shape before the step).
    """

    name: str
    array: Array
    identity: object
    trainable: bool = False
    kept: bool = False
    layout: tuple[str, ...] = ()

    def transposed(self) -> Stored:
        """Exchange the two axes of a matrix; a second exchange restores the layout."""
        if self.layout[-1:] == ("transposed",):
            return replace(self, array=self.array.T.copy(), layout=self.layout[:-1])
        return replace(self, array=self.array.T.copy(), layout=(*self.layout, "transposed"))

    def permuted(self, order: Sequence[int]) -> Stored:
        """Return the array with its axes in another order."""
        if list(order) == [1, 0]:
            return self.transposed()
        step = "axes " + ",".join(map(str, order))
        return replace(self, array=self.array.transpose(order).copy(), layout=(*self.layout, step))

    def shaped(self, shape: Shape) -> Stored:
        """Return the same numbers in another shape; the layout notes the old shape."""
        if self.array.shape == shape:
            return self
        step = "shape " + ",".join(map(str, self.array.shape))
        return replace(self, array=self.array.reshape(shape), layout=(*self.layout, step))


@dataclass(frozen=True)
class Rows:
    """Rows of a table of parameters that are the same for every example, such as learned positions.

    Args:
        value: The node that looks them up, with a copy for each example.
        shape: Their shape in the model, which has no batch axis there.
        table: The parameter.
    """

    value: Value
    shape: Shape
    table: Stored


@dataclass(frozen=True)
class Unavailable:
    """A result that no layer computes. Only its use is refused, since the other results may suffice."""

    why: str


BY_BATCH = Unavailable("computes with the number of examples, which a network does not know")
REFUSED = Unavailable("")
"""The result of a refused operation; operations that take it are skipped and report no further fault."""


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
    """The place of a parameter: its node, its name there, and the array in that node's layout."""

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
        self.faults: list[Fault] = []
        self.conflicts: set[object] = set()
        """Identities of arrays that operations use in ways that no single parameter can serve."""
        self._taken = {"params", "data"}
        self._owners: dict[object, Owner] = {}  # by the identity of the array
        self._used_as_constants: set[object] = set()

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

    def constant(self, name: str, array: Array, foreign: str = "", whole: bool = False) -> Value:
        """Add a shared input with its numbers.

        Args:
            name: The wanted name; the nearest free one is taken.
            array: Its numbers, without a batch axis.
            foreign: Its name in the model; "" for none.
            whole: Store integers (int64) for indices; else, the network's dtype.
        """
        own = self.free_name(name)
        self.network.input(own, array.shape, "int64" if whole else None, shared=True)
        self.constants[own] = array.astype(np.int64 if whole else self.dtype)
        if foreign:
            self.remember(f"data/{own}", own, foreign)
        return Value(own, array.shape, whole)

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

    def _drop_unused_affine_nodes(self, outputs: Collection[str]) -> None:
        """Drop the affine nodes that later ones have taken in, and that nothing else takes."""
        spec = self.network.spec()
        used = {name for node in spec["nodes"] for name in node["inputs"]} | {*outputs}
        unused = self.affine_nodes.keys() - used
        if unused:
            nodes = [node for node in spec["nodes"] if node["name"] not in unused]
            self.network = Network.from_spec(spec | {"nodes": nodes})

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
        self._drop_unused_affine_nodes({value.name for value in outputs})
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
