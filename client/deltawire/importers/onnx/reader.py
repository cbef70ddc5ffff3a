"""Read an ONNX graph, node by node, into a network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from deltawire.errors import Fault, Refused
from deltawire.importers import steps
from deltawire.importers.arguments import errors_named, translated
from deltawire.importers.builder import Builder, Imported
from deltawire.importers.onnx.batches import Batches
from deltawire.importers.onnx.constants import ByBatch, by_batch, folded
from deltawire.importers.onnx.functions import branch, definition, names_taken
from deltawire.importers.onnx.inference import UNSEEN, float_dtype, seen, type_of
from deltawire.importers.onnx.model import DOMAINS, attribute, inputs_of, opset_of
from deltawire.importers.onnx.node_site import NodeSite
from deltawire.importers.onnx.operators import OPERATORS
from deltawire.importers.onnx.operators.table import BROADCASTING, BY_RESULT, SEVERAL
from deltawire.importers.onnx.readings import Reading, has_fixed_sizes
from deltawire.importers.onnx.translation import Inputs, placed, translate
from deltawire.importers.operands import REFUSED, Shape, Stored, Unavailable, Unbatched, Value


@dataclass(frozen=True)
class Product:
    """A product x W whose only use is the Add of a bias; both nodes become one layer."""

    x: Value
    weight: Stored


class Reader:
    """A model being read, node by node.

    Args:
        model: The model.
        reading: How its inputs are examples.
        fixed: The identities of the initializers that no layer learns.
    """

    def __init__(self, model: onnx.ModelProto, reading: Reading, fixed: set[object]):
        self._graph = model.graph
        self._opset = opset_of(model)
        self._reading = reading
        self._fixed_sizes = has_fixed_sizes(model)
        self._fixed = fixed
        self._looked_up: set[object] = set()  # identities of the tables of which fixed rows are looked up
        self._batches = Batches()
        self._known: dict[str, Any] = {}
        self._inputs: set[str] = set()  # those of the network
        self.output_axes: list[int] = []
        """The axis of the batch in each output of the model."""
        arrays = self._initializers(model.graph)
        declared = [*model.graph.input, *model.graph.output, *model.graph.value_info]
        dtypes = [seen(slot.type).dtype for slot in declared] + [array.dtype for array in arrays]
        self._builder = Builder("onnx", float_dtype(dtypes))
        self._uses = Counter(names_taken(model.graph))

    @property
    def conflicts(self) -> set[object]:
        """Identities of initializers that were used in several ways."""
        return self._builder.conflicts

    def run(self) -> Imported:
        """Return the network. Raises Refused with a fault for each node that no layers do."""
        for slot in inputs_of(self._graph):
            self._known[slot.name] = self._input(slot)
        self._read(self._graph.node, self._opset)
        values = [self._output(one.name) for one in self._graph.output]
        return self._builder.finish([value for value in values if value is not None])

    def _initializers(self, graph: onnx.GraphProto) -> list[np.ndarray[Any, Any]]:
        """Keep the arrays that a graph stores, and return them."""
        for one in graph.sparse_initializer:
            name = one.values.name
            self._known[name] = Unavailable(f"'{name}' is sparse: no layer does this")
        arrays = []
        for one in graph.initializer:
            with errors_named(f"initializer '{one.name}'"):
                array = numpy_helper.to_array(one)
                self._batches.keep(one.name, [type_of(array)] * 2)
            arrays.append(array)
            trainable = array.dtype.kind == "f" and one.name not in self._fixed
            self._known[one.name] = Stored(one.name, array, one.name, trainable=trainable)
        return arrays

    def _input(self, slot: onnx.ValueInfoProto) -> Value | Unbatched | Unavailable:
        """Add an input of the network; return Unavailable when layers cannot take it."""
        self._batches.keep(slot.name, self._reading.types(slot))
        found, _ = self._batches.seen(slot.name)
        whole = found.dtype in (np.dtype(np.int64), np.dtype(np.int32), np.dtype(np.bool_))
        if not whole and found.dtype != self._builder.dtype:
            why = f"is of {found.dtype}, other numbers of the model of {self._builder.dtype}"
            return Unavailable(f"takes input '{slot.name}', which {why}")
        shape: Shape = tuple(size or 0 for size in found.shape or ())
        axis = self._reading.batch_axis(slot)
        value = self._builder.input(slot.name, self._reading.example(shape, axis), whole)
        self._inputs.add(value.name)
        if self._reading.batched:
            return replace(value, axis=axis)
        if value.shape != shape and whole:
            return Unavailable(f"takes integers '{slot.name}', of a batch of 1: give batched=False")
        return Unbatched(self._outer(slot.name).view(value, shape))

    def _outer(self, name: str) -> NodeSite:
        """Return the site of the layers that an input or output gets, without a batch."""
        return NodeSite(self._builder, "output", f"'{name}'", name, (UNSEEN, UNSEEN), False, None)

    def _output(self, name: str) -> Value | None:
        """Return the value of an output, in the shape of one example; record a fault when there is none."""
        value = self._known.get(name)
        if value is REFUSED:
            return None
        if isinstance(value, Unbatched) and not self._reading.batched:
            value = self._outer(name).view(value.value, self._reading.example(value.value.shape))
        why = ""
        if not isinstance(value, Value):
            why = value.why if isinstance(value, Unavailable) else "is no node's value"
        elif value.axis and self._fixed_sizes:
            why = f"has the batch on axis {value.axis}, and not on the leading one"
        elif value.whole:
            why = "is an input of integers"
        elif value.name in self._inputs:
            value = replace(self._outer(name).layer("identity", value, out=value.shape), axis=value.axis)
        self.output_axes.append(value.axis if isinstance(value, Value) else 0)
        if why:
            self._builder.faults.append(Fault("", "not_expressible", f"output '{name}': {why}"))
        return value if isinstance(value, Value) else None

    def _read(self, nodes: Sequence[onnx.NodeProto], opset: int) -> None:
        """Read nodes in order; a refused one is recorded, and so are all others."""
        for node in nodes:
            label = f"{node.name or next(iter(node.output), 'a node')} ({node.op_type})"
            try:
                with errors_named(label):
                    results = self._node(node, label, opset)
            except Refused as refused:
                self._builder.faults.extend(refused.faults)
                results = REFUSED
                if any(isinstance(self._known.get(name), Unbatched) for name in node.input):
                    self._builder.conflicts |= self._looked_up  # the next reading has constants instead
            if results is not None:
                self._keep(node, results, label)

    def _keep(self, node: onnx.NodeProto, results: Any, label: str) -> None:
        """Record the results of a node; those its layers do not compute are Unavailable."""
        for place, name in enumerate(node.output):
            if isinstance(results, tuple):
                self._known[name] = results[place]
            elif place == 0 or results is REFUSED:
                self._known[name] = results
            else:
                self._known[name] = Unavailable(f"output {place} of {label} has no layer")
            self._batches.keep_array(name, self._known[name])

    def _node(self, node: onnx.NodeProto, label: str, opset: int) -> Any:
        """Return the results of a node; None when other nodes, which were read instead, have them."""
        if node.op_type == "CastLike" and node.domain in DOMAINS:
            node = self._cast(node)
        values: Inputs = {name: self._known[name] for name in node.input if name}
        given: list[Any] = [values[name] if name else None for name in node.input]
        if any(value is REFUSED for value in given):
            return REFUSED
        site = NodeSite(self._builder, node.op_type, label, label, (UNSEEN, UNSEEN), False, None)
        own = node.domain in DOMAINS
        if own and node.op_type == "If" and isinstance(given[0], Stored):
            return self._branch(node, bool(given[0].array.all()), opset)
        if own and node.op_type in ("Shape", "Size") and not isinstance(given[0], Unavailable):
            return self._size(site, node)
        known = all(value is None or isinstance(value, Stored | ByBatch) for value in given)
        if known and not _looks_up(node, given):
            return folded(site, node, given, opset)
        if known:
            self._looked_up.add(given[0].identity)
        for one in node.attribute:
            if one.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS):
                site.refuse(f"has a graph of its own, '{one.name}': no layer does this")
        if not own:
            site.refuse(f"is an operator of the domain '{node.domain}': no layer does this")
        for value in given[:1] if node.op_type in BY_RESULT else given:
            if isinstance(value, Unavailable):
                site.refuse(value.why)
        return self._computed(node, site, values, opset)

    def _computed(self, node: onnx.NodeProto, site: NodeSite, values: Inputs, opset: int) -> Any:
        """Return the results of a node that are computed from the inputs of the network, or learned."""
        try:
            self._batches.infer(node, values, opset)
        except Refused as refused:
            site.refuse(refused.faults[0].detail)
        empty = [self._without_numbers(name) for name in node.output]
        if all(empty):
            return tuple(empty)
        further = node.op_type not in SEVERAL and any(self._uses[name] for name in node.output[1:] if name)
        if node.op_type not in OPERATORS or further:
            written = definition(node, self._batches.types[0], opset)
            if written is not None:
                return self._read(*written)
        if node.op_type not in OPERATORS:
            site.refuse("no layer does this")
        if node.op_type == "MatMul" and (product := self._product(node, values)) is not None:
            return product
        products = [value for value in values.values() if isinstance(value, Product)]
        if products:
            x, weight = products[0].x, products[0].weight
            at = self._site(node, site.label, {"x": x})
            bias = next(value for value in values.values() if isinstance(value, Stored))
            return placed(at, translated(at, _affine, x, weight, bias))
        at = self._site(node, site.label, values)
        results = translate(node, at, values, self._batches, opset, not self._reading.batched)
        if not isinstance(results, tuple):
            return results
        return tuple(known or one for known, one in zip(empty, results, strict=True))

    def _cast(self, node: onnx.NodeProto) -> onnx.NodeProto:
        """Return the Cast to the dtype of the second input of a CastLike."""
        kind = self._batches.types[0][node.input[1]].tensor_type.elem_type
        cast = onnx.helper.make_node("Cast", list(node.input)[:1], list(node.output), node.name, to=kind)
        return cast

    def _without_numbers(self, name: str) -> Stored | ByBatch | None:
        """Return a result that has no number, such as a slice of no places; None for any other."""
        first, second = self._batches.seen(name)
        if first.shape is None or second.shape is None or 0 not in first.shape:
            return None
        shapes = [[size or 0 for size in shape] for shape in (first.shape, second.shape)]
        dtype = first.dtype or self._builder.dtype
        return by_batch(name, np.empty(shapes[0], dtype), np.empty(shapes[1], dtype))

    def _branch(self, node: onnx.NodeProto, condition: bool, opset: int) -> None:
        """Read the branch of an If whose condition is known, in place of the node."""
        graph = branch(node, condition)
        self._initializers(graph)
        self._read(graph.node, opset)
        for inner, outer in zip(graph.output, node.output, strict=True):
            self._known[outer] = self._known[inner.name]
            self._batches.keep_as(outer, inner.name)

    def _size(self, site: NodeSite, node: onnx.NodeProto) -> tuple[Stored | ByBatch]:
        """Return the shape of a value, or the number of its numbers."""
        given = {one.name: attribute(one) for one in node.attribute}
        arrays = []
        for found in self._batches.seen(node.input[0]):
            if found.shape is None or None in found.shape:
                site.refuse(f"the shape of '{node.input[0]}' is not known")
            whole = np.array(found.shape, np.int64)
            part = whole[given.get("start", 0) : given.get("end")]
            arrays.append(part if node.op_type == "Shape" else np.array(whole.prod(), np.int64))
        return (by_batch(node.output[0], arrays[0], arrays[1]),)

    def _product(self, node: onnx.NodeProto, values: Inputs) -> Product | None:
        """Return a product by a matrix whose only use is the Add of a bias; None for any other."""
        x, matrix = (values[name] for name in node.input)
        if isinstance(x, Unbatched) and not self._reading.batched:
            x = x.value
        if not (isinstance(x, Value) and isinstance(matrix, Stored) and matrix.array.ndim == 2):
            return None
        if self._uses[node.output[0]] != 1 or x.axis == len(x.shape):
            return None
        consumer = next((one for one in self._graph.node if node.output[0] in one.input), None)
        if consumer is None or consumer.op_type != "Add" or consumer.domain not in DOMAINS:
            return None
        other = self._known.get(next(name for name in consumer.input if name != node.output[0]))
        fits = isinstance(other, Stored) and other.array.shape == matrix.array.shape[1:]
        return Product(x, matrix) if fits else None

    def _name(self, node: onnx.NodeProto) -> str:
        """Name a node after its weight, `encoder.0` for `encoder.0.weight`, else by its own name."""
        for name in node.input:
            stored = self._known.get(name)
            stem, _, last = stored.name.rpartition(".") if isinstance(stored, Stored) else ("", "", "")
            if stem and last in ("weight", "bias") and not self._builder.is_taken(stem):
                return stem
        return str(node.name or next(name for name in node.output if name))

    def _site(self, node: onnx.NodeProto, label: str, values: Inputs) -> NodeSite:
        """Return the site of a node. It has the first result only, except for operators of several results.

        Args:
            node: The node.
            label: Its name and operator, for errors.
            values: Its inputs.
        """
        first, second = zip(*(self._batches.seen(name) for name in node.output), strict=True)
        if node.op_type not in SEVERAL:
            first, second = first[0], second[0]
        taken = [value for value in values.values() if isinstance(value, Value)]
        batched = self._reading.batched and (bool(taken) or first != second)
        axes = {value.axis for value in taken}
        if len(axes) > 1 and node.op_type not in BROADCASTING | {"Einsum"}:
            why = f"{label}: its inputs have the batch on the axes {sorted(axes)}"
            raise Refused([Fault("", "not_expressible", why)])
        axis = max(axes, default=None)
        return NodeSite(self._builder, node.op_type, label, self._name(node), (first, second), batched, axis)


def _looks_up(node: onnx.NodeProto, given: list[Any]) -> bool:
    """Return True for a node that looks up fixed rows of a table: learned positions, for example."""
    axes = [attribute(one) for one in node.attribute if one.name == "axis"]
    if node.op_type != "Gather" or node.domain not in DOMAINS or any(axes):
        return False
    table, index = given
    if not isinstance(table, Stored) or not isinstance(index, Stored):
        return False
    return bool(table.trainable and table.array.ndim == 2 and index.array.ndim > 0)


def _affine(at: NodeSite, x: Value, weight: Stored, bias: Stored) -> Value:
    """Add x W + b, for ONNX's MatMul and the Add at this site."""
    return steps.linear(at, x, weight.transposed(), bias)
