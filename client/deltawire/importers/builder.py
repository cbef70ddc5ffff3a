"""A network being imported: foreign operations become nodes, and foreign names become ours and are noted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any, NamedTuple, NoReturn

import numpy as np

from deltawire.errors import Fault, Refused
from deltawire.network import Network
from deltawire.wire import Array

Shape = tuple[int, ...]

BATCHES = 5, 7
"""A foreign model is seen with batches of these two sizes: an axis that changes with them is the batch."""


class Imported(NamedTuple):
    """A network made elsewhere: `client.forward(network, params, constants | data, outputs)` computes it."""

    network: Network
    """Its metadata has the names parameters (`params/node.weight`) and data (`data/x`) had there."""
    params: dict[str, Array]
    constants: dict[str, Array]
    """Data that comes with the model: the numbers of its shared inputs, statistics of a norm among them."""
    outputs: tuple[str, ...]
    """The nodes whose values the model gives back, in its order."""


@dataclass(frozen=True)
class Value:
    """What an input or a node of the network holds, and the shape of one example of it."""

    name: str
    shape: Shape


@dataclass(frozen=True, eq=False)
class Stored:
    """An array that comes with the model, under its name there.

    identity: of the array itself, which may have several names. trainable: whether it may become a parameter.
    kept: whether it must, and be one with all that share it. layout: how ours is made from theirs,
    "transposed" or "shape 2,3"; empty: it is the same.
    """

    name: str
    array: Array
    identity: object
    trainable: bool = False
    kept: bool = False
    layout: str = ""

    def transposed(self) -> Stored:
        layout = "" if self.layout == "transposed" else "transposed"
        return replace(self, array=self.array.T.copy(), layout=layout)

    def shaped(self, shape: Shape) -> Stored:
        """The same numbers in another shape; the note is of the shape they had."""
        if self.array.shape == shape:
            return self
        before = ",".join(map(str, self.array.shape))
        return replace(self, array=self.array.reshape(shape), layout=f"shape {before}")


@dataclass(frozen=True)
class Unavailable:
    """A result no layer gives, of an operation whose other results may be all that is used."""

    why: str


class Builder:
    """The network so far. Layers are added through the `Site` of the operation they stand for."""

    def __init__(self, source: str, dtype: np.dtype[Any]):
        self.network = Network()
        self.network.metadata["source"] = source
        self.dtype = dtype
        self.params: dict[str, Array] = {}
        self.constants: dict[str, Array] = {}
        self.faults: list[Fault] = []
        self._taken = {"params", "data"}
        self._owners: dict[object, str] = {}  # identity of an array -> the parameter it became

    def free_name(self, wanted: str) -> str:
        """A name of ours, as near to a foreign one as can be: `encoder.0` becomes `encoder_0`."""
        plain = _plain(wanted)
        name, number = plain, 0
        while name in self._taken:
            number += 1
            name = f"{plain}_{number}"
        self._taken.add(name)
        return name

    def is_taken(self, foreign: str) -> bool:
        """Whether something has the name that is nearest to a foreign one."""
        return _plain(foreign) in self._taken

    def input(self, name: str, shape: Shape, integers: bool) -> Value:
        """An input of the model."""
        own = self.free_name(name)
        self.network.input(own, shape, "int64" if integers else None)
        self.remember(f"data/{own}", own, name)
        return Value(own, shape)

    def constant(self, name: str, array: Array, foreign: str = "") -> Value:
        """A shared input and its numbers."""
        own = self.free_name(name)
        self.network.input(own, array.shape, shared=True)
        self.constants[own] = array.astype(self.dtype)
        if foreign:
            self.remember(f"data/{own}", own, foreign)
        return Value(own, array.shape)

    def remember(self, place: str, own: str, foreign: str) -> None:
        """Note in the metadata what something was called, where that is not what it is called now."""
        if own != foreign:
            self.network.metadata[place] = foreign

    def own(self, node: str, params: Mapping[str, Stored]) -> str | None:
        """Give a node its parameters; the node to tie it to instead, when they are another's already.

        Raises LookupError when some of them are, and not all.
        """
        owners = {local: self._owners.get(stored.identity) for local, stored in params.items()}
        for local, stored in params.items():
            self.remember(f"params/{node}.{local}", f"{node}.{local}", stored.name)
            if stored.layout:
                self.network.metadata[f"layout/params/{node}.{local}"] = stored.layout
        if not any(owners.values()):
            for local, stored in params.items():
                self._owners[stored.identity] = f"{node}.{local}"
                self.params[f"{node}.{local}"] = np.array(stored.array, order="C")  # to be stepped in place
            return None
        tied = {owner.split(".")[0] for owner in owners.values() if owner}
        if len(tied) == 1:
            (other,) = tied
            theirs = {name.split(".")[1] for name in self.params if name.split(".")[0] == other}
            if theirs == params.keys() and owners == {local: f"{other}.{local}" for local in params}:
                return other
        raise LookupError

    def finish(self, outputs: Sequence[Value]) -> Imported:
        """The network, complete. Raises Refused with everything found that it cannot express."""
        if self.faults:
            raise Refused(self.faults)
        return Imported(self.network, self.params, self.constants, tuple(value.name for value in outputs))


class Site:
    """One foreign operation being translated: what it is called, and the layers that stand for it.

    function: what the operation is called. label: it and its place, for messages. name: of the last of its
    layers. results: what it gave for batches of `BATCHES` examples, arrays or anything else with a shape.
    """

    def __init__(self, builder: Builder, function: str, label: str, name: str, results: tuple[Any, Any]):
        self.builder = builder
        self.function = function
        self.label = label
        self.name = name
        self.results = results

    def refuse(self, why: str) -> NoReturn:
        """Raises Refused with a fault that names this operation."""
        raise Refused([Fault("", "not_expressible", f"{self.label}: {why}")])

    def shape(self, pick: Callable[[Any], Any] = lambda result: result) -> Shape:
        """The shape of one example of the result, or of the part of it picked. Raises Refused without one."""
        first, second = (tuple(pick(result).shape) for result in self.results)
        if first[:1] + second[:1] != BATCHES or first[1:] != second[1:]:
            batches = f"batches of {BATCHES[0]} and {BATCHES[1]} gave {list(first)} and {list(second)}"
            self.refuse(f"examples are on the leading axis and independent of each other; {batches}")
        return first[1:]

    def layer(
        self,
        kind: str,
        *inputs: Value,
        out: Shape | None = None,
        params: Mapping[str, Stored | None] | None = None,
        name: str = "",
        **config: Any,
    ) -> Value:
        """A node, by default the last of this operation's: with its name and its result's shape.

        out: shape of its value. params: by local name; None for one the operation does without.
        """
        for value in inputs:
            if not isinstance(value, Value):
                self.refuse(f"takes what other nodes compute, got {described(value)}")
        shape = self.shape() if out is None else out
        node = self.builder.free_name(name or self.name)
        given = {local: stored for local, stored in (params or {}).items() if stored is not None}
        for stored in given.values():
            if stored.array.dtype != self.builder.dtype:
                own = self.builder.dtype
                self.refuse(
                    f"'{stored.name}' is of {stored.array.dtype}, other numbers of the model of {own}"
                )
        try:
            tied_to = self.builder.own(node, given) if given else None
        except LookupError:
            if any(stored.kept for stored in given.values()):
                names = ", ".join(f"'{stored.name}'" for stored in given.values())
                self.refuse(f"shares some of {names} with another node, but not all the parameters of both")
            copies = {local: replace(stored, identity=object()) for local, stored in given.items()}
            tied_to = self.builder.own(node, copies)
        settings = {key: listed(value) for key, value in config.items()}
        self.builder.network.layer(kind, *(x.name for x in inputs), name=node, tied_to=tied_to, **settings)
        return Value(node, shape)

    def step(self, kind: str, *inputs: Value, out: Shape, **config: Any) -> Value:
        """A node before the last one, named after both."""
        return self.layer(kind, *inputs, out=out, name=f"{self.name}_{kind}", **config)

    def reshaped(self, x: Value, shape: Shape | None = None) -> Value:
        """The numbers of x in the shape of the result; x itself when it has it."""
        shape = self.shape() if shape is None else shape
        if x.shape == shape:
            return x
        if len(shape) == 1:
            return self.layer("flatten", x, out=shape)
        return self.layer("reshape", x, out=shape, shape=shape)

    def constant(self, given: Any, shape: Shape, what: str = "") -> Value:
        """A number, an array or what a model has stored, as a shared input of this shape."""
        if isinstance(given, Stored) and given.kept:
            stretched = f"{list(given.array.shape)} for examples of {list(shape)}"
            self.refuse(
                f"the parameter '{given.name}', {stretched}, has no place in a layer as it is used here"
            )
        stored = given.array if isinstance(given, Stored) else np.asarray(given)
        try:
            numbers = np.broadcast_to(stored, (1, *shape))[0].copy()
        except ValueError:
            self.refuse(f"an array of shape {list(stored.shape)} does not fit examples of {list(shape)}")
        foreign = given.name if isinstance(given, Stored) else ""
        return self.builder.constant(what or foreign or f"{self.name}_constant", numbers, foreign)

    def axis(self, axis: int, rank: int) -> int:
        """An axis of a batch of examples of this rank as an axis of an example."""
        axis = axis + rank + 1 if axis < 0 else axis
        if axis == 0:
            self.refuse("works along the batch, and examples are independent of each other")
        return axis - 1


def translated(site: Site, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What the function gives for an operation's arguments, at its site.

    Raises Refused when the function does not know an argument, or one of them is not available.
    """
    for value in (*args, *kwargs.values()):
        if isinstance(value, Unavailable):
            site.refuse(value.why)
    try:
        signature(function).bind(site, *args, **kwargs)
    except TypeError as error:
        site.refuse(f"called with what has no equivalent: {error}")
    return function(site, *args, **kwargs)


def _plain(foreign: str) -> str:
    """A foreign name with nothing in it that a name may not have."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", foreign)[-56:]
    return plain if re.match(r"[A-Za-z_]", plain) else f"_{plain}"


def described(value: Any) -> str:
    return (
        f"the stored '{value.name}'" if isinstance(value, Stored) else f"{type(value).__name__} {value!r:.40}"
    )


def listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
