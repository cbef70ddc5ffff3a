"""Infer the shape and dtype of the results of one node of an ONNX model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper, reference, shape_inference

from deltawire.errors import Fault, Refused
from deltawire.wire import Array

MOST_NUMBERS = 4096
"""Greatest size of an array whose numbers are looked at to infer a shape: sizes, axes, pads."""

Types = dict[str, onnx.TypeProto]


@dataclass(frozen=True)
class Seen:
    """The shape and dtype of a result; None where they are not known."""

    shape: tuple[int | None, ...] | None
    dtype: np.dtype[Any] | None


UNSEEN = Seen(None, None)


def seen(kind: onnx.TypeProto | None) -> Seen:
    """Return the shape and dtype of a tensor's type; UNSEEN for no tensor."""
    if kind is None or not kind.HasField("tensor_type"):
        return UNSEEN
    tensor = kind.tensor_type
    dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type) if tensor.elem_type else None
    if not tensor.HasField("shape"):
        return Seen(None, dtype)
    return Seen(
        tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim), dtype
    )


def type_of(array: Array) -> onnx.TypeProto:
    """Return the type of an array."""
    kind = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
    return onnx.helper.make_tensor_type_proto(kind, list(array.shape))


def results_of(node: onnx.NodeProto, types: Types, arrays: Mapping[str, Array], opset: int) -> Types:
    """Infer the types of the results of a node of ONNX's own operators.

    Args:
        node: The node.
        types: The types of its inputs, by name.
        arrays: Those of its inputs whose numbers are known, by name.
        opset: The opset of the operators.

    Returns:
        The types by name; for a result whose shape ONNX does not infer, the type of what its reference
        evaluator computes.

    Raises:
        InferenceError: The inputs do not fit the node.
    """
    schema = onnx.defs.get_schema(node.op_type, opset, "")
    small = {
        name: numpy_helper.from_array(array, name)
        for name, array in arrays.items()
        if array.size <= MOST_NUMBERS
    }
    opsets = [onnx.helper.make_opsetid("", opset)]
    given = {name: types[name] for name in node.input if name}
    results: Types = shape_inference.infer_node_outputs(schema, node, given, small, opset_imports=opsets)
    results.pop("", None)  # those that the node leaves out
    names = [name for name in node.output if name]
    inputs = [seen(kind).dtype for name, kind in given.items() if name not in arrays]
    made_up = all(dtype is not None and dtype.kind == "f" for dtype in inputs)  # no places, and no sizes
    if not made_up or all(_is_complete(results.get(name)) for name in names):
        return results
    examples = {name: arrays[name] if name in arrays else _example(kind) for name, kind in given.items()}
    computed = dict(zip(node.output, evaluated(node, examples, opset), strict=True))
    return {name: type_of(np.asarray(computed[name])) for name in names}


def _is_complete(kind: onnx.TypeProto | None) -> bool:
    shape = seen(kind).shape
    return shape is not None and None not in shape


def _example(kind: onnx.TypeProto) -> Array:
    found = seen(kind)
    return np.ones([size or 1 for size in found.shape or ()], found.dtype)


def evaluated(node: onnx.NodeProto, arrays: Mapping[str, Array], opset: int) -> list[Any]:
    """Compute the results of a node by ONNX's reference evaluator.

    Args:
        node: The node.
        arrays: Its inputs by name.
        opset: The opset of ONNX's own operators.
    """
    tensors = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    outputs = [onnx.ValueInfoProto(name=name) for name in node.output if name]
    graph = onnx.helper.make_graph([node], "constants", [], outputs, tensors)
    alone = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)])
    with np.errstate(all="ignore"):
        computed = iter(reference.ReferenceEvaluator(alone).run(None, {}))
    return [next(computed) if name else None for name in node.output]


def float_dtype(dtypes: Iterable[np.dtype[Any] | None]) -> np.dtype[Any]:
    """Return the most frequent floating-point dtype; float32 when there is none.

    Raises:
        Refused: It is neither float32 nor float64.
    """
    floats = Counter(one for one in dtypes if one is not None and str(one).startswith(("float", "bfloat")))
    most = floats.most_common(1)[0][0] if floats else np.dtype(np.float32)
    if str(most) not in ("float32", "float64"):
        detail = f"the model's numbers are of {most}: convert it to float32 or float64"
        raise Refused([Fault("", "not_expressible", detail)])
    return most
