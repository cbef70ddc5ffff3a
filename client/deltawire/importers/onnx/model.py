"""Load an ONNX model, validate it, convert it to an opset that is read, and give its axes sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from os import PathLike, fspath
from typing import Any

import numpy as np
import onnx
from onnx import version_converter

from deltawire.errors import Fault, Refused
from deltawire.importers.arguments import errors_named

OLDEST = 15
"""Oldest opset that is read; models of older ones are converted to it.

Before 13, some operators differ: Softmax, for example, flattens its input. Before 14, ONNX's reference
evaluator takes a BatchNormalization with a momentum for one in training mode.
"""

DOMAINS = "", "ai.onnx"
"""The two names of the domain of ONNX's own operators."""

LARGEST = 2**31 - 1
"""Greatest size of a message in bytes; ONNX checks a greater model in its file."""


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
            onnx.checker.check_model(path if read.ByteSize() > LARGEST else read)
            return read
    except Refused as refused:
        if isinstance(refused.__cause__, OSError):
            raise refused.__cause__ from None
        raise


def converted(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with operators of the oldest opset that is read, or of its own if that is later.

    Raises:
        Refused: The model imports no opset of ONNX's own operators, or ONNX's version converter fails.
    """
    opset = opset_of(model)
    if opset >= OLDEST:
        return model
    with errors_named(f"the model, of opset {opset}: ONNX's version converter to {OLDEST}"):
        return version_converter.convert_version(model, OLDEST)


def opset_of(model: onnx.ModelProto) -> int:
    """Return the opset of ONNX's own operators. Raises Refused when there is none."""
    versions = [one.version for one in model.opset_import if one.domain in DOMAINS]
    if not versions:
        used = ", ".join(
            f"{node.name or node.output[0]} ({node.op_type} of {node.domain})" for node in model.graph.node
        )
        detail = f"the model imports no opset of ONNX's own operators; no layer does {used or 'nothing'}"
        raise Refused([Fault("", "not_expressible", detail)])
    return int(max(versions))


def inputs_of(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    """Return the inputs of a graph that no initializer has numbers for."""
    stored = {one.name for one in graph.initializer}
    return [slot for slot in graph.input if slot.name not in stored]


def sized(model: onnx.ModelProto, sizes: Mapping[str, int]) -> onnx.ModelProto:
    """Return a copy of a model with sizes for its dynamic axes.

    Args:
        model: The model.
        sizes: Sizes by the name of an axis in the model, `height`, or by an input and a place in its shape,
            `x.2`.

    Raises:
        Refused: No input has such an axis, or it has another size.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    known: dict[str, list[Any]] = {}
    for name, dim in _axes(copy):
        known.setdefault(name, []).append(dim)
    for name, size in sizes.items():
        for dim in known.get(name, []):
            if dim.dim_value not in (0, size):
                detail = f"sizes: the model's '{name}' is {dim.dim_value}, and {size} is given"
                raise Refused([Fault("", "not_expressible", detail)])
            dim.dim_value = size
        if name not in known:
            detail = f"sizes: no input has an axis '{name}'; there are {', '.join(known) or 'none'}"
            raise Refused([Fault("", "not_expressible", detail)])
    return copy


def _axes(model: onnx.ModelProto) -> Iterator[tuple[str, Any]]:
    """Yield the names of each axis of the inputs, with the axis."""
    for slot in inputs_of(model.graph):
        for place, dim in enumerate(slot.type.tensor_type.shape.dim):
            yield f"{slot.name}.{place}", dim
            if dim.dim_param:
                yield dim.dim_param, dim


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
    if given.type == onnx.AttributeProto.STRINGS:
        return [one.decode() for one in value]
    return list(value) if given.type in (onnx.AttributeProto.INTS, onnx.AttributeProto.FLOATS) else value
