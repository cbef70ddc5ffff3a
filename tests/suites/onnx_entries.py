"""Import ONNX models that come with data, and hold the values against those that they expect."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import numpy_helper

from deltawire import Client, Refused
from deltawire.importers.onnx import from_onnx

Arrays = list[Any]


class Expected(NamedTuple):
    """Inputs of a model and the outputs that they give."""

    inputs: Arrays
    outputs: Arrays


@cache
def client() -> Client:
    return Client()


def differs(model: onnx.ModelProto, data: Sequence[Expected], rtol: float, atol: float) -> str:
    """Import a model in the first way that there is, and return how it differs from what it expects.

    It is imported as it is, or else with all inputs but the first stored, as an exporter keeps weights; each
    with the leading axis as the batch, or else with a run of the model as an example.

    Args:
        model: The model.
        data: What it expects.
        rtol: The allowed difference, relative to the number.
        atol: The allowed difference.

    Returns:
        The difference; "" when there is none.

    Raises:
        Refused: No way imports it.
    """
    refusals: list[Refused] = []
    read = [Expected([as_array(one) for one in pair.inputs], pair.outputs) for pair in data]
    for variant, sets in variants(model, read):
        rows = {np.shape(array)[:1] for expected in sets for array in expected.inputs}
        for batched in (None, False) if len(rows) == 1 else (False,):
            try:
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("ignore")  # numpy's, of ONNX's reference evaluator
                    imported = from_onnx(variant, batched=batched, client=client())
            except Refused as refused:
                refusals.append(refused)
                continue
            differences = (compared(variant, imported, expected, rtol, atol) for expected in sets)
            return next(filter(None, differences), "")
    raise refusals[-1]


def as_array(given: Any) -> Any:
    return numpy_helper.to_array(given) if isinstance(given, onnx.TensorProto) else given


def variants(
    model: onnx.ModelProto, data: Sequence[Expected]
) -> Iterator[tuple[onnx.ModelProto, Sequence[Expected]]]:
    """Yield a model with its data, and again with all inputs but the first as initializers."""
    yield model, data
    slots = _inputs(model)
    if len(slots) == 1 or len(data) > 1:
        return
    stored = onnx.ModelProto()
    stored.CopyFrom(model)
    stored.ir_version = max(stored.ir_version, 4)  # before, every initializer is an input too
    first, *others = zip(slots, data[0].inputs, strict=True)
    for name, array in others:
        stored.graph.initializer.append(numpy_helper.from_array(np.asarray(array), name))
    kept = [slot for slot in stored.graph.input if slot.name not in dict(others)]
    del stored.graph.input[:]
    stored.graph.input.extend(kept)
    yield stored, [Expected([first[1]], data[0].outputs)]


def _inputs(model: onnx.ModelProto) -> list[str]:
    stored = {one.name for one in model.graph.initializer}
    return [slot.name for slot in model.graph.input if slot.name not in stored]


def compared(model: onnx.ModelProto, imported: Any, expected: Expected, rtol: float, atol: float) -> str:
    """Compute a network, and return how it differs from what its model expects.

    Args:
        model: The model.
        imported: The network.
        expected: The inputs and outputs of a run.
        rtol, atol: The allowed difference.
    """
    network, params, constants, outputs = imported
    spec = network.spec()
    used = {name for node in spec["nodes"] for name in node["inputs"]}
    feeds = dict(zip(_inputs(model), expected.inputs, strict=True))
    notes = spec.get("metadata", {})
    data = {}
    for name, slot in spec["inputs"].items():
        if name not in used or name in constants or "parameter" in slot:
            continue
        array = np.asarray(feeds[notes.get(f"data/{name}", name)])
        whole = array.ndim == len(slot["shape"])
        if array.dtype.kind in "iub":
            array = array.astype(np.int64)
        data[name] = array[None] if whole else array
    fixed = {name: array for name, array in constants.items() if name in used}
    names = list(dict.fromkeys(outputs))
    values = client().forward(network, params, fixed | data, names, non_finite="return")
    for place, (name, right) in enumerate(zip(outputs, expected.outputs, strict=True)):
        ours = values[name]
        if ours.shape == (1, *right.shape):
            ours = ours[0]  # an example was the whole run
        if ours.dtype != right.dtype or ours.shape != right.shape:
            return f"output {place} is {ours.dtype} {ours.shape} instead of {right.dtype} {right.shape}"
        if not np.allclose(ours, right, rtol=rtol, atol=atol, equal_nan=True):
            return f"output {place} is off by {np.abs(ours - right).max()}"
    return ""
