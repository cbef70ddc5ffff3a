"""Run the original ONNX model by ONNX's reference evaluator, to compare an import with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from onnx import helper, reference

from deltawire.importers.builder import Imported
from deltawire.importers.comparison import FLOAT32
from deltawire.importers.onnx.readings import Reading
from deltawire.importers.onnx.reference_operators import LRN, LpNormalization
from deltawire.wire import Array


class Original:
    """A model that takes data by the names of the imported network's inputs. It has no gradients.

    Args:
        model: The model.
        imported: The network.
        reading: How the inputs of the model are examples.
        output_axes: The axis of the batch in each of its outputs.
    """

    within: Mapping[str, float] = {
        "float32": FLOAT32,
        "float64": FLOAT32,
    }  # norms may compute in float32 (stash_type)

    def __init__(
        self, model: onnx.ModelProto, imported: Imported, reading: Reading, output_axes: Sequence[int]
    ):
        notes = imported.network.metadata
        inputs = [one for one in imported.network.spec()["inputs"] if one not in imported.constants]
        self._names = {name: notes.get(f"data/{name}", name) for name in inputs}
        slots = {slot.name: slot.type.tensor_type for slot in model.graph.input}
        self._dtypes = {name: helper.tensor_dtype_to_np_dtype(slot.elem_type) for name, slot in slots.items()}
        self._shapes = {name: [dim.dim_value for dim in slot.shape.dim] for name, slot in slots.items()}
        self._reading = reading
        self._input_axes = {slot.name: reading.batch_axis(slot) for slot in model.graph.input}
        self._output_axes = output_axes
        floats = {name: self._dtypes[there] for name, there in self._names.items()}
        self.examples: Mapping[str, Array] = {
            name: np.empty(0, dtype) for name, dtype in floats.items() if dtype.kind == "f"
        }
        self._evaluator = reference.ReferenceEvaluator(model, new_ops=[LRN, LpNormalization])

    def run(self, data: Mapping[str, Array]) -> list[Array]:
        """Return the outputs of the model for a batch, in order, with the batch on the leading axis."""
        feeds = {there: data[name].astype(self._dtypes[there]) for name, there in self._names.items()}
        if self._reading.batched:
            moved = {name: np.moveaxis(array, 0, self._input_axes[name]) for name, array in feeds.items()}
            outputs = zip(self._run(moved), self._output_axes, strict=True)
            return [np.moveaxis(array, axis, 0) for array, axis in outputs]
        examples = [dict(zip(feeds, rows, strict=True)) for rows in zip(*feeds.values(), strict=True)]
        runs = [
            self._run({name: row.reshape(self._shapes[name]) for name, row in one.items()})
            for one in examples
        ]
        stacked = [np.stack(outputs) for outputs in zip(*runs, strict=True)]
        return [all.reshape(len(all), *self._reading.example(all.shape[1:])) for all in stacked]

    def _run(self, feeds: Mapping[str, Array]) -> list[Array]:
        with np.errstate(all="ignore"):
            return [np.asarray(result) for result in self._evaluator.run(None, dict(feeds))]

    def gradients(self, data: Mapping[str, Array], cotangents: list[Array]) -> dict[str, Array]:
        """Return no gradients: the reference evaluator computes values only."""
        return {}

    def named(self, products: Mapping[str, Array]) -> dict[str, Array]:
        """Return the products as they are."""
        return dict(products)
