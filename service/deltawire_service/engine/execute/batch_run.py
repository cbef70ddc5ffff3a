"""A batch in chunks of rows: bounded memory for any batch, and the same cuts, so the same bits, always."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np

from deltawire_layers import Array
from deltawire_service.engine.execute.backprop import Observer, Pass
from deltawire_service.engine.execute.batch_result import BatchResult
from deltawire_service.engine.execute.finite import quietly
from deltawire_service.engine.execute.locking import read_only
from deltawire_service.engine.execute.objective import Starts
from deltawire_service.engine.execute.threads import Threads
from deltawire_service.engine.execute.trace import Trace
from deltawire_service.engine.graph import Arrays, Graph
from deltawire_service.engine.plan.cuts import chunk_bounds, segment_bounds
from deltawire_service.engine.plan.memory_plan import Plan
from deltawire_service.engine.plan.program import Program
from deltawire_service.engine.runner import OnComputeSeconds, ignore_seconds

T = TypeVar("T")


class Batch(NamedTuple):
    """The arrays of a request, checked."""

    params: Arrays
    data: Arrays
    size: int
    """Number of examples."""
    dtype: np.dtype[Any]
    """The one float dtype of all arrays."""


class BatchRun(NamedTuple):
    """A program on a batch, ready to be computed chunk by chunk.

    Methods that compute raise DeadlineExceeded when the deadline passes, and PluginError when a layer breaks
    its contract.
    """

    network: Graph
    program: Program
    batch: Batch
    plan: Plan
    starts: Starts
    """The deltas that backprop begins with."""
    threads: Threads
    on_compute_seconds: OnComputeSeconds = ignore_seconds

    def with_batch(self, batch: Batch) -> Self:
        """Return the same run on other arrays, of as many rows."""
        return self._replace(batch=batch)

    def with_starts(self, starts: Starts) -> Self:
        """Return the same run with other deltas for backprop to begin with."""
        return self._replace(starts=starts)

    def result(self, trace: Trace | None = None) -> BatchResult:
        """Compute both passes over all chunks.

        trace: collects every array, if there is one.
        """

        def compute(start: int, stop: int) -> tuple[int, Pass]:
            return start, self.both_passes(start, stop, trace.observer(start) if trace else None)

        result = self.empty_result()
        run = self._replace(threads=Threads()) if trace else self  # a trace is written by one thread
        for start, rows in run.chunks(compute):
            result.add(start, rows)
            del rows  # before the next chunk is computed
            if trace:
                trace.end_chunk()
        return result

    @quietly
    def segment(self, index: int) -> BatchResult:
        """Compute both passes over the chunks of one segment, for `BatchResult.add_segment`."""
        first, stop = segment_bounds(self.plan.chunks)[index]
        bounds = chunk_bounds(self.batch.size, self.plan.chunks)[first:stop]
        rows = range(bounds[0][0], bounds[-1][1])
        result = BatchResult(self.network, rows, self.batch.dtype, chunks=1)
        for begin, end in bounds:
            result.add(begin, self.both_passes(begin, end))
        return result

    def empty_result(self) -> BatchResult:
        """Return the result of the whole batch before any chunk is added."""
        return BatchResult(self.network, range(self.batch.size), self.batch.dtype, self.plan.chunks)

    @quietly
    def values(self) -> dict[str, Array]:
        """Compute the values of the program, (batch, *shape) by node."""
        result = self.result()
        return {name: result.values[name] for name in self.program.values}

    def chunks(self, compute: Callable[[int, int], T]) -> Iterator[T]:
        """Call `compute(start, stop)` for each chunk of rows, and yield its results in order."""
        if self.plan.chunks == 1:
            yield self.threads.alone(lambda: compute(0, self.batch.size))
            return
        with closing(self.threads.map(compute, chunk_bounds(self.batch.size, self.plan.chunks))) as results:
            yield from results

    def both_passes(self, start: int, stop: int, observer: Observer | None = None) -> Pass:
        """Compute the forward and the backward pass over some rows.

        Args:
            start: the first row.
            stop: the row after the last.
            observer: called with every array as it is made.
        """
        rows = self.forward(start, stop, observer)
        if self.program.backward:
            rows.backward(self.starts(start, stop, self.batch.dtype))
        self.report(rows)
        return rows

    def forward(self, start: int, stop: int, observer: Observer | None = None) -> Pass:
        """Compute the forward pass over some rows.

        Args:
            start: the first row.
            stop: the row after the last.
            observer: called with every array as it is made.
        """
        params = {name: read_only(array) for name, array in self.batch.params.items()}
        rows = Pass(self.program, params, self.inputs(start, stop), self.batch.dtype, observer)
        rows.forward()
        return rows

    def inputs(self, start: int, stop: int) -> dict[str, Array]:
        """Return what each input has for some rows, (stop - start, *shape): read-only, and views."""
        inputs, count = self.network.inputs, stop - start
        data = {
            name: np.broadcast_to(array, (count, *array.shape))
            if inputs[name].shared
            else read_only(array[start:stop])
            for name, array in self.batch.data.items()
        }
        for name in self.network.learned:
            if name in self.batch.params:  # it may lead to nothing that is computed
                array = self.batch.params[name]
                data[name] = np.broadcast_to(array, (count, *array.shape))
        return data

    def report(self, rows: Pass) -> None:
        """Report the compute time of a pass that has just ended."""
        if self.on_compute_seconds is not ignore_seconds:
            self.on_compute_seconds(rows.seconds())
