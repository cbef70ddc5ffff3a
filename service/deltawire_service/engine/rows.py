"""A batch in chunks of rows: bounded memory for any batch, the same cuts, so the same bits, every time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from math import inf, isfinite
from typing import Any, NamedTuple, TypeVar

import numpy as np

from deltawire.errors import Fault
from deltawire_layers import Array
from deltawire_service.engine.backprop import Pass, Watch, is_finite
from deltawire_service.engine.contract import read_only
from deltawire_service.engine.graph import Graph, Node
from deltawire_service.engine.plan import Plan
from deltawire_service.engine.program import Part, Program
from deltawire_service.engine.running import Spent, uncounted
from deltawire_service.engine.threads import Threads
from deltawire_service.engine.trace import Trace
from deltawire_service.engine.whole import Whole

T = TypeVar("T")


class Result(NamedTuple):
    """What `Network.gradients` answers; the parts that were not asked for are empty.

    loss: the reduced loss. losses: (batch,). params, data: gradients by name. values, deltas: (batch,
    *shape) by node. finite: whether every number of them is.
    """

    loss: float
    losses: Array
    params: dict[str, Array]
    data: dict[str, Array]
    values: dict[str, Array]
    deltas: dict[str, Array]
    finite: bool
    trace: Trace | None = None


quietly = np.errstate(all="ignore")
"""Overflow and the like show in the results, which are checked; numpy's warnings would only go to the log."""


def bounds(batch: int, chunks: int) -> list[tuple[int, int]]:
    """The batch cut into chunks as even as they come: (start, stop) of each."""
    return [(batch * chunk // chunks, batch * (chunk + 1) // chunks) for chunk in range(chunks)]


class NonFinite(Exception):
    """The first array with a number that is not finite, seen in the second pass."""

    def __init__(self, node: Node, what: str):
        self.node = node
        self.what = what


class Work(NamedTuple):
    """One request, checked and ready to compute: arrays in `dtype`, `batch` rows of data.

    Its methods raise DeadlineExceeded where they are not done at a time `until` (time.monotonic).
    spent: is told what each chunk took.
    starts: where deltas start, (batch, *shape) by node, in place of the loss.
    """

    network: Graph
    program: Program
    params: Mapping[str, Array]
    data: Mapping[str, Array]
    batch: int
    dtype: np.dtype[Any]
    plan: Plan
    threads: Threads
    reduction: str = "mean"
    spent: Spent = uncounted
    starts: Mapping[str, Array] | None = None

    @quietly
    def gradients(self, until: float = inf) -> Result:
        """Forward and backward over all chunks."""
        network, program, rows = self.network, self.program, (self.batch,)
        trace = Trace(program, self.batch, self.dtype) if program.wants.trace else None
        whole = self.whole(until, trace)
        losses = self.losses(whole)
        loss = float(self.reduced(losses))
        params = self.gradients_of(whole)
        finite = isfinite(loss) and whole.finite
        for name in network.regularization.parameters:
            if name in params and network.regularization.l2:
                params[name] = self.decayed(name, params[name])
                finite = finite and is_finite(params[name])
        data = self.data_deltas(whole)
        values = {name: whole.values[name] for name in program.values}
        deltas = {name: whole.delta(name, rows + network.nodes[name].shape) for name in program.deltas}
        for array in (*data.values(), *values.values(), *deltas.values()):
            finite = finite and is_finite(array)
        return Result(loss, losses, params, data, values, deltas, finite, trace)

    def gradients_of(self, whole: Whole) -> dict[str, Array]:
        """What came back to the parameters the program wants."""
        shapes = self.network.parameters
        return {name: whole.gradient(name, shapes[name].shape) for name in self.program.params}

    def data_deltas(self, whole: Whole) -> dict[str, Array]:
        """What came back to the inputs the program wants."""
        slots = ((name, self.network.inputs[name]) for name in self.program.data)
        return {
            name: whole.delta(name, slot.shape if slot.shared else (self.batch, *slot.shape))
            for name, slot in slots
        }

    @quietly
    def values(self, until: float = inf) -> tuple[dict[str, Array], bool]:
        """The values the program wants, (batch, *shape) by node, and whether they are finite."""
        whole = self.whole(until)
        values = {name: whole.values[name] for name in self.program.values}
        return values, all(map(is_finite, values.values()))

    @quietly
    def loss(self, until: float = inf) -> Any:
        """The reduced loss alone: complex when the arrays are."""
        return self.reduced(self.losses(self.whole(until)))

    def whole(self, until: float = inf, trace: Trace | None = None) -> Whole:
        """What forward and backward give over all chunks."""

        def compute(start: int, stop: int) -> tuple[int, Pass]:
            return start, self._pass(start, stop, until, trace.watch(start) if trace else None)

        whole = Whole(self.batch, self.dtype, self.network.inputs)
        work = self._replace(threads=Threads()) if trace else self  # a trace is written by one
        for start, done in work.chunks(compute):
            whole.add(start, done)
        return whole

    def chunks(self, compute: Callable[[int, int], T]) -> Iterator[T]:
        """What `compute(start, stop)` gives for each chunk of rows, in order."""
        if self.plan.chunks == 1:
            yield self.threads.alone(lambda: compute(0, self.batch), self.plan.cost_bytes)
            return
        with closing(self.threads.map(compute, bounds(self.batch, self.plan.chunks))) as results:
            yield from results

    def _pass(self, start: int, stop: int, until: float = inf, watch: Watch | None = None) -> Pass:
        """Forward and backward over the rows from start to stop."""
        done = self.forward(start, stop, until, watch)
        if self.program.backward:
            done.backward(self.cotangents(start, stop))
        self.account(done)
        return done

    def account(self, done: Pass) -> None:
        """What a pass that has ended just now took is told to whoever counts it."""
        if self.spent is not uncounted:
            self.spent(done.seconds())

    def forward(self, start: int, stop: int, until: float = inf, watch: Watch | None = None) -> Pass:
        """The rows from start to stop, computed forward."""
        inputs, rows = self.network.inputs, stop - start
        params = {name: read_only(array) for name, array in self.params.items()}
        data = {
            name: np.broadcast_to(array, (rows, *array.shape))
            if inputs[name].shared
            else read_only(array[start:stop])
            for name, array in self.data.items()
        }
        done = Pass(self.program, params, data, self.dtype, watch, until)
        done.forward()
        return done

    def cotangents(self, start: int, stop: int) -> dict[str, Array]:
        """Where the deltas of some rows start: at the loss's weights, divided by the batch for a mean."""
        if self.starts is not None:
            return {name: np.array(array[start:stop], self.dtype) for name, array in self.starts.items()}
        scale = 1 / self.batch if self.reduction == "mean" else 1.0
        weights = self.network.loss.items()
        return {name: np.full(stop - start, weight * scale, self.dtype) for name, weight in weights}

    def losses(self, whole: Whole) -> Array:
        """Each example's weighted loss."""
        values = {**self.data, **whole.values}  # data: where a check has cut the network open at a loss
        weighted = [
            values[name] if weight == 1 else weight * values[name]
            for name, weight in self.network.loss.items()
        ]
        return sum(weighted[1:], weighted[0])

    def reduced(self, losses: Array) -> Any:
        """The losses' mean or sum, and the regularization once.

        Sums run in float64 also for float32: a long batch keeps its digits, and it costs nothing beside the
        rest.
        """
        wide = np.complex128 if self.dtype.kind == "c" else np.float64
        loss = np.add.reduce(losses, dtype=wide) / (self.batch if self.reduction == "mean" else 1)
        regularization = self.network.regularization
        for name in regularization.parameters if regularization.l2 else ():
            flat = self.params[name].ravel()
            loss += regularization.l2 / 2 * np.einsum("i,i->", flat, flat, dtype=wide)
        return loss

    def decayed(self, name: str, gradient: Array) -> Array:
        """The gradient of a regularized parameter: with λW."""
        decay: Array = self.dtype.type(self.network.regularization.l2) * self.params[name]
        decay += gradient
        return decay

    def first_non_finite(self, until: float = inf) -> Fault:
        """Where the first number that is not finite appeared, computing again; or a sum that is too large."""
        detail = f"a sum over the batch is too large for {self.dtype}"
        return self.find_non_finite(until) or Fault("/network/loss", "non_finite", detail)

    @quietly
    def find_non_finite(self, until: float = inf, whose: str = "its") -> Fault | None:
        """Computes again, watching every array: where the first number that is not finite appeared, if any.

        whose: in the detail, before what is not finite.
        """
        for place, arrays in (("params", self.params), ("data", self.data)):
            for name, array in arrays.items():
                if not is_finite(array):
                    at = np.argwhere(~np.isfinite(array))[0].tolist()
                    where = f", at {at}" if at else ""
                    mend = 'non_finite "return" computes with it'
                    detail = f"'{name}' holds a number that is not finite{where}: {mend}"
                    return Fault(f"/{place}/{name}", "non_finite", detail)
        try:
            for start, stop in bounds(self.batch, self.plan.chunks):
                self._pass(start, stop, until, _watch)
        except NonFinite as found:
            node = found.node
            detail = f"node '{node.name}' ({node.kind}): {whose} {found.what} is the first that is not finite"
            return Fault(f"/network/nodes/{node.place}", "non_finite", detail)
        return None


def _watch(node: Node, part: Part, array: Array) -> None:
    if not is_finite(array):
        raise NonFinite(node, str(part))
