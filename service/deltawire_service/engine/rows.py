"""A batch in chunks of rows: bounded memory for any batch, the same cuts, so the same bits, every time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from deltawire.errors import Fault
from deltawire_layers import Array, Shape
from deltawire_service.engine.backprop import Part, Pass, Watch, unwatched
from deltawire_service.engine.graph import Graph, Node
from deltawire_service.engine.plan import chunk_rows
from deltawire_service.engine.program import Program
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
        arrays = [np.asarray(self.loss), self.losses, *(array for part in parts for array in part.values())]
        return all(bool(np.isfinite(array).all()) for array in arrays)


def bounds(batch: int, most: int) -> Iterator[tuple[int, int]]:
    """The batch cut into the fewest chunks of at most `most` rows, as even as they come: (start, stop) of
    each."""
    chunks = -(-batch // most)
    for chunk in range(chunks):
        yield batch * chunk // chunks, batch * (chunk + 1) // chunks


class Assembly:
    """What the chunks of a batch give, put together: rows one below the other, gradients added."""

    def __init__(self, batch: int, dtype: np.dtype[Any]):
        self._batch = batch
        self._dtype = dtype
        self._whole: dict[tuple[str, str], Array] = {}

    def place(self, key: tuple[str, str], start: int, rows: Array) -> None:
        """Some rows of the whole, from `start` on; all of them are taken as they are."""
        if len(rows) == self._batch:
            self._whole[key] = rows
        else:
            if key not in self._whole:
                self._whole[key] = np.empty((self._batch, *rows.shape[1:]), rows.dtype)
            self._whole[key][start : start + len(rows)] = rows

    def add(self, key: tuple[str, str], part: Array) -> None:
        """A chunk's share of a sum over the batch."""
        self._whole[key] = self._whole[key] + part if key in self._whole else part

    def take(self, kind: str, name: str, shape: Shape) -> Array:
        """The whole; zeros where no chunk gave anything: what does not lead to the loss does not change
        it."""
        key = (kind, name)
        return self._whole[key] if key in self._whole else np.zeros(shape, self._dtype)


quietly = np.errstate(all="ignore")
"""Overflow and the like show in the results, which are checked; numpy's warnings would only go to the log."""


class NonFinite(Exception):
    """The first array with a number that is not finite, seen in the second pass."""

    def __init__(self, node: Node, what: str):
        self.node = node
        self.what = what


class Work(NamedTuple):
    """One request, checked and ready to compute: arrays in `dtype`, `batch` rows of data."""

    network: Graph
    program: Program
    params: Mapping[str, Array]
    data: Mapping[str, Array]
    batch: int
    dtype: np.dtype[Any]
    reduction: str = "mean"

    @quietly
    def gradients(self) -> Result:
        """Forward and backward over all chunks."""
        network, wants = self.network, self.program.wants
        trace = Trace(self.program, self.batch, self.dtype) if wants.trace else None
        whole = self._assembled(trace)
        losses = self._losses(whole)
        batch = (self.batch,)
        return Result(
            loss=float(self._reduced(losses)),
            losses=losses,
            params={
                name: self._decayed(name, whole.take("params", name, parameter.shape))
                for name, parameter in network.parameters.items()
                if name in wants.params
            },
            data={
                name: whole.take("data", name, slot.shape if slot.shared else batch + slot.shape)
                for name, slot in network.inputs.items()
                if name in wants.data
            },
            values=self._values(whole),
            deltas={
                name: whole.take("deltas", name, batch + node.shape)
                for name, node in network.nodes.items()
                if name in wants.deltas
            },
            trace=trace,
        )

    @quietly
    def values(self) -> dict[str, Array]:
        """The values the program wants, (batch, *shape) by node."""
        return self._values(self._assembled())

    @quietly
    def loss(self) -> Any:
        """The reduced loss alone: complex when the arrays are."""
        return self._reduced(self._losses(self._assembled()))

    def _cuts(self) -> Iterator[tuple[int, int]]:
        return bounds(self.batch, chunk_rows(self.network, self.dtype.itemsize))

    def _assembled(self, trace: Trace | None = None) -> Assembly:
        whole = Assembly(self.batch, self.dtype)
        for start, stop in self._cuts():
            done = self._pass(start, stop, trace.watch(start) if trace else unwatched)
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
        return whole

    def _pass(self, start: int, stop: int, watch: Watch = unwatched) -> Pass:
        data = {}
        for name, array in self.data.items():
            slot = self.network.inputs[name]
            shared = (stop - start, *slot.shape)
            data[name] = np.broadcast_to(array, shared) if slot.shared else array[start:stop]
        done = Pass(self.program, self.params, data, self.dtype, watch)
        done.forward()
        if self.program.backward:
            scale = 1 / self.batch if self.reduction == "mean" else 1.0
            weights = self.network.loss.items()
            done.backward(
                {name: np.full(stop - start, weight * scale, self.dtype) for name, weight in weights}
            )
        return done

    def _losses(self, whole: Assembly) -> Array:
        """Each example's weighted loss."""
        weights = self.network.loss.items()
        return sum(
            (weight * whole.take("values", name, ()) for name, weight in weights),
            np.zeros(self.batch, self.dtype),
        )

    def _reduced(self, losses: Array) -> Any:
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

    def _decayed(self, name: str, gradient: Array) -> Array:
        """The gradient, and λW where the parameter is regularized."""
        regularization = self.network.regularization
        if not regularization.l2 or name not in regularization.parameters:
            return gradient
        decay: Array = self.dtype.type(regularization.l2) * self.params[name]
        decay += gradient
        return decay

    def _values(self, whole: Assembly) -> dict[str, Array]:
        wanted = self.program.wants.values
        return {name: whole.take("values", name, ()) for name in self.network.nodes if name in wanted}

    @quietly
    def first_non_finite(self) -> Fault:
        """Computes again, watching every array: where the first number that is not finite appeared."""
        for place, arrays in (("params", self.params), ("data", self.data)):
            for name, array in arrays.items():
                if not np.isfinite(array).all():
                    detail = f"'{name}' holds a number that is not finite"
                    return Fault(f"/{place}/{name}", "non_finite", detail)
        try:
            for start, stop in self._cuts():
                self._pass(start, stop, _watch)
        except NonFinite as found:
            node = found.node
            detail = f"node '{node.name}' ({node.kind}): its {found.what} is the first that is not finite"
            return Fault(f"/network/nodes/{node.place}", "non_finite", detail)
        return Fault("/network/loss", "non_finite", f"a sum over the batch is too large for {self.dtype}")


def _watch(node: Node, part: Part, array: Array) -> None:
    if not np.isfinite(array).all():
        raise NonFinite(node, str(part))
