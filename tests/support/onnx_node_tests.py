"""The node tests of the onnx package, tried on the importer."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from deltawire import Client, DeltawireError
from deltawire.importers.onnx import from_onnx

STORED = "stored: "
"""Marks a model whose inputs other than the first are kept as initializers, as an exporter keeps weights."""


def node_tests() -> Iterator[tuple[str, Any]]:
    """Yield each node test as the package has it; those of several inputs a second time, with stored ones."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy's, about the numbers some tests are generated from
        from onnx.backend.test.case.node import collect_testcases

        cases = collect_testcases(None)
    for case in cases:
        yield case.name, (case.model, case.data_sets, case)
        if len(case.model.graph.input) > 1:
            yield f"{STORED}{case.name}", with_stored_inputs(case)


def with_stored_inputs(case: Any) -> Any:
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    first, *others = case.model.graph.input
    inputs, outputs = case.data_sets[0]
    for slot, array in zip(others, inputs[1:], strict=False):
        if isinstance(array, np.ndarray):
            model.graph.initializer.append(numpy_helper.from_array(array, slot.name))
    kept = {one.name for one in model.graph.initializer}
    remaining = [slot for slot in case.model.graph.input if slot.name not in kept]
    del model.graph.input[:]
    model.graph.input.extend(remaining)
    pairs = zip(case.model.graph.input, inputs, strict=False)
    return model, [([array for slot, array in pairs if slot.name not in kept], outputs)], case


def verdict(test: Any, client: Client) -> str:
    """Return "right", "wrong: …", "refused: …" or "crashed: …" for a node test."""
    model, data_sets, case = test
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            network, params, constants, outputs = from_onnx(model)
    except DeltawireError as error:
        return f"refused: {error}"
    except Exception as error:
        return f"crashed: {type(error).__name__}: {error}"
    spec = network.spec()
    used = {name for node in spec["nodes"] for name in node["inputs"]}
    for inputs, expected in data_sets:
        feeds = dict(zip((slot.name for slot in model.graph.input), inputs, strict=False))
        notes = spec.get("metadata", {})
        data = {
            name: as_sent(feeds[notes.get(f"data/{name}", name)], len(slot["shape"]))
            for name, slot in spec["inputs"].items()
            if name in used and name not in constants
        }
        fixed = {name: array for name, array in constants.items() if name in used}
        try:
            values = client.forward(
                network, params, fixed | data, list(dict.fromkeys(outputs)), non_finite="return"
            )
        except DeltawireError as error:
            return f"wrong: imported, but {error}"
        for name, right in zip(outputs, expected, strict=True):
            ours = values[name]
            if ours.shape == (1, *getattr(right, "shape", ())):
                ours = ours[0]  # an example is a run of the model
            if not isinstance(right, np.ndarray) or ours.dtype != right.dtype:
                return f"wrong: {ours.dtype} instead of {getattr(right, 'dtype', type(right))}"
            if ours.shape != right.shape:
                return f"wrong: shape {ours.shape} instead of {right.shape}"
            if not np.allclose(ours, right, rtol=case.rtol, atol=case.atol, equal_nan=True):
                return f"wrong: off by {np.abs(ours - right).max()}"
    return "right"


def as_sent(array: Any, rank: int) -> Any:
    """Return an array as a request takes it: integers as int64, and one example of this rank as a batch."""
    whole = array.astype(np.int64) if getattr(array, "dtype", np.dtype("f4")).kind in "iub" else array
    return whole[None] if np.ndim(whole) == rank else whole
