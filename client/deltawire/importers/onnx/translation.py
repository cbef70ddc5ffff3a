"""Translate one node of an ONNX graph by the table of operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

import onnx

from deltawire.importers import steps
from deltawire.importers.arguments import translated
from deltawire.importers.onnx.batches import Batches, arrays_of
from deltawire.importers.onnx.constants import ByBatch
from deltawire.importers.onnx.inference import Seen, Types, results_of, seen
from deltawire.importers.onnx.model import attribute
from deltawire.importers.onnx.node_site import NodeSite
from deltawire.importers.onnx.operators import OPERATORS
from deltawire.importers.onnx.operators.table import (
    BROADCASTING,
    BY_RESULT,
    SEVERAL,
    TAKES_SIZES,
    batch_axis,
)
from deltawire.importers.operands import BATCHES, BY_BATCH, Stored, Unbatched, Value

Inputs = Mapping[str, Any]
"""The inputs of a node by name."""


def translate(
    node: onnx.NodeProto, at: NodeSite, values: Inputs, batches: Batches, opset: int, runs: bool
) -> Any:
    """Translate a node to layers.

    Args:
        node: The node, of an operator that the table has.
        at: Its site.
        values: Its inputs.
        batches: The types of inputs and results.
        opset: The opset of ONNX's own operators.
        runs: An example is a run of the model, and a batch in it is one of its axes.

    Returns:
        A value, a tuple of several, or Unavailable.

    Raises:
        Refused: No layers do this.
    """
    axis = batch_axis(node)
    if axis is not None and runs:
        return _of_runs(node, at, values, batches.types[0], opset, axis)
    if axis is not None and at.batched and at.batch_axis != axis:
        at.refuse(f"expected the batch on axis {axis}, and it is axis {at.batch_axis}")
    return placed(at, _called(node, at, values))


def _called(node: onnx.NodeProto, at: NodeSite, values: Inputs) -> Any:
    """Call the translation of an operator with what it takes."""
    given = [values[name] if name else None for name in node.input]
    if node.op_type in BY_RESULT:
        given = given[:1]
    if node.op_type not in TAKES_SIZES:
        given = [_of_each_example(at, value) for value in given]
    if node.op_type in BROADCASTING and at.batched:
        given = [_without_batch(at, value) for value in given]
    while given and given[-1] is None:
        given.pop()
    attributes = {one.name: attribute(one) for one in node.attribute}
    return translated(at, OPERATORS[node.op_type], *given, **attributes)


def _of_each_example(at: NodeSite, value: Any) -> Any:
    """Return an array that depends on the batch size as what each example has; refuse any other."""
    if not isinstance(value, ByBatch):
        return value
    one = value.of_one_example()
    if one is None:
        at.refuse(BY_BATCH.why)
    return one


def _without_batch(at: NodeSite, value: Any) -> Any:
    """Return an array without the axis of size 1 that it has where the result has the batch."""
    axis = at.result_axis()
    if not isinstance(value, Stored) or axis == 0:
        return value
    place = axis - len(at.shape()) - 1 + value.array.ndim
    if place < 0:
        return value
    if value.array.shape[place] != 1:
        at.refuse(f"'{value.name}' has other numbers for each example")
    return value.shaped(value.array.shape[:place] + value.array.shape[place + 1 :])


def placed(at: NodeSite, result: Any) -> Any:
    """Return the results of a node with the axis that each has the batch on."""
    if not at.batched:
        return result
    if not isinstance(result, tuple):
        return replace(result, axis=at.result_axis()) if isinstance(result, Value) else result
    return tuple(
        replace(one, axis=at.result_axis(itemgetter(place))) if isinstance(one, Value) else one
        for place, one in enumerate(result)
    )


def _of_runs(node: onnx.NodeProto, at: NodeSite, values: Inputs, types: Types, opset: int, axis: int) -> Any:
    """Translate a node that takes a batch, in a model without one: once for each of its examples.

    Args:
        node: The node.
        at: Its site, without a batch.
        values: Its inputs.
        types: The types of its inputs.
        opset: The opset of ONNX's own operators.
        axis: The axis of the batch in its inputs.
    """
    whole = {name: value.value for name, value in values.items() if isinstance(value, Unbatched)}
    counts = {x.shape[axis] if axis < len(x.shape) else 0 for x in whole.values()}
    if len(counts) != 1 or 0 in counts:
        at.refuse(f"expected examples on axis {axis} of its inputs")
    results = [_for_many(node, values, types, opset, axis, count) for count in BATCHES]
    inner = NodeSite(at.builder, at.function, at.label, at.name, (results[0], results[1]), True, axis)
    runs = []
    for place in range(counts.pop()):
        examples = dict(values)
        for name, x in whole.items():
            one = steps.part(inner, x, axis, place, place + 1)
            examples[name] = replace(inner.view(one, x.shape[:axis] + x.shape[axis + 1 :]), axis=axis)
        runs.append(placed(inner, _called(node, inner, examples)))
    if isinstance(runs[0], tuple):
        return tuple(_joined(inner, results) for results in zip(*runs, strict=True))
    return _joined(inner, runs)


def _for_many(
    node: onnx.NodeProto, values: Inputs, types: Types, opset: int, axis: int, count: int
) -> Seen | tuple[Seen, ...]:
    """Infer the results of a node for another number of examples.

    Args:
        node: The node.
        values: Its inputs.
        types: Their types.
        opset: The opset of ONNX's own operators.
        axis: The axis of the batch in its inputs.
        count: The number of examples.
    """
    many = dict(types)
    for name, value in values.items():
        if isinstance(value, Unbatched):
            kind = onnx.TypeProto()
            kind.CopyFrom(types[name])
            kind.tensor_type.shape.dim[axis].dim_value = count
            many[name] = kind
    many |= results_of(node, many, arrays_of(values, 0), opset)
    if node.op_type in SEVERAL:
        return tuple(seen(many.get(name)) for name in node.output)
    return seen(many[node.output[0]])


def _joined(at: NodeSite, results: Sequence[Any]) -> Any:
    """Return the values of all examples beside each other, on the axis of the batch."""
    first = results[0]
    if not isinstance(first, Value):
        return first
    axis = first.axis
    shape = (*first.shape[:axis], 1, *first.shape[axis:])
    each = [at.view(replace(one, axis=0), shape) for one in results]
    if len(each) == 1:
        return Unbatched(each[0])
    out = (*shape[:axis], len(each), *shape[axis + 1 :])
    return Unbatched(at.step("concat", *each, out=out, axis=axis))
