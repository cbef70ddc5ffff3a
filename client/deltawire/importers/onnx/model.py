"""Load an ONNX model, validate it, and infer shapes and dtypes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any

import numpy as np
import onnx
from onnx import shape_inference

from deltawire.errors import Fault, Refused
from deltawire.importers.arguments import errors_named
from deltawire.importers.builder import Shape

OLDEST = 13
"""Oldest supported opset: before it, some operators differ; Softmax, for example, flattens its input."""

DOMAINS = "", "ai.onnx"
"""The two names of the domain of ONNX's own operators."""


@dataclass(frozen=True)
class Seen:
    """The shape and dtype of a result, inferred by ONNX; None where they are not known."""

    shape: tuple[int | None, ...] | None
    dtype: np.dtype[Any] | None


UNSEEN = Seen(None, None)


def loaded(model: onnx.ModelProto | str | PathLike[str]) -> onnx.ModelProto:
    """Return a model, loaded from its file if it is a path, and validated by ONNX's checker.

    Raises:
        Refused: The file is no model, or the model is not valid.
        OSError: The file does not exist or cannot be read.
    """
    try:
        with errors_named("the model"):
            if isinstance(model, onnx.ModelProto):
                onnx.checker.check_model(model)
                return model
            path = fspath(model)  # raises TypeError for an int, which open() accepts as a file descriptor
            read = onnx.load(path)
            onnx.checker.check_model(path if size_of(read) > LARGEST else read)
            return read
    except Refused as refused:
        if isinstance(refused.__cause__, OSError):
            raise refused.__cause__ from None
        raise


LARGEST = 2**31 - 1
"""Greatest size of a message in bytes; ONNX checks a greater model in its file."""


def size_of(model: onnx.ModelProto) -> int:
    return int(model.ByteSize())


def opset_of(model: onnx.ModelProto) -> int:
    """Return the opset of ONNX's own operators. Raises Refused when it is too old, or there is none."""
    versions = [one.version for one in model.opset_import if one.domain in DOMAINS]
    if not versions:
        used = ", ".join(
            f"{node.name or node.output[0]} ({node.op_type} of {node.domain})" for node in model.graph.node
        )
        detail = f"the model imports no opset of ONNX's own operators; no layer does {used or 'nothing'}"
        raise Refused([Fault("", "not_expressible", detail)])
    if max(versions) < OLDEST:
        detail = f"opset {max(versions)}: convert the model to {OLDEST} or later, with onnx.version_converter"
        raise Refused([Fault("", "not_expressible", detail)])
    return int(max(versions))


def seen(model: onnx.ModelProto, batch: int) -> dict[str, Seen]:
    """Infer the shape and dtype of all inputs and results of a model for a batch of this size, by name."""
    sized = onnx.ModelProto()
    sized.CopyFrom(model)
    stored = {one.name for one in model.graph.initializer}
    for slot in sized.graph.input:
        if slot.name in stored:
            continue
        dims = slot.type.tensor_type.shape.dim
        if not dims or not all(dim.dim_value > 0 for dim in list(dims)[1:]):
            detail = f"input '{slot.name}': expected a leading axis for the batch, and numbers for the others"
            raise Refused([Fault("", "not_expressible", detail)])
        dims[0].dim_value = batch
    for slot in [*sized.graph.output, *sized.graph.value_info]:
        slot.type.tensor_type.ClearField("shape")
    try:
        inferred = _inferred(sized)
        for node in model.graph.node:  # ONNX infers no shape for GroupNormalization
            if node.op_type == "GroupNormalization" and node.domain in DOMAINS:
                known = {slot.name: slot for slot in [*inferred.value_info, *inferred.input]}
                named = (one for one in sized.graph.output if one.name == node.output[0])
                slot = next(named, None) or sized.graph.value_info.add(name=node.output[0])
                slot.type.CopyFrom(known[node.input[0]].type)
                inferred = _inferred(sized)
    except shape_inference.InferenceError as error:
        detail = f"the model does not take batches of {batch}: export it with a dynamic batch axis ({error})"
        raise Refused([Fault("", "not_expressible", detail)]) from error
    slots = [*inferred.input, *inferred.value_info, *inferred.output]
    return {slot.name: _seen(slot.type) for slot in slots}


def _inferred(model: onnx.ModelProto) -> onnx.GraphProto:
    return shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True).graph


def _seen(kind: onnx.TypeProto) -> Seen:
    if not kind.HasField("tensor_type"):
        return UNSEEN
    tensor = kind.tensor_type
    dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type) if tensor.elem_type else None
    if not tensor.HasField("shape"):
        return Seen(None, dtype)
    return Seen(
        tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim), dtype
    )


def float_dtype(results: Mapping[str, Seen], arrays: Mapping[str, np.ndarray[Any, Any]]) -> np.dtype[Any]:
    """Return the dtype of most floating-point results and initializers of a model.

    Raises:
        Refused: It is neither float32 nor float64.
    """
    dtypes = [one.dtype for one in results.values()] + [array.dtype for array in arrays.values()]
    floats = Counter(one for one in dtypes if one is not None and str(one).startswith(("float", "bfloat")))
    most = floats.most_common(1)[0][0] if floats else np.dtype(np.float32)
    if str(most) not in ("float32", "float64"):
        detail = f"the model's numbers are of {most}: convert it to float32 or float64"
        raise Refused([Fault("", "not_expressible", detail)])
    return most


def example_shape(result: Seen) -> Shape:
    """Return the shape of one example of an input; all its sizes are known."""
    return tuple(size or 0 for size in (result.shape or ())[1:])


def attribute(given: onnx.AttributeProto) -> Any:
    """Return the value of an attribute. Raises Refused for a subgraph."""
    if given.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS):
        raise Refused(
            [Fault("", "not_expressible", f"has a graph of its own, '{given.name}': no layer does this")]
        )
    value = onnx.helper.get_attribute_value(given)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, float):
        return float(str(np.float32(value)))  # the shortest decimal: 0.01 instead of 0.009999999776
    return list(value) if given.type in (onnx.AttributeProto.INTS, onnx.AttributeProto.FLOATS) else value
