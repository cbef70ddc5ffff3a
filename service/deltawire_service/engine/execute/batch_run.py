"""A batch in chunks of rows: bounded memory for any batch, the same cuts, so the same bits, every time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from math import inf, isfinite
from typing import Any, NamedTuple, TypeVar

import numpy as np

from deltawire.errors import Fault
from deltawire_layers import Array
from deltawire_service.engine.execute.backprop import Observer, Pass, is_finite
from deltawire_service.engine.execute.batch_result import BatchResult
from deltawire_service.engine.execute.layer_calls import read_only
from deltawire_service.engine.execute.threads import Threads
from deltawire_service.engine.execute.trace import Trace
from deltawire_service.engine.graph import Graph, Node
from deltawire_service.engine.plan.memory_plan import Plan
from deltawire_service.engine.plan.program import ArrayRole, Program
from deltawire_service.engine.runner import OnComputeSeconds, ignore_seconds

T = TypeVar("T")


class Gradients(NamedTuple):
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


class BatchRun(NamedTuple):
    """One request, checked and ready to compute: arrays in `dtype`, `batch` rows of data.

    Its methods raise DeadlineExceeded where they are not done at a time `deadline` (time.monotonic).
    on_compute_seconds: is told what each chunk took.
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
    on_compute_seconds: OnComputeSeconds = ignore_seconds
    starts: Mapping[str, Array] | None = None

    @quietly
    def gradients(self, deadline: float = inf) -> Gradients:
        """Forward and backward over all chunks."""
        network, program, rows = self.network, self.program, (self.batch,)
        trace = Trace(program, self.batch, self.dtype) if program.targets.trace else None
        batch_result = self.batch_result(deadline, trace)
        losses = self.losses(batch_result)
        loss = float(self.reduced(losses))
        params = self.gradients_of(batch_result)
        finite = isfinite(loss) and batch_result.finite
        for name in network.regularization.parameters:
            if name in params and network.regularization.l2:
                params[name] = self.decayed(name, params[name])
                finite = finite and is_finite(params[name])
        data = self.data_deltas(batch_result)
        values = {name: batch_result.values[name] for name in program.values}
        deltas = {name: batch_result.delta(name, rows + network.nodes[name].shape) for name in program.deltas}
        for array in (*data.values(), *values.values(), *deltas.values()):
            finite = finite and is_finite(array)
        return Gradients(loss, losses, params, data, values, deltas, finite, trace)

    def gradients_of(self, batch_result: BatchResult) -> dict[str, Array]:
        """What came back to the parameters the program wants."""
        shapes = self.network.parameters
        return {name: batch_result.gradient(name, shapes[name].shape) for name in self.program.params}

    def data_deltas(self, batch_result: BatchResult) -> dict[str, Array]:
        """What came back to the inputs the program wants."""
        input_specs = ((name, self.network.inputs[name]) for name in self.program.data)
        return {
            name: batch_result.delta(
                name, input_spec.shape if input_spec.shared else (self.batch, *input_spec.shape)
            )
            for name, input_spec in input_specs
        }

    @quietly
    def values(self, deadline: float = inf) -> tuple[dict[str, Array], bool]:
        """The values the program wants, (batch, *shape) by node, and whether they are finite."""
        batch_result = self.batch_result(deadline)
        values = {name: batch_result.values[name] for name in self.program.values}
        return values, all(map(is_finite, values.values()))

    @quietly
    def loss(self, deadline: float = inf) -> Any:
        """The reduced loss alone: complex when the arrays are."""
        return self.reduced(self.losses(self.batch_result(deadline)))

    def batch_result(self, deadline: float = inf, trace: Trace | None = None) -> BatchResult:
        """What forward and backward give over all chunks."""

        def compute(start: int, stop: int) -> tuple[int, Pass]:
            return start, self._pass(start, stop, deadline, trace.observer(start) if trace else None)

        batch_result = BatchResult(self.batch, self.dtype, self.network.inputs)
        batch_run = self._replace(threads=Threads()) if trace else self  # a trace is written by one
        for start, done in batch_run.chunks(compute):
            batch_result.add(start, done)
        return batch_result

    def chunks(self, compute: Callable[[int, int], T]) -> Iterator[T]:
        """What `compute(start, stop)` gives for each chunk of rows, in order."""
        if self.plan.chunks == 1:
            yield self.threads.alone(lambda: compute(0, self.batch), self.plan.cost_bytes)
            return
        with closing(self.threads.map(compute, bounds(self.batch, self.plan.chunks))) as results:
            yield from results

    def _pass(self, start: int, stop: int, deadline: float = inf, observer: Observer | None = None) -> Pass:
        """Forward and backward over the rows from start to stop."""
        done = self.forward(start, stop, deadline, observer)
        if self.program.backward:
            done.backward(self.cotangents(start, stop))
        self.account(done)
        return done

    def account(self, done: Pass) -> None:
        """What a pass that has ended just now took is told to whoever counts it."""
        if self.on_compute_seconds is not ignore_seconds:
            self.on_compute_seconds(done.seconds())

    def forward(self, start: int, stop: int, deadline: float = inf, observer: Observer | None = None) -> Pass:
        """The rows from start to stop, computed forward."""
        inputs, rows = self.network.inputs, stop - start
        params = {name: read_only(array) for name, array in self.params.items()}
        data = {
            name: np.broadcast_to(array, (rows, *array.shape))
            if inputs[name].shared
            else read_only(array[start:stop])
            for name, array in self.data.items()
        }
        done = Pass(self.program, params, data, self.dtype, observer, deadline)
        done.forward()
        return done

    def cotangents(self, start: int, stop: int) -> dict[str, Array]:
        """Where the deltas of some rows start: at the loss's weights, divided by the batch for a mean."""
        if self.starts is not None:
            return {name: np.array(array[start:stop], self.dtype) for name, array in self.starts.items()}
        scale = 1 / self.batch if self.reduction == "mean" else 1.0
        weights = self.network.loss.items()
        return {name: np.full(stop - start, weight * scale, self.dtype) for name, weight in weights}

    def losses(self, batch_result: BatchResult) -> Array:
        """Each example's weighted loss."""
        values = {
            **self.data,
            **batch_result.values,
        }  # data: where a check has cut the network open at a loss
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

    def first_non_finite(self, deadline: float = inf) -> Fault:
        """Where the first number that is not finite appeared, computing again; or a sum that is too large."""
        detail = f"a sum over the batch is too large for {self.dtype}"
        return self.find_non_finite(deadline) or Fault("/network/loss", "non_finite", detail)

    @quietly
    def find_non_finite(self, deadline: float = inf, whose: str = "its") -> Fault | None:
        """Compute again, watching every array: where the first number that is not finite appeared, if any.

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
                self._pass(start, stop, deadline, _watch)
        except NonFinite as found:
            node = found.node
            detail = f"node '{node.name}' ({node.kind}): {whose} {found.what} is the first that is not finite"
            return Fault(f"/network/nodes/{node.place}", "non_finite", detail)
        return None


def _watch(node: Node, part: ArrayRole, array: Array) -> None:
    if not is_finite(array):
        raise NonFinite(node, str(part))
