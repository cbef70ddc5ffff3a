"""Import ONNX models as networks; this needs the `onnx` package only, and no runtime."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np

from deltawire.client import Client
from deltawire.errors import Fault, Refused, missing_extra

try:
    import onnx
    from onnx import numpy_helper
except ModuleNotFoundError as error:
    raise missing_extra("onnx", error) from error

from deltawire.importers import steps
from deltawire.importers.arguments import errors_named, translated
from deltawire.importers.builder import (
    BATCHES,
    BY_BATCH,
    REFUSED,
    Builder,
    Imported,
    Rows,
    Stored,
    Unavailable,
    Value,
)
from deltawire.importers.comparison import compare
from deltawire.importers.onnx.constants import folded
from deltawire.importers.onnx.model import (
    DOMAINS,
    UNSEEN,
    attribute,
    example_shape,
    float_dtype,
    loaded,
    opset_of,
    seen,
)
from deltawire.importers.onnx.operators import OPERATORS
from deltawire.importers.onnx.original import Original
from deltawire.importers.site import Site

BY_RESULT = frozenset({"Flatten", "Reshape", "Squeeze", "Unsqueeze"})
"""Operators defined by the shape of their result; their other inputs may depend on the batch size."""


@dataclass(frozen=True)
class Product:
    """A product x W whose only use is the Add of a bias; both nodes become one layer."""

    x: Value
    weight: Stored


def from_onnx(
    model: onnx.ModelProto | str | PathLike[str], *, check: bool = True, client: Client | None = None
) -> Imported:
    """Import the network of an ONNX model, with its parameters.

    Initializers become parameters where a layer learns them, else constants. An initializer that is used in
    several ways becomes a constant too. The network's metadata holds the original names. Add a loss to train
    the network.

    Args:
        model: A loaded model, or the path of its file. The leading axis of its inputs is the batch; export it
            with that axis dynamic.
        check: Plan the network, and compare its values with those of ONNX's reference evaluator on two random
            batches of different sizes.
        client: The client for the check; by default, an embedded one.

    Returns:
        The network, its parameters, its constants, and the nodes that hold the model's outputs.

    Raises:
        Refused: Some nodes have no layer (code `not_expressible`, one fault for each node).
        NotInstalled: The check has no client, and `deltawire[service]` is not installed.
        OSError: The file cannot be read.
    """
    read = loaded(model)
    opset = opset_of(read)
    fixed: set[object] = set()
    with errors_named("the model"):
        while True:
            reader = _Reader(read, opset, fixed)
            try:
                imported = reader.run()
                break
            except Refused:
                if reader.conflicts <= fixed:
                    raise
                fixed |= reader.conflicts  # read again, with these as constants
    if check:
        with errors_named("the comparison with ONNX's reference"):
            compare(imported, Original(read, imported), client)
    return imported


class _Reader:
    """A model being read, node by node."""

    def __init__(self, model: onnx.ModelProto, opset: int, fixed: set[object]):
        self._graph = model.graph
        self._opset = opset
        self._seen = tuple(seen(model, count) for count in BATCHES)
        arrays: dict[str, Any] = {}
        self._known: dict[str, Any] = {
            one.values.name: Unavailable(f"'{one.values.name}' is sparse: no layer does this")
            for one in model.graph.sparse_initializer
        }
        for one in model.graph.initializer:
            with errors_named(f"initializer '{one.name}'"):
                arrays[one.name] = numpy_helper.to_array(one)
        self._builder = Builder("onnx", float_dtype(self._seen[0], arrays))
        self._known |= {
            name: Stored(name, array, name, trainable=array.dtype.kind == "f" and name not in fixed)
            for name, array in arrays.items()
        }
        self._fixed = fixed
        outputs = [one.name for one in model.graph.output]
        self._uses = Counter([name for node in model.graph.node for name in node.input] + outputs)

    @property
    def conflicts(self) -> set[object]:
        """Identities of initializers that were used in several ways."""
        return self._builder.conflicts

    def run(self) -> Imported:
        for slot in self._graph.input:
            if slot.name not in self._known:
                self._known[slot.name] = self._input(slot)
        inputs = [value for value in self._known.values() if isinstance(value, Value)]
        for node in self._graph.node:
            label = f"{node.name or next(iter(node.output), 'a node')} ({node.op_type})"
            try:
                with errors_named(label):
                    results = self._node(node, label)
            except Refused as refused:
                self._builder.faults.extend(refused.faults)
                results = REFUSED
                rows = [one for name in node.input if isinstance(one := self._known.get(name), Rows)]
                self._builder.conflicts |= {
                    one.table.identity for one in rows
                }  # the next reading has constants instead
            self._keep(node, results, label)
        outputs = [self._known.get(one.name) for one in self._graph.output]
        for one, value in zip(self._graph.output, outputs, strict=True):
            if value is not REFUSED and (not isinstance(value, Value) or value in inputs):
                why = value.why if isinstance(value, Unavailable) else "is no node's value"
                self._builder.faults.append(Fault("", "not_expressible", f"output '{one.name}': {why}"))
        return self._builder.finish([value for value in outputs if isinstance(value, Value)])

    def _input(self, slot: onnx.ValueInfoProto) -> Value | Unavailable:
        """Add an input of the network; return Unavailable when layers cannot take it."""
        first, second = (results.get(slot.name, UNSEEN) for results in self._seen)
        whole = first.dtype in (np.dtype(np.int64), np.dtype(np.int32))
        if not whole and first.dtype != self._builder.dtype:
            why = f"is of {first.dtype}, other numbers of the model of {self._builder.dtype}"
            return Unavailable(f"takes input '{slot.name}', which {why}")
        return self._builder.input(slot.name, example_shape(first), whole)

    def _keep(self, node: onnx.NodeProto, results: Any, label: str) -> None:
        """Record the results of a node; those its layers do not compute are Unavailable."""
        for place, name in enumerate(node.output):
            if isinstance(results, tuple):
                self._known[name] = results[place]
            elif place == 0 or results is REFUSED:
                self._known[name] = results
            else:
                self._known[name] = Unavailable(f"output {place} of {label} has no layer")

    def _node(self, node: onnx.NodeProto, label: str) -> Any:
        """Return the translation of a node: a value, several, a stored array, or Unavailable."""
        given: list[Any] = [self._known[name] if name else None for name in node.input]
        if any(value is REFUSED for value in given):
            return REFUSED
        site = self._site(node, label)
        computed = any(isinstance(value, Value | Rows | Unavailable | Product) for value in given)
        if not computed and not _looks_up(node, given):
            return folded(site, node, given, self._opset)
        if node.domain not in DOMAINS:
            site.refuse(f"is an operator of the domain '{node.domain}': no layer does this")
        products = [value for value in given if isinstance(value, Product)]
        if products:
            bias = next(value for value in given if isinstance(value, Stored))
            return translated(site, _affine, products[0].x, products[0].weight, bias)
        if node.op_type == "MatMul" and self._waits(node, given):
            x, weight = given
            return Product(x, weight)
        if node.op_type == "Shape" or (given[0] is BY_BATCH and not any(isinstance(v, Value) for v in given)):
            return BY_BATCH
        if node.op_type in BY_RESULT:
            given = given[:1]
        while given and given[-1] is None:
            given.pop()
        if node.op_type not in OPERATORS:
            site.refuse("no layer does this")
        attributes = {one.name: attribute(one) for one in node.attribute}
        return translated(site, OPERATORS[node.op_type], *given, **attributes)

    def _waits(self, node: onnx.NodeProto, given: list[Any]) -> bool:
        """Return True for a product by a matrix whose only use is the Add of a bias."""
        matrix = given[1]
        if not (isinstance(given[0], Value) and isinstance(matrix, Stored) and matrix.array.ndim == 2):
            return False
        if self._uses[node.output[0]] != 1:
            return False
        consumer = next((one for one in self._graph.node if node.output[0] in one.input), None)
        if consumer is None or consumer.op_type != "Add" or consumer.domain not in DOMAINS:
            return False
        other = self._known.get(next(name for name in consumer.input if name != node.output[0]))
        return isinstance(other, Stored) and other.array.shape == matrix.array.shape[1:]

    def _name(self, node: onnx.NodeProto) -> str:
        """Name a node after its weight, `encoder.0` for `encoder.0.weight`, else by its own name."""
        for name in node.input:
            stored = self._known.get(name)
            stem, _, last = stored.name.rpartition(".") if isinstance(stored, Stored) else ("", "", "")
            if stem and last in ("weight", "bias") and not self._builder.is_taken(stem):
                return stem
        return str(node.name or node.output[0])

    def _site(self, node: onnx.NodeProto, label: str) -> Site:
        """Return the site of a node. It has the first result only, except for Split, which has all."""
        every = [tuple(results.get(name, UNSEEN) for name in node.output) for results in self._seen]
        first, second = every if node.op_type == "Split" else (results[0] for results in every)
        return Site(self._builder, node.op_type, label, self._name(node), (first, second))


def _looks_up(node: onnx.NodeProto, given: list[Any]) -> bool:
    """Return True for a node that looks up fixed rows of a table: learned positions, for example."""
    axes = [attribute(one) for one in node.attribute if one.name == "axis"]
    if node.op_type != "Gather" or node.domain not in DOMAINS or any(axes):
        return False
    return bool(given[0].trainable and given[0].array.ndim == 2 and given[1].array.ndim > 0)


def _affine(at: Site, x: Value, weight: Stored, bias: Stored) -> Value:
    """Add x W + b, for ONNX's MatMul and the Add at this site."""
    return steps.linear(at, x, weight.transposed(), bias)
