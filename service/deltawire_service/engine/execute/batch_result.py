"""What the chunks of a batch give, put together: rows one below the other, gradients added."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deltawire_layers import Array, Shape
from deltawire_service.engine.execute.backprop import Pass, is_finite
from deltawire_service.engine.graph import InputSpec


class BatchResult:
    """Of all rows together, by name: the values of nodes, the deltas of nodes and inputs, and gradients."""

    def __init__(self, batch: int, dtype: np.dtype[Any], inputs: Mapping[str, InputSpec]):
        self.values: dict[str, Array] = {}
        self._deltas: dict[str, Array] = {}
        self._gradients: dict[str, Array] = {}
        self._sums: set[str] = set()
        self._finite = True
        self._batch = batch
        self._dtype = dtype
        self._inputs = inputs

    def add(self, start: int, done: Pass) -> None:
        """What a pass over the rows from `start` on has given."""
        for name, rows in done.values.items():
            self._place(self.values, name, start, rows)
        for name, rows in done.deltas.items():
            input_spec = self._inputs.get(name)
            if input_spec is not None and input_spec.shared:
                self._add(self._deltas, name, rows.sum(axis=0))
            else:
                self._place(self._deltas, name, start, rows)
        for name, gradient in done.grads.items():
            self._add(self._gradients, name, gradient)
        self._finite = self._finite and done.finite

    def delta(self, name: str, shape: Shape) -> Array:
        """∂loss/∂value of a node or an input; zeros where nothing of it leads to the loss."""
        return self._deltas[name] if name in self._deltas else np.zeros(shape, self._dtype)

    def gradient(self, name: str, shape: Shape) -> Array:
        """∂loss/∂parameter, likewise."""
        return self._gradients[name] if name in self._gradients else np.zeros(shape, self._dtype)

    @property
    def finite(self) -> bool:
        """Whether all gradients are finite: each by itself was looked at in its pass, not yet their sums."""
        sums = self._sums & self._gradients.keys()
        return self._finite and all(is_finite(self._gradients[name]) for name in sums)

    def _place(self, batch_results: dict[str, Array], name: str, start: int, rows: Array) -> None:
        if len(rows) == self._batch:
            batch_results[name] = rows
            return
        if name not in batch_results:
            batch_results[name] = np.empty((self._batch, *rows.shape[1:]), rows.dtype)
        batch_results[name][start : start + len(rows)] = rows

    def _add(self, batch_results: dict[str, Array], name: str, part: Array) -> None:
        """A share of a sum over the batch. Layers may give back what is theirs: the sum is ours."""
        if name not in batch_results:
            batch_results[name] = part
        elif name in self._sums:
            batch_results[name] += part
        else:
            batch_results[name] = batch_results[name] + part
            self._sums.add(name)
