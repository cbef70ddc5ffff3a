"""Decide how the inputs of an ONNX model are examples of a network."""

from __future__ import annotations

from dataclasses import dataclass

import onnx

from deltawire.errors import Fault, Refused
from deltawire.importers.onnx.model import inputs_of
from deltawire.importers.operands import BATCHES, Shape


@dataclass(frozen=True)
class Reading:
    """How the inputs of a model are examples.

    Args:
        batched: Every input has the batch on one of its axes; if not, an example is a run of the model.
        drops_ones: A leading axis of size 1 is no part of an example.
    """

    batched: bool
    drops_ones: bool = False

    def example(self, shape: Shape, axis: int = 0) -> Shape:
        """Return the shape of an example of an input or output of this shape, with the batch on an axis."""
        if self.batched or (self.drops_ones and shape[:1] == (1,)):
            return shape[:axis] + shape[axis + 1 :]
        return shape

    def batch_axis(self, slot: onnx.ValueInfoProto) -> int:
        """Return the axis of the batch in an input: the leading one, or the only dynamic one behind it."""
        dims = slot.type.tensor_type.shape.dim
        dynamic = [
            place for place, dim in enumerate(dims) if not dim.HasField("dim_value") or dim.dim_value < 0
        ]
        behind = self.batched and len(dynamic) == 1 and dims[0].dim_value > 1
        return dynamic[0] if behind else 0

    def types(self, slot: onnx.ValueInfoProto) -> tuple[onnx.TypeProto, onnx.TypeProto]:
        """Return the types of an input for batches of `BATCHES` examples.

        Raises:
            Refused: Sizes are missing, or the leading axis.
        """
        types = []
        for count in BATCHES:
            kind = onnx.TypeProto()
            kind.CopyFrom(slot.type)
            dims = kind.tensor_type.shape.dim
            if self.batched and dims:
                dims[self.batch_axis(slot)].dim_value = count
            unknown = [place for place, dim in enumerate(dims) if dim.dim_value < 1]
            if unknown or (self.batched and not dims):
                raise Refused([Fault("", "not_expressible", self._missing(slot, unknown))])
            types.append(kind)
        return types[0], types[1]

    def _missing(self, slot: onnx.ValueInfoProto, unknown: list[int]) -> str:
        expected = "numbers for its axes"
        if self.batched:
            expected = "a leading axis for the batch, and numbers for the others"
        detail = f"input '{slot.name}': expected {expected}"
        if not unknown:
            return f"{detail}; batched=False imports a model without a batch"
        dims = slot.type.tensor_type.shape.dim
        names = [dims[place].dim_param or f"{slot.name}.{place}" for place in unknown]
        return f"{detail}; give sizes={{{', '.join(f'{name!r}: …' for name in names)}}}"


def readings_of(model: onnx.ModelProto, batched: bool | None) -> list[Reading]:
    """Return the readings of a model to try, in order.

    Args:
        model: The model.
        batched: Whether the leading axis of its inputs is the batch; None: yes, and where all sizes are fixed
            and a batch is of size 1, a run of the model is an example too.

    Raises:
        Refused: The inputs have fixed leading axes of different sizes, which cannot be one batch.
    """
    leading = {shape[0] for shape in _shapes(model) if shape}
    fixed = has_fixed_sizes(model)
    if batched is not False and fixed and len(leading) > 1 and (batched or 1 not in leading):
        sizes = ", ".join(map(str, sorted(leading)))
        detail = (
            f"its inputs have leading axes of the sizes {sizes}: batched=False imports it without a batch"
        )
        raise Refused([Fault("", "not_expressible", detail)])
    if batched is not None:
        return [Reading(batched)]
    runs = [Reading(False, drops_ones=True)] if fixed and 1 in leading else []
    return runs if len(leading) > 1 and runs else [Reading(True), *runs]


def has_fixed_sizes(model: onnx.ModelProto) -> bool:
    """Return True when no axis of a model's inputs is dynamic."""
    return all(size > 0 for shape in _shapes(model) for size in shape)


def _shapes(model: onnx.ModelProto) -> list[list[int]]:
    """Return the sizes of the axes of each input, 0 for a dynamic one."""
    return [[dim.dim_value for dim in slot.type.tensor_type.shape.dim] for slot in inputs_of(model.graph)]
