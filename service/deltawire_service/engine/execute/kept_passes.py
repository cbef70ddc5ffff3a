"""Forward passes that are kept: a product of the same numbers begins where the values ended."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from threading import Lock
from time import perf_counter
from typing import Any, NamedTuple, Protocol

import numpy as np

from deltawire_layers import Activation, Array
from deltawire_service.engine.execute.backprop import Pass
from deltawire_service.engine.execute.finite import all_finite
from deltawire_service.engine.graph import Arrays, Node
from deltawire_service.engine.plan.memory_plan import Plan

MOST_PASSES = 8
"""Passes that are kept at once: clients compute a value, then its products."""

LEAST_OPERATIONS = 2**20
"""Operations of a pass that is worth it: a smaller one takes no longer than to find it again."""

FIRST_BYTES = 4096
"""Bytes that are compared before an array's others: most arrays that differ do so there."""


class Client(Protocol):
    """Whoever is answered now."""

    def owner(self) -> Hashable | None:
        """Return whose passes may be found; None where none may, and none is kept.

        None is right where numbers may change afterwards: parameters of a model, or arrays of a caller.
        """

    def on_reuse(self, seconds: float) -> None:
        """Note that a pass was found. seconds: how long that took."""


class Numbers(NamedTuple):
    """The numbers that a pass is computed from, and their owner."""

    owner: Hashable
    nodes: Mapping[str, Node]
    """The nodes of the network: the same object in every network that is derived from it."""
    dtype: np.dtype[Any]
    noise_seed: int | None
    params: Arrays
    data: Arrays

    def equal(self, other: Numbers) -> bool:
        """Tell whether these are the numbers of another pass, bit for bit."""
        return (
            self.owner == other.owner
            and self.nodes is other.nodes
            and self.dtype == other.dtype
            and self.noise_seed == other.noise_seed
            and _equal(self.data, other.data)
            and _equal(self.params, other.params)
        )


class KeptPass(NamedTuple):
    """A forward pass over a whole batch."""

    numbers: Numbers
    activations: Mapping[str, Activation]
    """By node: those whose equations can be called."""
    values: Mapping[str, Array]
    """(batch, *shape) by node: results."""
    bytes: int


class KeptPasses:
    """The last forward passes of a process. Shared between threads.

    Args:
        most_bytes: bytes that all of them may take.
        client: says whom they are for.
    """

    def __init__(self, most_bytes: int, client: Client):
        self._most_bytes = most_bytes
        self._client = client
        self._passes: list[KeptPass] = []
        """The least recently used first."""
        self._lock = Lock()

    def owner(self, plan: Plan) -> Hashable | None:
        """Return whose passes may be found; None where none may, or the pass is too large or too small.

        plan: of the pass.
        """
        fits = plan.chunks == 1 and kept_bytes(plan) <= self._most_bytes
        return self._client.owner() if fits and plan.operations >= LEAST_OPERATIONS else None

    def forward(self, rows: Pass, numbers: Numbers, plan: Plan) -> None:
        """Compute a forward pass, or continue one that is kept.

        Args:
            rows: the pass, over a whole batch.
            numbers: what it is computed from.
            plan: its plan.
        """
        started = perf_counter()
        if kept := self._find(rows, numbers):
            rows.resume(kept.activations, kept.values)
            self._client.on_reuse(perf_counter() - started)
            return
        rows.forward()
        if all_finite(rows.values.values()):
            self._put(KeptPass(numbers, rows.activations(), dict(rows.values), kept_bytes(plan)))

    def _find(self, rows: Pass, numbers: Numbers) -> KeptPass | None:
        needed, retained = set(rows.saved_nodes()), set(rows.program.retained)
        with self._lock:
            candidates = self._passes[::-1]
        for kept in candidates:
            enough = needed <= kept.activations.keys() and retained <= kept.values.keys()
            if enough and kept.numbers.equal(numbers):
                self._put(kept)
                return kept
        return None

    def _put(self, kept: KeptPass) -> None:
        """Make a pass the most recently used, and let go of the least recently used ones."""
        released = []  # freed outside the lock
        with self._lock:
            passes = [each for each in self._passes if each is not kept] + [kept]
            while len(passes) > MOST_PASSES or sum(each.bytes for each in passes) > self._most_bytes:
                released.append(passes.pop(0))
            self._passes = passes


def kept_bytes(plan: Plan) -> int:
    """Return the bytes of a pass: the numbers that came with its request, and what was computed from them."""
    return plan.given_bytes - plan.stored_bytes + plan.work_bytes


def _equal(ours: Arrays, theirs: Arrays) -> bool:
    return ours.keys() == theirs.keys() and all(_same(array, theirs[name]) for name, array in ours.items())


def _same(a: Array, b: Array) -> bool:
    if a is b:
        return True
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    x, y = _bytes(a), _bytes(b)
    return np.array_equal(x[:FIRST_BYTES], y[:FIRST_BYTES]) and np.array_equal(x, y)


def _bytes(array: Array) -> Array:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)
