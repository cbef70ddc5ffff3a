"""Fold nodes that take stored arrays only: into the same array in another layout, or into constants."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper, reference

from deltawire.importers.builder import Stored
from deltawire.importers.onnx.model import DOMAINS, attribute
from deltawire.importers.site import Site

RANDOM = frozenset(
    {
        "Bernoulli", "Dropout", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform",
        "RandomUniformLike",
    }
)  # fmt: skip
"""Operators that draw random numbers; Dropout only in training mode."""


def folded(site: Site, node: onnx.NodeProto, inputs: list[Stored | None], opset: int) -> tuple[Stored, ...]:
    """Return the results of a node that takes stored arrays only.

    Args:
        site: The site of the node.
        node: The node; all its inputs are stored arrays.
        inputs: Its inputs in order; None for an omitted one.
        opset: The opset of ONNX's own operators.

    Raises:
        Refused: The operator is not ONNX's own or draws random numbers, or the node has a subgraph or a
            result that is no tensor.
    """
    if node.domain not in DOMAINS:
        site.refuse(f"is an operator of the domain '{node.domain}': no layer does this")
    if node.op_type in RANDOM and not _drops_nothing(node, inputs):
        site.refuse("draws other numbers each time: drawn once, they would be a constant")
    for one in node.attribute:
        if one.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS):
            site.refuse(f"has a graph of its own, '{one.name}': no layer does this")
    laid_out = _laid_out(node, inputs)
    if laid_out is not None:
        return (laid_out,)
    given = {name: one.array for name, one in zip(node.input, inputs, strict=True) if one is not None}
    results = _evaluated(node, given, opset)
    for name, result in zip(node.output, results, strict=True):
        if not isinstance(result, np.ndarray | np.generic):
            site.refuse(f"makes no tensor of what is stored ('{name}')")
    for one in inputs:
        if one is not None:
            site.builder.use_as_constant(one)
    arrays = [np.asarray(result) for result in results]
    return tuple(
        Stored(name, array, name, trainable=_is_weight(node, array))
        for name, array in zip(node.output, arrays, strict=True)
    )


def _is_weight(node: onnx.NodeProto, array: np.ndarray[Any, Any]) -> bool:
    """Return True for an array that a node of the graph holds: some exporters write weights so."""
    return node.op_type == "Constant" and array.dtype.kind == "f" and array.ndim > 0


def _drops_nothing(node: onnx.NodeProto, inputs: list[Stored | None]) -> bool:
    if node.op_type != "Dropout":
        return False
    training = inputs[2] if len(inputs) > 2 else None
    return training is None or not training.array.any()


def _laid_out(node: onnx.NodeProto, inputs: list[Stored | None]) -> Stored | None:
    """Return the first input in another layout, as exporters write weights; None for other operators."""
    first = inputs[0] if inputs else None
    if first is None or not first.trainable or len([name for name in node.output if name]) != 1:
        return None
    if node.op_type in ("Identity", "Dropout"):
        return first
    if node.op_type == "Transpose":
        given = {one.name: attribute(one) for one in node.attribute}
        return first.permuted(given.get("perm") or list(reversed(range(first.array.ndim))))
    return None


def _evaluated(node: onnx.NodeProto, arrays: dict[str, np.ndarray[Any, Any]], opset: int) -> list[Any]:
    """Compute the results of a node by ONNX's reference evaluator."""
    tensors = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    outputs = [onnx.ValueInfoProto(name=name) for name in node.output]
    graph = onnx.helper.make_graph([node], "constants", [], outputs, tensors)
    alone = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)])
    results: list[Any] = reference.ReferenceEvaluator(alone).run(None, {})
    return results
