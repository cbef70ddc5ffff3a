"""Translate one foreign operation: add its layers, and raise errors that name it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import numpy as np

from deltawire.errors import Fault, Refused
from deltawire.importers.builder import Builder, SharedParameters, Tie
from deltawire.importers.operands import BATCHES, Computed, Reduced, Rows, Shape, Stored, Unbatched, Value

INDEXED = frozenset(
    {"attention", "embedding", "masked_fill", "nll", "softmax_nll", "take", "take_along_axis", "where"}
)
"""The kinds that take whole numbers, as indices, labels or masks."""


class Site:
    """One foreign operation that is being translated to layers.

    Args:
        builder: The network built so far.
        function: The name of the operation.
        label: The operation and its place in the model, for error messages.
        name: The name of the last of its layers.
        results: Its results for batches of `BATCHES` examples; each has a shape and a dtype.
        batched: Its results have the batch as their leading axis; if not, it takes parameters and constants
            alone, and its results are the same for every example.
        rows: Rows of an example on the leading axis, where its results join them with the batch; else 0.
    """

    def __init__(
        self,
        builder: Builder,
        function: str,
        label: str,
        name: str,
        results: tuple[Any, Any],
        batched: bool = True,
        rows: int = 0,
    ):
        self.builder = builder
        self.function = function
        self.label = label
        self.name = name
        self.results = results
        self.batched = batched
        self.rows = rows

    def refuse(self, why: str) -> NoReturn:
        """Raise Refused with a fault that names this operation."""
        raise Refused([Fault("", "not_expressible", f"{self.label}: {why}")])

    def shape(self, pick: Callable[[Any], Any] = lambda result: result) -> Shape:
        """Return the shape of one example of the result, or of a part. Raises Refused if it is not known."""
        shapes = [getattr(pick(result), "shape", None) for result in self.results]
        first, second = (() if shape is None else tuple(shape) for shape in shapes)
        if None in shapes or None in (*first, *second):
            self.refuse("the shape of its result is not known, or it has several")
        if not self.batched:
            if first != second:
                self.refuse(f"has no batch, and gives {list(first)} and {list(second)}")
            return first
        leading = tuple(count * (self.rows or 1) for count in BATCHES)
        if first[:1] + second[:1] != leading or first[1:] != second[1:]:
            batches = f"batches of {BATCHES[0]} and {BATCHES[1]} gave {list(first)} and {list(second)}"
            self.refuse(f"examples are on the leading axis and independent of each other; {batches}")
        return (self.rows, *first[1:]) if self.rows else first[1:]

    def layer(
        self,
        kind: str,
        *inputs: Value,
        out: Shape | None = None,
        params: Mapping[str, Stored | None] | None = None,
        name: str = "",
        **config: Any,
    ) -> Value:
        """Add a node, by default the last one of the operation, with the operation's name.

        Args:
            kind: The kind of the layer.
            *inputs: Its inputs.
            out: The shape of one example of its value; by default, that of the operation's result.
            params: Its parameters by local name; None for one that the operation does not use.
            name: The name of the node; by default, the operation's.
            **config: Settings of the layer.

        Raises:
            Refused: An input is not computed by a node, or the layer may not learn a parameter.
        """
        for value in inputs:
            if not isinstance(value, Value):
                self.refuse(f"takes what other nodes compute, got {described(value)}")
            if value.whole and kind not in INDEXED:
                self.refuse(f"computes with whole numbers, '{value.name}': layers take them as indices only")
        shape = self.shape() if out is None else out
        node = self.builder.free_name(name or self.name)
        given = {local: stored for local, stored in (params or {}).items() if stored is not None}
        tie = self._parameters(kind, node, given) if given else None
        settings: dict[str, Any] = {
            key: list(value) if isinstance(value, tuple) else value for key, value in config.items()
        }
        names = [x.name for x in inputs]
        if tie is None:
            self.builder.network.layer(kind, *names, name=node, **settings)
        else:
            self.builder.network.layer(
                kind, *names, name=node, tied_to=tie.node, transpose=tie.transpose, **settings
            )
        return Value(node, shape)

    def _parameters(self, kind: str, node: str, given: Mapping[str, Stored]) -> Tie | None:
        for stored in given.values():
            if stored.array.dtype != self.builder.dtype:
                own = self.builder.dtype
                self.refuse(
                    f"'{stored.name}' is of {stored.array.dtype}, other numbers of the model of {own}"
                )
            if not stored.trainable:
                self.refuse(
                    f"the layer {kind} would learn '{stored.name}', which is no parameter of its own here"
                )
        try:
            return self.builder.own(node, given)
        except SharedParameters:
            self.builder.conflicts |= {one.identity for one in given.values() if not one.kept}
            names = ", ".join(f"'{stored.name}'" for stored in given.values())
            self.refuse(f"shares some of {names} with another node, but not all of both in one layout")

    def step(self, kind: str, *inputs: Value, out: Shape, **config: Any) -> Value:
        """Add a node before the last one, named after the operation and the layer.

        Args:
            kind: The kind of the layer.
            *inputs: Its inputs.
            out: The shape of one example of its value.
            **config: Settings of the layer.
        """
        return self.layer(kind, *inputs, out=out, name=f"{self.name}_{kind}", **config)

    def reshaped(self, x: Value, shape: Shape | None = None) -> Value:
        """Reshape x to the shape of the result; return x itself when it has that shape."""
        shape = self.shape() if shape is None else shape
        if x.shape == shape:
            return x
        if len(shape) == 1:
            return self.layer("flatten", x, out=shape)
        return self.layer("reshape", x, out=shape, shape=shape)

    def constant(self, given: Any, shape: Shape, what: str = "", whole: bool = False) -> Value:
        """Add a constant as a shared input.

        Args:
            given: A number, an array or a stored array; it broadcasts to the shape.
            shape: The shape of the input, without a batch axis.
            what: The wanted name; by default, the name of the stored array.
            whole: Store integers (int64) for indices.

        Raises:
            Refused: It is a parameter that must be learned, is not real, or does not fit the shape.
        """
        if isinstance(given, Stored) and given.kept:
            stretched = f"{list(given.array.shape)} for examples of {list(shape)}"
            self.refuse(
                f"the parameter '{given.name}', {stretched}, has no place in a layer as it is used here"
            )
        if isinstance(given, Stored):
            self.builder.use_as_constant(given)
        stored = given.array if isinstance(given, Stored) else np.asarray(given)
        if stored.dtype.kind not in "fiub":
            self.refuse(f"expected real numbers, got {described(given)}, of {stored.dtype}")
        try:
            numbers = np.broadcast_to(stored, (1, *shape))[0]
        except ValueError:
            self.refuse(f"an array of shape {list(stored.shape)} does not fit examples of {list(shape)}")
        if not isinstance(given, Stored):
            return self.builder.constant(what or f"{self.name}_constant", numbers, whole=whole)
        source = given.identity, given.layout
        return self.builder.constant(what or given.name, numbers, given.name, whole, source)

    def number(self, value: Any, what: str) -> float:
        """Return an argument as one real number. Raises Refused when it is anything else."""
        array = value.array if isinstance(value, Stored) and not value.kept else value
        if isinstance(array, Computed | Stored) or np.size(array) != 1 or not np.isrealobj(array):
            self.refuse(f"expected a number as {what}, got {described(value)}")
        if isinstance(value, Stored):
            self.builder.use_as_constant(value)
        return float(np.asarray(array).reshape(()))

    def axis(self, axis: int, rank: int) -> int:
        """Return the axis of an example for an axis of a batch. Raises Refused for the batch axis."""
        ahead = self.batched and not self.rows
        axis = axis + rank + ahead if axis < 0 else axis
        if self.batched and axis == 0:
            self.refuse("works along the batch, and examples are independent of each other")
        return axis - ahead

    def learned(self, stored: Stored) -> Value:
        """Return a parameter as a value. Raises Refused when a layer learns it already."""
        if stored.layout:
            before, order = stored.before()
            value = self.learned(before)
            if order is None:
                return self.step("reshape", value, out=stored.array.shape, shape=stored.array.shape)
            return self.step("transpose", value, out=stored.array.shape, axes=order)
        try:
            return self.builder.learned(stored)
        except SharedParameters:
            self.refuse(f"takes '{stored.name}' as a value, which another node learns")


def described(value: Any) -> str:
    """Describe an argument for an error message."""
    if isinstance(value, Stored):
        return f"the stored '{value.name}'"
    if isinstance(value, Value):
        return f"'{value.name}', which is computed or an input"
    if isinstance(value, Reduced):
        return f"the {value.reduction} over the batch of '{value.value.name}'"
    if isinstance(value, Unbatched):
        return f"'{value.value.name}', which is the same for every example"
    if isinstance(value, Rows):
        return f"'{value.value.name}', whose rows are joined with the batch"
    return f"{type(value).__name__} {value!r:.40}"
