"""The results of a batch's chunks put together: rows one below the other, sums over the batch added up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from deltawire_layers import Array, Shape
from deltawire_service.engine.execute.backprop import Pass
from deltawire_service.engine.execute.finite import all_finite
from deltawire_service.engine.graph import Graph


class BatchResult:
    """Values, deltas and gradients of all rows of a batch.

    Args:
        network: the network that is computed.
        batch: number of rows.
        dtype: the one float dtype of all arrays.

    Attributes:
        values: (batch, *shape) by node, losses included.
    """

    def __init__(self, network: Graph, batch: int, dtype: np.dtype[Any]):
        self.values: dict[str, Array] = {}
        self._deltas: dict[str, Array] = {}
        self._gradients: dict[str, Array] = {}
        self._sums: set[str] = set()
        self._finite = True
        self._network = network
        self._batch = batch
        self._dtype = dtype

    def add(self, start: int, rows: Pass) -> None:
        """Add what a pass over the rows from `start` on has computed."""
        inputs = self._network.inputs
        for name, value in rows.values.items():
            self._place(self.values, name, start, value)
        for name, delta in rows.deltas.items():
            if name in inputs and inputs[name].shared:
                self._add(self._deltas, name, delta.sum(axis=0))
            else:
                self._place(self._deltas, name, start, delta)
        for name, gradient in rows.grads.items():
            self._add(self._gradients, name, gradient)
        self._finite = self._finite and rows.finite

    def deltas(self, names: Iterable[str]) -> dict[str, Array]:
        """Return ∂loss/∂value of nodes, (batch, *shape), and of inputs, (*shape) where these are shared.

        Nodes and inputs that do not lead to the loss have zeros.
        """
        deltas = self._deltas
        return {
            name: deltas[name] if name in deltas else np.zeros(self._delta_shape(name), self._dtype)
            for name in names
        }

    def gradients(self, names: Iterable[str]) -> dict[str, Array]:
        """Return ∂loss/∂parameter; parameters that the loss does not depend on have zeros."""
        gradients, parameters = self._gradients, self._network.parameters
        return {
            name: gradients[name] if name in gradients else np.zeros(parameters[name].shape, self._dtype)
            for name in names
        }

    @property
    def finite(self) -> bool:
        """Tell whether every number of the gradients is finite. Passes test their own; this adds the sums."""
        sums = self._sums & self._gradients.keys()
        return self._finite and all_finite(self._gradients[name] for name in sums)

    def _delta_shape(self, name: str) -> Shape:
        if name in self._network.inputs:
            return self._network.inputs[name].array_shape(self._batch)
        return (self._batch, *self._network.nodes[name].shape)

    def _place(self, arrays: dict[str, Array], name: str, start: int, rows: Array) -> None:
        if len(rows) == self._batch:
            arrays[name] = rows
            return
        if name not in arrays:
            arrays[name] = np.empty((self._batch, *rows.shape[1:]), rows.dtype)
        arrays[name][start : start + len(rows)] = rows

    def _add(self, arrays: dict[str, Array], name: str, part: Array) -> None:
        """Add a part of a sum over the batch. The first part may belong to a layer: it is not written to."""
        if name not in arrays:
            arrays[name] = part
        elif name in self._sums:
            arrays[name] += part
        else:
            arrays[name] = arrays[name] + part
            self._sums.add(name)
