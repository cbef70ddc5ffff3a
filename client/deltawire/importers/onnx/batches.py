"""Know the types of all results of a model for batches of two sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import onnx
from onnx import shape_inference

from deltawire.errors import Fault, Refused
from deltawire.importers.onnx.constants import ByBatch
from deltawire.importers.onnx.inference import Seen, Types, results_of, seen, type_of
from deltawire.importers.operands import BATCHES, Stored
from deltawire.wire import Array


class Batches:
    """The types of inputs, initializers and results by name, for batches of `BATCHES` examples."""

    def __init__(self) -> None:
        self.types: tuple[Types, Types] = ({}, {})

    def keep(self, name: str, types: Sequence[onnx.TypeProto]) -> None:
        """Keep the types of a result for both batches."""
        for known, kind in zip(self.types, types, strict=True):
            known[name] = kind

    def keep_array(self, name: str, value: Any) -> None:
        """Keep the type of a result whose numbers are known; do nothing for any other."""
        if isinstance(value, Stored):
            self.keep(name, [type_of(value.array)] * 2)
        elif isinstance(value, ByBatch):
            self.keep(name, [type_of(array) for array in value.arrays])

    def keep_as(self, name: str, other: str) -> None:
        """Keep the types of another result under a second name."""
        for known in self.types:
            if other in known:
                known[name] = known[other]

    def seen(self, name: str) -> tuple[Seen, Seen]:
        """Return the shape and dtype of a result for both batches."""
        first, second = (seen(known.get(name)) for known in self.types)
        return first, second

    def infer(self, node: onnx.NodeProto, values: Mapping[str, Any], opset: int) -> None:
        """Infer the types of the results of a node.

        Args:
            node: The node.
            values: Its inputs by name: their types are known, and the numbers of those that are arrays.
            opset: The opset of ONNX's own operators.

        Raises:
            Refused: A batch does not fit the node.
        """
        for batch, types in enumerate(self.types):
            try:
                types.update(results_of(node, types, arrays_of(values, batch), opset))
            except shape_inference.InferenceError as error:
                why = "does not take the shapes of its inputs"
                if any(self.types[0][name] != self.types[1][name] for name in node.input if name):
                    why = f"does not take batches of {BATCHES[batch]}: export it with a dynamic batch axis"
                raise Refused([Fault("", "not_expressible", f"{why} ({error})")]) from error


def arrays_of(values: Mapping[str, Any], batch: int) -> dict[str, Array]:
    """Return the numbers of the values that are known, for one of the two batches."""
    stored = {name: one.array for name, one in values.items() if isinstance(one, Stored)}
    return stored | {name: one.arrays[batch] for name, one in values.items() if isinstance(one, ByBatch)}
