"""The trace of a request: every array of the forward and the backward pass, in the order of computation.

It is a observer like any other: the passes do not know what becomes of what they show. Small arrays are kept
whole, of large ones a summary, so that a trace is bounded whatever the network and the batch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod, sqrt
from typing import Any

import numpy as np

from deltawire_layers import Array, Shape
from deltawire_service.engine.execute.backprop import Observer
from deltawire_service.engine.graph import Node
from deltawire_service.engine.plan.program import ArrayRole, Program

MOST_NUMBERS = 4096
"""Numbers in the largest array that is kept whole."""
ALL_NUMBERS = 2**18
"""Numbers kept in one trace: with many arrays, fewer of each."""
SAMPLE = 16
"""Numbers kept of an array that is too large, at even distances from its first to its last."""


class Traced:
    """One array: its shape, least and largest number, norm √Σx², and its numbers, or a sample of them."""

    def __init__(self, shape: Shape, dtype: np.dtype[Any], most: int):
        self.shape = shape
        self.min, self.max = np.inf, -np.inf
        self.whole = prod(shape) <= most
        kept = prod(shape) if self.whole else SAMPLE
        self._places = np.linspace(0, prod(shape) - 1, kept).round().astype(int)
        self._kept = np.zeros(kept, dtype)
        self._squares = 0.0

    def see(self, start: int, rows: Array) -> None:
        """Some rows of it, from `start` on."""
        first = start * prod(self.shape[1:])
        here = (self._places >= first) & (self._places < first + rows.size)
        self._kept[here] = rows.reshape(-1)[self._places[here] - first]
        # Not fmin and fmax: a number that is none shows.
        self.min = float(np.minimum(self.min, rows.min(initial=np.inf)))
        self.max = float(np.maximum(self.max, rows.max(initial=-np.inf)))
        flat = rows.reshape(-1)
        self._squares += float(np.einsum("i,i->", flat, flat, dtype=np.float64))

    @property
    def norm(self) -> float:
        return sqrt(self._squares)

    @property
    def numbers(self) -> Array:
        """All numbers in the array's shape; the sample, (SAMPLE,), when it is not whole."""
        return self._kept.reshape(self.shape) if self.whole else self._kept


@dataclass
class Sent:
    """The delta a node sends to one of its inputs; `local`: ∂value/∂input where it is number by number."""

    position: int
    source: str
    delta: Traced
    local: Traced | None = None


@dataclass
class Returned:
    """A node in the backward pass: its delta, what it sends down, its share of its parameters' gradients."""

    delta: Traced
    sends: list[Sent] = field(default_factory=list)
    gradients: dict[str, Traced] = field(default_factory=dict)


class Trace:
    """Values by node in the order of the forward pass, and what came back in that of the backward pass."""

    def __init__(self, program: Program, batch: int, dtype: np.dtype[Any]):
        self.values: dict[str, Traced] = {}
        self.returned: dict[str, Returned] = {}
        arrays = len(program.forward) + sum(
            1 + len(step.grads) + 2 * len(step.deltas) for step in program.backward
        )
        self._most = min(MOST_NUMBERS, max(SAMPLE, ALL_NUMBERS // max(1, arrays)))
        self._batch = batch
        self._dtype = dtype
        self._sums: dict[tuple[str, str], Array] = {}

    def observer(self, start: int) -> Observer:
        """A watch for a pass over rows from `start` on."""

        def see(node: Node, part: ArrayRole, array: Array) -> None:
            if part.what == "gradient":  # chunks add up
                key = (node.name, part.name)
                self._sums[key] = array = self._sums[key] + array if key in self._sums else array
                traced = Traced(array.shape, self._dtype, self._most)
                self.returned[node.name].gradients[node.parameters[part.name]] = traced
                traced.see(0, array)
            else:
                self._place(node, part, array.shape[1:]).see(start, array)

        return see

    def _place(self, node: Node, part: ArrayRole, shape: Shape) -> Traced:
        """Where an array of rows belongs; made when its first chunk comes."""

        def new() -> Traced:
            return Traced((self._batch, *shape), self._dtype, self._most)

        if part.what == "value":
            return self.values.setdefault(node.name, new())
        returned = self.returned.get(node.name)
        if returned is None:
            returned = self.returned[node.name] = Returned(new())
        if part.what == "delta":
            return returned.delta
        sent = next((sent for sent in returned.sends if sent.position == part.position), None)
        if sent is None:
            sent = Sent(part.position, part.name, new())
            returned.sends.append(sent)
        if part.what == "sent":
            return sent.delta
        sent.local = sent.local or new()
        return sent.local
