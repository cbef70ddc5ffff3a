"""The results of a batch's chunks put together: rows one below the other, sums over the batch added up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from deltawire_layers import Array, Shape
from deltawire_layers import sums as layer_sums
from deltawire_service.engine.execute.backprop import Pass
from deltawire_service.engine.execute.finite import all_finite
from deltawire_service.engine.execute.sums import SegmentedSums
from deltawire_service.engine.graph import Graph


class SegmentResult(NamedTuple):
    """The result of one segment as data, which another process may have computed."""

    values: dict[str, Array]
    """(rows, *shape) by node; deltas and examples have a row for each example, too."""
    deltas: dict[str, Array]
    examples: dict[str, Array]
    sums: dict[str, Array]
    """Gradients by parameter, and deltas of shared inputs, summed over the rows."""
    finite: bool
    """Whether every gradient is finite."""


class BatchResult:
    """Values, deltas and gradients of the rows of a batch.

    Args:
        network: the network that is computed.
        rows: the rows: those of the whole batch, or of one segment.
        dtype: the one float dtype of all arrays.
        chunks: number of chunks of the batch; 1 for a segment, within which there are no others.

    Attributes:
        values: (rows, *shape) by node, losses included.
        examples: other arrays with a row for each example, (rows, ...), as `Pass.examples`.
    """

    def __init__(self, network: Graph, rows: range, dtype: np.dtype[Any], chunks: int):
        self.values: dict[str, Array] = {}
        self.examples: dict[str, Array] = {}
        self._deltas: dict[str, Array] = {}
        self._sums = SegmentedSums(chunks)
        self._finite = True
        self._network = network
        self._rows = rows
        self._dtype = dtype

    def add(self, start: int, chunk: Pass) -> None:
        """Add what a pass over the rows from `start` on has computed; chunks come in order."""
        inputs, sums = self._network.inputs, self._sums
        for name, value in chunk.values.items():
            self._place(self.values, name, start, value)
        for name, delta in chunk.deltas.items():
            if name in inputs and inputs[name].shared:
                sums.add(name, layer_sums.sum_batch(delta))
            else:
                self._place(self._deltas, name, start, delta)
        for name, array in chunk.examples.items():
            self._place(self.examples, name, start, array)
        for name, gradient in chunk.grads.items():
            sums.add(name, gradient)
        sums.end_chunk()
        self._finite = self._finite and chunk.finite

    def take(self, whole: Pass) -> None:
        """Take the results of the only pass, which is over all rows. They belong to both from then on."""
        self.values, self.examples, self._finite = whole.values, whole.examples, whole.finite
        self._sums.take(whole.grads)
        inputs = self._network.inputs
        for name, delta in whole.deltas.items():
            if name in inputs and inputs[name].shared:
                self._sums.add(name, layer_sums.sum_batch(delta))
            else:
                self._deltas[name] = delta

    def as_segment(self) -> SegmentResult:
        """Return what there is, for `add_segment` of the whole batch's result."""
        return SegmentResult(self.values, self._deltas, self.examples, self._sums.total.arrays, self._finite)

    def add_segment(self, start: int, segment: SegmentResult) -> None:
        """Add the result of the segment that begins with the row `start`; segments come in order."""
        for arrays, parts in (
            *((self.values, segment.values), (self._deltas, segment.deltas)),
            (self.examples, segment.examples),
        ):
            for name, part in parts.items():
                self._place(arrays, name, start, part)
        self._sums.total.add_all(segment.sums)
        self._finite = self._finite and segment.finite

    def deltas(self, names: Iterable[str]) -> dict[str, Array]:
        """Return ∂loss/∂value of nodes, (rows, *shape), and of inputs, (*shape) where these are shared.

        Nodes and inputs that do not lead to the loss have zeros.
        """
        deltas, sums = self._deltas, self._sums.total.arrays
        return {
            name: deltas[name]
            if name in deltas
            else sums[name]
            if name in sums
            else np.zeros(self._delta_shape(name), self._dtype)
            for name in names
        }

    def gradients(self, names: Iterable[str]) -> dict[str, Array]:
        """Return ∂loss/∂parameter; parameters that the loss does not depend on have zeros."""
        sums, parameters = self._sums.total.arrays, self._network.parameters
        return {
            name: sums[name] if name in sums else np.zeros(parameters[name].shape, self._dtype)
            for name in names
        }

    @property
    def finite(self) -> bool:
        """Tell whether every number of the sums is finite. Passes test their own gradients only."""
        return self._finite and (self._sums.chunks == 1 or all_finite(self._sums.total.arrays.values()))

    def _delta_shape(self, name: str) -> Shape:
        rows = len(self._rows)
        if name in self._network.inputs:
            return self._network.inputs[name].array_shape(rows)
        return (rows, *self._network.nodes[name].shape)

    def _place(self, arrays: dict[str, Array], name: str, start: int, part: Array) -> None:
        """Put rows where they belong; those of a single chunk are the whole."""
        if len(part) == len(self._rows):
            arrays[name] = part
            return
        if name not in arrays:
            arrays[name] = np.empty((len(self._rows), *part.shape[1:]), part.dtype)
        start -= self._rows.start
        arrays[name][start : start + len(part)] = part
