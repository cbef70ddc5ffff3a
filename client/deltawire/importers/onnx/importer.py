"""An ONNX model as a network; of the ONNX world, the `onnx` package alone is needed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np

from deltawire.errors import Fault, Refused, missing_extra
from deltawire.wire import Array

try:
    import onnx
    from onnx import numpy_helper, reference, shape_inference
except ModuleNotFoundError as error:
    raise missing_extra("onnx", error) from error

from deltawire.importers.builder import (
    BATCHES,
    Builder,
    Imported,
    Shape,
    Site,
    Stored,
    Unavailable,
    Value,
    translated,
)
from deltawire.importers.onnx.operators import OPERATORS, affine

OLDEST = 13
"""Opset from which on operators mean what they mean here: before it, Softmax flattens its input."""

BY_BATCH = Unavailable("computes with the number of examples, which a network does not know")
REFUSED = Unavailable("")

BY_RESULT = frozenset({"Flatten", "Reshape", "Squeeze", "Unsqueeze"})
"""Operators whose results' shapes say all; what else they take may be computed from the size of the batch."""


@dataclass(frozen=True)
class Seen:
    """The shape of a result, by ONNX's own shape inference."""

    shape: Shape


@dataclass(frozen=True)
class Product:
    """x W that waits for the Add of its bias: together they are one layer."""

    x: Value
    weight: Stored


def from_onnx(model: onnx.ModelProto | str | PathLike[str]) -> Imported:
    """The network of an ONNX model, with its parameters.

    model: as loaded, or the path of its file. Its inputs have the batch as their leading axis, and it is
    exported with that axis dynamic. Initializers become parameters where a layer has a place for them, else
    constants. The names they had are in the network's metadata. A loss is to be added.
    Raises Refused (`not_expressible`) with every node that has no layer, by its operator and name.
    """
    loaded = model if isinstance(model, onnx.ModelProto) else onnx.load(model)
    onnx.checker.check_model(loaded)
    opset = max(one.version for one in loaded.opset_import if one.domain in ("", "ai.onnx"))
    if opset < OLDEST:
        detail = f"opset {opset}: convert the model to {OLDEST} or later, with onnx.version_converter"
        raise Refused([Fault("", "not_expressible", detail)])
    return _Reader(loaded, opset).run()


class _Reader:
    """A model being read, node by node."""

    def __init__(self, model: onnx.ModelProto, opset: int):
        self._graph = model.graph
        self._opset = opset
        self._shapes = tuple(_shapes(model, count) for count in BATCHES)
        arrays = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
        # That of most: it is the others that are refused, where they would be parameters.
        dtypes = Counter(array.dtype for array in arrays.values() if array.dtype.kind == "f").most_common(1)
        self._builder = Builder("onnx", dtypes[0][0] if dtypes else np.dtype(np.float32))
        self._known: dict[str, Any] = {
            name: Stored(name, array, name, trainable=array.dtype.kind == "f")
            for name, array in arrays.items()
        }
        outputs = [one.name for one in model.graph.output]
        self._uses = Counter([name for node in model.graph.node for name in node.input] + outputs)

    def run(self) -> Imported:
        for slot in self._graph.input:
            if slot.name not in self._known:
                site = self._site("input", f"input '{slot.name}'", slot.name, [slot.name])
                integers = slot.type.tensor_type.elem_type in (onnx.TensorProto.INT64, onnx.TensorProto.INT32)
                self._known[slot.name] = self._builder.input(slot.name, site.shape(), integers)
        inputs = list(self._known.values())
        for node in self._graph.node:
            try:
                results = self._node(node)
            except Refused as refused:
                self._builder.faults.extend(refused.faults)
                results = REFUSED
            for place, name in enumerate(node.output):
                self._known[name] = results[place] if isinstance(results, tuple) else results
        outputs = [self._known[one.name] for one in self._graph.output]
        for one, value in zip(self._graph.output, outputs, strict=True):
            if value is not REFUSED and (not isinstance(value, Value) or value in inputs):
                detail = f"output '{one.name}': is no node's value"
                self._builder.faults.append(Fault("", "not_expressible", detail))
        return self._builder.finish([value for value in outputs if isinstance(value, Value)])

    def _node(self, node: onnx.NodeProto) -> Any:
        """What stands for the results of a node."""
        given: list[Any] = [self._known[name] if name else None for name in node.input]
        if any(value is REFUSED for value in given):
            return REFUSED
        label = f"{node.name or node.output[0]} ({node.op_type})"
        site = self._site(node.op_type, label, self._name(node), node.output)
        if not any(isinstance(value, Value | Unavailable | Product) for value in given):
            return self._constants(node, given)
        products = [value for value in given if isinstance(value, Product)]
        if products:
            bias = next(value for value in given if isinstance(value, Stored))
            return affine(site, products[0].x, products[0].weight, bias)
        if node.op_type == "MatMul" and self._waits(node, given):
            x, weight = given
            return Product(x, weight)
        if node.op_type == "Shape" or (given[0] is BY_BATCH and not any(isinstance(v, Value) for v in given)):
            return BY_BATCH
        if node.op_type in BY_RESULT:
            given = given[:1]
        while given and given[-1] is None:
            given.pop()
        if node.op_type not in OPERATORS or node.domain not in ("", "ai.onnx"):
            site.refuse("no layer does this")
        attributes = {one.name: _attribute(one) for one in node.attribute}
        return translated(site, OPERATORS[node.op_type], *given, **attributes)

    def _waits(self, node: onnx.NodeProto, given: list[Any]) -> bool:
        """Whether a product by a matrix is used by an Add of as many numbers, and by nothing else."""
        matrix = given[1]
        if not (isinstance(given[0], Value) and isinstance(matrix, Stored) and matrix.array.ndim == 2):
            return False
        if self._uses[node.output[0]] != 1:
            return False
        consumer = next((one for one in self._graph.node if node.output[0] in one.input), None)
        if consumer is None or consumer.op_type != "Add":
            return False
        other = self._known.get(next(name for name in consumer.input if name != node.output[0]))
        return isinstance(other, Stored) and other.array.shape == matrix.array.shape[1:]

    def _constants(self, node: onnx.NodeProto, given: list[Stored | None]) -> tuple[Stored, ...]:
        """What a node makes of constants: constants, computed by ONNX's own reference."""
        first = given[0] if given else None
        if node.op_type == "Transpose" and first is not None and first.array.ndim == 2:
            return (first.transposed(),)  # as exporters write a matrix: it stays the parameter it is
        inputs = {name: value.array for name, value in zip(node.input, given, strict=True) if value}
        tensors = [numpy_helper.from_array(array, name) for name, array in inputs.items()]
        outputs = [onnx.ValueInfoProto(name=name) for name in node.output]
        graph = onnx.helper.make_graph([node], "constants", [], outputs, tensors)
        opset = onnx.helper.make_opsetid("", self._opset)
        alone = onnx.helper.make_model(graph, opset_imports=[opset])
        results: list[Array] = reference.ReferenceEvaluator(alone).run(None, {})
        return tuple(
            Stored(name, np.asarray(array), name) for name, array in zip(node.output, results, strict=True)
        )

    def _name(self, node: onnx.NodeProto) -> str:
        """A node is named after its weight, `encoder.0` for `encoder.0.weight`, else as it is called."""
        for name in node.input:
            stored = self._known.get(name)
            stem, _, last = stored.name.rpartition(".") if isinstance(stored, Stored) else ("", "", "")
            if stem and last in ("weight", "bias") and not self._builder.is_taken(stem):
                return stem
        return str(node.name or node.output[0])

    def _site(self, function: str, label: str, name: str, outputs: Any) -> Site:
        """The site of an operation; its results are as many as it has outputs."""
        seen = tuple(tuple(Seen(shapes.get(one, ())) for one in outputs) for shapes in self._shapes)
        first, second = (results if function == "Split" else results[0] for results in seen)
        return Site(self._builder, function, label, name, (first, second))


def _shapes(model: onnx.ModelProto, batch: int) -> dict[str, Shape]:
    """The shape of everything in a model when it is given so many examples."""
    sized = onnx.ModelProto()
    sized.CopyFrom(model)
    stored = {one.name for one in model.graph.initializer}
    for slot in sized.graph.input:
        dims = slot.type.tensor_type.shape.dim
        if slot.name in stored:
            continue
        if not dims or not all(dim.dim_value > 0 for dim in list(dims)[1:]):
            detail = f"input '{slot.name}': expected a leading axis for the batch, and numbers for the others"
            raise Refused([Fault("", "not_expressible", detail)])
        dims[0].dim_value = batch
    for slot in [*sized.graph.output, *sized.graph.value_info]:
        slot.type.tensor_type.ClearField("shape")
    try:
        inferred = _inferred(sized)
        for node in model.graph.node:  # of this one, ONNX itself infers nothing
            if node.op_type == "GroupNormalization":
                known = {slot.name: slot for slot in [*inferred.value_info, *inferred.input]}
                named = (one for one in sized.graph.output if one.name == node.output[0])
                slot = next(named, None) or sized.graph.value_info.add(name=node.output[0])
                slot.type.CopyFrom(known[node.input[0]].type)
                inferred = _inferred(sized)
    except shape_inference.InferenceError as error:
        detail = f"the model does not take batches of {batch}: export it with a dynamic batch axis ({error})"
        raise Refused([Fault("", "not_expressible", detail)]) from error
    return {
        slot.name: tuple(dim.dim_value for dim in slot.type.tensor_type.shape.dim)
        for slot in [*inferred.input, *inferred.value_info, *inferred.output]
    }


def _inferred(model: onnx.ModelProto) -> onnx.GraphProto:
    return shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True).graph


def _attribute(attribute: onnx.AttributeProto) -> Any:
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, float):
        return float(str(np.float32(value)))  # 0.01, which float32 has not, and not what it has instead
    return list(value) if attribute.type in (onnx.AttributeProto.INTS, onnx.AttributeProto.FLOATS) else value
