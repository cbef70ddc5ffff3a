"""Run the original ONNX model by ONNX's reference evaluator, to compare an import with it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import helper, reference

from deltawire.importers.builder import Imported
from deltawire.importers.comparison import FLOAT32
from deltawire.wire import Array


class Original:
    """A model that takes data by the names of the imported network's inputs. It has no gradients."""

    within: Mapping[str, float] = {
        "float32": FLOAT32,
        "float64": FLOAT32,
    }  # norms may compute in float32 (stash_type)

    def __init__(self, model: onnx.ModelProto, imported: Imported):
        notes = imported.network.metadata
        inputs = [one for one in imported.network.spec()["inputs"] if one not in imported.constants]
        self._names = {name: notes.get(f"data/{name}", name) for name in inputs}
        self._dtypes = {
            slot.name: helper.tensor_dtype_to_np_dtype(slot.type.tensor_type.elem_type)
            for slot in model.graph.input
        }
        floats = {name: self._dtypes[there] for name, there in self._names.items()}
        self.examples: Mapping[str, Array] = {
            name: np.empty(0, dtype) for name, dtype in floats.items() if dtype.kind == "f"
        }
        self._evaluator = reference.ReferenceEvaluator(model)

    def run(self, data: Mapping[str, Array]) -> list[Array]:
        """Return the outputs of the model for a batch, in order."""
        feeds = {there: data[name].astype(self._dtypes[there]) for name, there in self._names.items()}
        with np.errstate(all="ignore"):
            return [np.asarray(result) for result in self._evaluator.run(None, feeds)]

    def gradients(self, data: Mapping[str, Array], cotangents: list[Array]) -> dict[str, Array]:
        """Return no gradients: the reference evaluator computes values only."""
        return {}

    def named(self, products: Mapping[str, Array]) -> dict[str, Array]:
        """Return the products as they are."""
        return dict(products)
