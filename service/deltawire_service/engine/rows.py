"""A batch in chunks of rows: bounded memory for any batch, the same cuts, so the same bits, every time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any, NamedTuple

import numpy as np

from deltawire.errors import Fault
from deltawire_layers import Array, Shape
from deltawire_service.engine.backprop import Pass, Watch
from deltawire_service.engine.contract import read_only
from deltawire_service.engine.graph import Graph, Node
from deltawire_service.engine.plan import Plan
from deltawire_service.engine.program import Part, Program
from deltawire_service.engine.threads import Threads
from deltawire_service.engine.trace import Trace


@dataclass(frozen=True)
class Result:
    """What `Network.gradients` answers; the parts that were not asked for are empty.

    loss: the reduced loss. losses: (batch,). params, data: gradients by name. values, deltas: (batch,
    *shape) by node.
    """

    loss: float
    losses: Array
    params: dict[str, Array]
    data: dict[str, Array]
    values: dict[str, Array]
    deltas: dict[str, Array]
    trace: Trace | None = None

    def finite(self) -> bool:
        """Whether every number of the answer is finite."""
        parts = (self.params, self.data, self.values, self.deltas)
        arrays = [self.losses, *(array for part in parts for array in part.values())]
        return isfinite(self.loss) and all_finite(arrays)


quietly = np.errstate(all="ignore")
"""Overflow and the like show in the results, which are checked; numpy's warnings would only go to the log."""


@quietly
def all_finite(arrays: Iterable[Array]) -> bool:
    """Whether every number is finite."""
    for array in arrays:
        flat = array.reshape(-1)
        if flat.dtype.kind == "c":
            flat = np.ascontiguousarray(flat).view(np.float64)
        # One product, at the speed of memory: finite only where every number is, though it may overflow.
        if not isfinite(flat @ flat) and not np.isfinite(flat).all():
            return False
    return True


def bounds(batch: int, chunks: int) -> list[tuple[int, int]]:
    """The batch cut into chunks as even as they come: (start, stop) of each."""
    return [(batch * chunk // chunks, batch * (chunk + 1) // chunks) for chunk in range(chunks)]


class Assembly:
    """What the chunks of a batch give, put together: rows one below the other, gradients added."""

    def __init__(self, batch: int, dtype: np.dtype[Any]):
        self._batch = batch
        self._dtype = dtype
        self._whole: dict[tuple[str, str], Array] = {}
        self._sums: set[tuple[str, str]] = set()

    def place(self, key: tuple[str, str], start: int, rows: Array) -> None:
        """Some rows of the whole, from `start` on; all of them are taken as they are."""
        if len(rows) == self._batch:
            self._whole[key] = rows
        else:
            if key not in self._whole:
                self._whole[key] = np.empty((self._batch, *rows.shape[1:]), rows.dtype)
            self._whole[key][start : start + len(rows)] = rows

    def add(self, key: tuple[str, str], part: Array) -> None:
        """A chunk's share of a sum over the batch. Layers may give back what is theirs: the sum is ours."""
        if key not in self._whole:
            self._whole[key] = part
        elif key in self._sums:
            self._whole[key] += part
        else:
            self._whole[key] = self._whole[key] + part
            self._sums.add(key)

    def take(self, kind: str, name: str, shape: Shape) -> Array:
        """The whole; zeros where no chunk gave anything: what does not lead to the loss does not change
        it."""
        key = (kind, name)
        return self._whole[key] if key in self._whole else np.zeros(shape, self._dtype)


class NonFinite(Exception):
    """The first array with a number that is not finite, seen in the second pass."""

    def __init__(self, node: Node, what: str):
        self.node = node
        self.what = what


class Work(NamedTuple):
    """One request, checked and ready to compute: arrays in `dtype`, `batch` rows of data.

    until: after this time (time.monotonic) DeadlineExceeded is raised instead. starts: where deltas start,
    (batch, *shape) by node, in place of the loss.
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
    until: float = inf
    starts: Mapping[str, Array] | None = None

    @quietly
    def gradients(self) -> Result:
        """Forward and backward over all chunks."""
        network, wants = self.network, self.program.wants
        trace = Trace(self.program, self.batch, self.dtype) if wants.trace else None
        whole = self.assembled(trace)
        losses = self.losses(whole)
        return Result(
            loss=float(self.reduced(losses)),
            losses=losses,
            params={name: self.decayed(name, array) for name, array in self.params_of(whole).items()},
            data=self.data_of(whole),
            values=self.kept_values(whole),
            deltas={
                name: whole.take("deltas", name, (self.batch, *node.shape))
                for name, node in network.nodes.items()
                if name in wants.deltas
            },
            trace=trace,
        )

    def params_of(self, whole: Assembly) -> dict[str, Array]:
        """What came back to the parameters the program wants."""
        return {
            name: whole.take("params", name, parameter.shape)
            for name, parameter in self.network.parameters.items()
            if name in self.program.wants.params
        }

    def data_of(self, whole: Assembly) -> dict[str, Array]:
        """What came back to the inputs the program wants."""
        return {
            name: whole.take("data", name, slot.shape if slot.shared else (self.batch, *slot.shape))
            for name, slot in self.network.inputs.items()
            if name in self.program.wants.data
        }

    @quietly
    def values(self) -> dict[str, Array]:
        """The values the program wants, (batch, *shape) by node."""
        return self.kept_values(self.assembled())

    @quietly
    def loss(self) -> Any:
        """The reduced loss alone: complex when the arrays are."""
        return self.reduced(self.losses(self.assembled()))

    def assembled(self, trace: Trace | None = None) -> Assembly:
        def compute(start: int, stop: int) -> tuple[int, Pass]:
            return self._pass(start, stop, trace.watch(start) if trace else None)

        whole = Assembly(self.batch, self.dtype)
        threads = Threads() if trace else self.threads  # a trace is written by one
        with closing(threads.map(compute, bounds(self.batch, self.plan.chunks))) as passes:
            for start, done in passes:
                self.assemble(whole, start, done)
        return whole

    def assemble(self, whole: Assembly, start: int, done: Pass) -> None:
        """Put into the whole what the rows from start on have given."""
        for name, value in done.values.items():
            whole.place(("values", name), start, value)
        for name, gradient in done.grads.items():
            whole.add(("params", name), gradient)
        for name, delta in done.deltas.items():
            slot = self.network.inputs.get(name)
            if slot is not None and slot.shared:
                whole.add(("data", name), delta.sum(axis=0))
            else:
                whole.place(("deltas" if slot is None else "data", name), start, delta)

    def forward(self, start: int, stop: int, watch: Watch | None = None) -> Pass:
        """The rows from start to stop, computed forward."""
        inputs, rows = self.network.inputs, stop - start
        params = {name: read_only(array) for name, array in self.params.items()}
        data = {
            name: np.broadcast_to(array, (rows, *array.shape))
            if inputs[name].shared
            else read_only(array[start:stop])
            for name, array in self.data.items()
        }
        done = Pass(self.program, params, data, self.dtype, watch, self.until)
        done.forward()
        return done

    def cotangents(self, start: int, stop: int) -> dict[str, Array]:
        """Where the deltas of some rows start: at the loss's weights, divided by the batch for a mean."""
        if self.starts is not None:
            return {name: np.array(array[start:stop], self.dtype) for name, array in self.starts.items()}
        scale = 1 / self.batch if self.reduction == "mean" else 1.0
        weights = self.network.loss.items()
        return {name: np.full(stop - start, weight * scale, self.dtype) for name, weight in weights}

    def _pass(self, start: int, stop: int, watch: Watch | None = None) -> tuple[int, Pass]:
        """Forward and backward over the rows from start to stop."""
        done = self.forward(start, stop, watch)
        if self.program.backward:
            done.backward(self.cotangents(start, stop))
        return start, done

    def losses(self, whole: Assembly) -> Array:
        """Each example's weighted loss."""
        weights = self.network.loss.items()
        losses = [weight * whole.take("values", name, ()) for name, weight in weights]
        return sum(losses[1:], losses[0])

    def reduced(self, losses: Array) -> Any:
        """The losses' mean or sum, and the regularization once.

        Sums run in float64 also for float32: a long batch keeps its digits, and it costs nothing beside the
        rest.
        """
        wide = np.result_type(self.dtype, np.float64)
        loss = losses.sum(dtype=wide) / (self.batch if self.reduction == "mean" else 1)
        regularization = self.network.regularization
        for name in regularization.parameters if regularization.l2 else ():
            flat = self.params[name].ravel()
            loss += regularization.l2 / 2 * np.einsum("i,i->", flat, flat, dtype=wide)
        return loss

    def decayed(self, name: str, gradient: Array) -> Array:
        """The gradient, and λW where the parameter is regularized."""
        regularization = self.network.regularization
        if not regularization.l2 or name not in regularization.parameters:
            return gradient
        decay: Array = self.dtype.type(regularization.l2) * self.params[name]
        decay += gradient
        return decay

    def kept_values(self, whole: Assembly) -> dict[str, Array]:
        wanted = self.program.wants.values
        return {name: whole.take("values", name, ()) for name in self.network.nodes if name in wanted}

    def first_non_finite(self) -> Fault:
        """Where the first number that is not finite appeared, computing again; or a sum that is too large."""
        return self.find_non_finite() or Fault(
            "/network/loss", "non_finite", f"a sum over the batch is too large for {self.dtype}"
        )

    @quietly
    def find_non_finite(self, whose: str = "its") -> Fault | None:
        """Computes again, watching every array: where the first number that is not finite appeared, if any.

        whose: `its`, of a node, before what is not finite.
        """
        for place, arrays in (("params", self.params), ("data", self.data)):
            for name, array in arrays.items():
                if not all_finite([array]):
                    detail = f"'{name}' holds a number that is not finite"
                    return Fault(f"/{place}/{name}", "non_finite", detail)
        try:
            for start, stop in bounds(self.batch, self.plan.chunks):
                self._pass(start, stop, _watch)
        except NonFinite as found:
            node = found.node
            detail = f"node '{node.name}' ({node.kind}): {whose} {found.what} is the first that is not finite"
            return Fault(f"/network/nodes/{node.place}", "non_finite", detail)
        return None


def _watch(node: Node, part: Part, array: Array) -> None:
    if not all_finite([array]):
        raise NonFinite(node, str(part))
