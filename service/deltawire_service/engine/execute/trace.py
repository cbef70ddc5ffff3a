"""The trace of a request: every array of the forward and the backward pass, in the order of computation.

Small arrays are kept whole, and a summary of large ones, so that a trace is bounded whatever the network and
the batch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import hypot, isfinite, prod
from typing import Any

import numpy as np

from deltawire_layers import Array, Shape
from deltawire_service.engine.execute.backprop import Observer
from deltawire_service.engine.execute.sums import SegmentedSums
from deltawire_service.engine.graph import Node
from deltawire_service.engine.plan.program import ArrayRole, Program

MOST_NUMBERS = 4096
"""Numbers in the largest array that is kept whole."""
ALL_NUMBERS = 2**18
"""Numbers kept in one trace: of many arrays, fewer are kept of each."""
SAMPLE = 16
"""Numbers kept of an array that is too large, at even distances from its first to its last."""


def norm_of(numbers: Array) -> float:
    """Return √Σx² of a vector, whatever the size of its numbers.

    The square of 1e-200 is 0, and that of 1e200 infinite: the numbers are divided by a power of two first.
    """
    largest = float(np.abs(numbers).max(initial=0))
    if largest == 0 or not isfinite(largest):
        return largest
    exponent = int(np.frexp(largest)[1])
    scaled = np.ldexp(numbers.astype(np.float64), -exponent)
    return float(np.ldexp(np.sqrt(np.einsum("i,i->", scaled, scaled)), exponent))


class TracedArray:
    """One array of a trace: its shape, its least and largest number, its norm, and its numbers or a sample.

    Args:
        shape: the shape of the whole array, (batch, *shape) for values and deltas.
        dtype: dtype of the numbers.
        most: how many numbers the array may have to be kept whole.

    Attributes:
        min, max: the least and the largest number; NaN where any is NaN.
        whole: whether all numbers are kept.
    """

    def __init__(self, shape: Shape, dtype: np.dtype[Any], most: int):
        self.shape = shape
        self.min, self.max = np.inf, -np.inf
        self.whole = prod(shape) <= most
        count = prod(shape) if self.whole else SAMPLE
        self._places = np.linspace(0, prod(shape) - 1, count).round().astype(int)
        self._numbers = np.zeros(count, dtype)
        self._norm = 0.0

    def see(self, start: int, rows: Array) -> None:
        """Take in the rows of the array from `start` on."""
        first = start * prod(self.shape[1:])
        here = (self._places >= first) & (self._places < first + rows.size)
        self._numbers[here] = rows.reshape(-1)[self._places[here] - first]
        # Not fmin and fmax, which would hide a NaN.
        self.min = float(np.minimum(self.min, rows.min(initial=np.inf)))
        self.max = float(np.maximum(self.max, rows.max(initial=-np.inf)))
        self._norm = hypot(self._norm, norm_of(rows.reshape(-1)))

    @property
    def norm(self) -> float:
        """√Σx² over all numbers."""
        return self._norm

    @property
    def numbers(self) -> Array:
        """All numbers in the array's shape; where it is not whole, a sample, (SAMPLE,)."""
        return self._numbers.reshape(self.shape) if self.whole else self._numbers


@dataclass
class SentDelta:
    """The delta that a node sends to one of its inputs."""

    position: int
    source: str
    delta: TracedArray
    local: TracedArray | None = None
    """∂value/∂input, where the layer is elementwise."""


@dataclass
class TracedNode:
    """A node in the backward pass."""

    delta: TracedArray
    sends: list[SentDelta] = field(default_factory=list)
    gradients: dict[str, TracedArray] = field(default_factory=dict)
    """By parameter: the node's share of its gradient."""


class Trace:
    """The arrays of a request.

    Args:
        program: the steps that are traced.
        batch: number of examples.
        dtype: the one float dtype of all arrays.
        chunks: number of chunks of the batch.

    Attributes:
        forward: values by node, in the order of the forward pass.
        backward: deltas and gradients by node, in the order of the backward pass.
    """

    def __init__(self, program: Program, batch: int, dtype: np.dtype[Any], chunks: int):
        self.forward: dict[str, TracedArray] = {}
        self.backward: dict[str, TracedNode] = {}
        arrays = len(program.forward) + sum(
            1 + len(step.grads) + 2 * len(step.deltas) for step in program.backward
        )
        self._most = min(MOST_NUMBERS, max(SAMPLE, ALL_NUMBERS // max(1, arrays)))
        self._batch = batch
        self._dtype = dtype
        self._chunks = chunks
        self._sums = SegmentedSums(chunks)
        self._shares: dict[str, tuple[Node, str]] = {}

    def observer(self, start: int) -> Observer:
        """Return an observer for a pass over the rows from `start` on."""

        def see(node: Node, role: ArrayRole, array: Array) -> None:
            if role.kind == "gradient":  # chunks add up
                share = f"{node.name}.{role.name}"
                self._shares[share] = node, node.parameters[role.name]
                self._sums.add(share, array)
            else:
                self._at(node, role, array.shape[1:]).see(start, array)

        return see

    def end_chunk(self) -> None:
        """Go on to the next chunk; after the last one, take in the gradients."""
        self._sums.end_chunk()
        if self._sums.chunks == self._chunks:
            for share, array in self._sums.total.arrays.items():
                node, parameter = self._shares[share]
                traced = TracedArray(array.shape, self._dtype, self._most)
                traced.see(0, array)
                self.backward[node.name].gradients[parameter] = traced

    def _at(self, node: Node, role: ArrayRole, shape: Shape) -> TracedArray:
        """Return the traced array of a role at a node; the first chunk makes it."""

        def new() -> TracedArray:
            return TracedArray((self._batch, *shape), self._dtype, self._most)

        if role.kind == "value":
            return self.forward.setdefault(node.name, new())
        traced = self.backward.get(node.name)
        if traced is None:
            traced = self.backward[node.name] = TracedNode(new())
        if role.kind == "delta":
            return traced.delta
        sent = next((sent for sent in traced.sends if sent.position == role.position), None)
        if sent is None:
            sent = SentDelta(role.position, role.name, new())
            traced.sends.append(sent)
        if role.kind == "sent":
            return sent.delta
        sent.local = sent.local or new()
        return sent.local
