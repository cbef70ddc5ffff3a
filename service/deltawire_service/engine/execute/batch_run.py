"""A batch in chunks of rows: bounded memory for any batch, and the same cuts, so the same bits, always."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import closing
from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol, Self

import numpy as np

from deltawire_layers import Array, complex_parts, read_only
from deltawire_service.engine.execute.backprop import MovedPass, Observer, Pass
from deltawire_service.engine.execute.batch_result import BatchResult, SegmentResult
from deltawire_service.engine.execute.complex_step import COMPLEX, Step
from deltawire_service.engine.execute.finite import quietly
from deltawire_service.engine.execute.flat.program import FlatProgram
from deltawire_service.engine.execute.kept_passes import KeptPasses, Numbers
from deltawire_service.engine.execute.objective import Starts
from deltawire_service.engine.execute.threads import Threads
from deltawire_service.engine.execute.trace import Trace
from deltawire_service.engine.graph import Arrays, Graph
from deltawire_service.engine.plan.cuts import chunk_bounds, segment_bounds, segment_rows
from deltawire_service.engine.plan.memory_plan import Plan
from deltawire_service.engine.plan.program import Program
from deltawire_service.engine.runner import OnComputeSeconds, ignore_seconds

Bounds = Sequence[tuple[int, int]]
"""(start, stop) of the rows of chunks."""


class Batch(NamedTuple):
    """The arrays of a request, checked."""

    params: Arrays
    data: Arrays
    size: int
    """Number of examples."""
    dtype: np.dtype[Any]
    """The one float dtype of all arrays."""
    noise_seed: int | None = None
    """Where the noise starts from; None: noise inputs have their means."""
    first_row: int = 0
    """The number of the first row in the whole batch, for a segment that another process has cut out."""

    def with_arrays(self, params: Arrays, data: Arrays, dtype: np.dtype[Any]) -> Self:
        """Return the same batch with other numbers.

        Args:
            params: arrays by parameter.
            data: arrays by input, of as many rows.
            dtype: the one float dtype of all of them.
        """
        return self._replace(params=params, data=data, dtype=dtype)


class Computation(Protocol):
    """A function of every chunk of a run: plain data that can be pickled, and holds no arrays."""

    def __call__(self, run: BatchRun, start: int, stop: int, /) -> list[Pass]:
        """Return the passes over the rows from start to stop: the same number for every chunk."""


class SegmentRunner(Protocol):
    """Has the segments of a batch computed elsewhere."""

    def __call__(self, run: BatchRun, computation: Computation, /) -> Iterable[list[SegmentResult]]:
        """Yield the results of each segment in order, as `BatchRun.segment` returns them."""


segment_runner: ContextVar[SegmentRunner | None] = ContextVar("segment_runner", default=None)
"""Who computes the segments of the runs in this context; None for the threads of this process."""


def no_program() -> FlatProgram | None:
    """Return None, in the place of a flat program."""
    return None


class BatchRun(NamedTuple):
    """A program on a batch, ready to be computed chunk by chunk.

    Methods that compute raise DeadlineExceeded when the deadline passes, and PluginError when a layer breaks
    its contract.
    """

    network: Graph
    program: Program
    batch: Batch
    plan: Plan
    starts: tuple[Starts, ...]
    """The deltas that backprop begins with, once for each backward pass."""
    threads: Threads
    on_compute_seconds: OnComputeSeconds = ignore_seconds
    step: Step | None = None
    """The step that moves the data of each chunk, and has moved the parameters of the batch."""
    made: Sequence[complex_parts.Known] = ()
    """The parts of the moved parameters."""
    unmoved: Arrays = {}
    """The parameters before the step."""
    flat: FlatProgram | None = None
    """The program as straight-line code."""
    by_node: Callable[[], FlatProgram | None] = no_program
    """Returns such code that saves what each node needs."""
    kept: KeptPasses | None = None
    """Keeps the forward pass, or has it already."""
    owner: Hashable = None
    """Whose pass it is."""

    def with_batch(self, batch: Batch) -> Self:
        """Return the same run on other arrays, of as many rows."""
        # Runs of steps have no kernels for complex numbers.
        return (self.saving_by_node() if batch.dtype == COMPLEX else self)._replace(batch=batch)

    def with_starts(self, *starts: Starts) -> Self:
        """Return the same run with other deltas for backprop to begin with."""
        return self._replace(starts=starts)

    def keeping(self, kept: KeptPasses, owner: Hashable) -> Self:
        """Return the same run, whose forward pass is kept, or continued. owner: whose pass it is."""
        return self.saving_by_node()._replace(kept=kept, owner=owner)

    def saving_by_node(self) -> Self:
        """Return the same run, which saves what each node needs: backward passes can start from any."""
        return self._replace(flat=self.by_node()) if self.flat and self.flat.joined else self

    def without_gradients(self) -> Self:
        """Return the same run, which saves what gradients need, and has none in its results."""
        return self._replace(program=self.program._replace(params=(), data=()))

    def moved(self, step: Step) -> Self:
        """Return the same run moved by a complex step, computed in complex128."""
        batch, made = self.batch, step.moved_params(self.batch.params)
        moved = batch.with_arrays({name: each.whole for name, each in made.items()}, batch.data, COMPLEX)
        return self.with_batch(moved)._replace(
            step=step, unmoved=batch.params, made=(*made.values(),), kept=None
        )

    def result(self, trace: Trace | None = None) -> BatchResult:
        """Compute the passes over all chunks, with one backward pass.

        trace: collects every array, if there is one.
        """
        if trace is None:
            if self.plan.chunks == 1 and len(self.starts) <= 1 and segment_runner.get() is None:
                result = self.empty_result()
                result.take(self.threads.alone(self.both_passes, 0, self.batch.size))
                return result
            return self.results(BatchRun.passes)[0]

        def compute(start: int, stop: int) -> tuple[int, list[Pass]]:
            return start, [self.both_passes(start, stop, trace.observer(start))]

        results, bounds = [self.empty_result()], chunk_bounds(self.batch.size, self.plan.chunks)
        run = self._replace(threads=Threads())  # a trace is written by one thread
        for chunk in run.each_chunk(bounds, compute):
            _add(results, chunk)
            trace.end_chunk()
        return results[0]

    def results(self, computation: Computation) -> list[BatchResult]:
        """Compute something of all chunks, and return the result of each of its passes."""
        runner = segment_runner.get()
        if runner is None and self.plan.chunks == 1:
            passes = self.threads.alone(computation, self, 0, self.batch.size)
            results = [self.empty_result() for _ in passes]
            _add(results, (0, passes))
            return results
        if runner is None:
            bounds = chunk_bounds(self.batch.size, self.plan.chunks)
            return self.over(bounds, computation, self.plan.chunks)
        results = []
        rows = segment_rows(self.batch.size, self.plan.chunks)
        for segment, parts in zip(rows, runner(self, computation), strict=True):
            results = results or [self.empty_result() for _ in parts]
            for result, part in zip(results, parts, strict=True):
                result.add_segment(segment.start, part)
        return results

    @quietly
    def segment(self, index: int, computation: Computation) -> list[SegmentResult]:
        """Compute something of the chunks of one segment, for `BatchResult.add_segment`."""
        first, stop = segment_bounds(self.plan.chunks)[index]
        bounds = chunk_bounds(self.batch.size, self.plan.chunks)[first:stop]
        return [result.as_segment() for result in self.over(bounds, computation)]

    def over(self, bounds: Bounds, computation: Computation, chunks: int = 1) -> list[BatchResult]:
        """Compute something of some chunks, which follow each other.

        Args:
            bounds: the chunks.
            computation: what is computed.
            chunks: 1 to add the chunks up one after the other; their number to add them up in segments.
        """

        def compute(start: int, stop: int) -> tuple[int, list[Pass]]:
            return start, computation(self, start, stop)

        rows, results = range(bounds[0][0], bounds[-1][1]), list[BatchResult]()
        for chunk in self.each_chunk(bounds, compute):
            if not results:
                results = [BatchResult(self.network, rows, self.batch.dtype, chunks) for _ in chunk[1]]
            _add(results, chunk)
            del chunk  # before the next one is computed
        return results

    def empty_result(self) -> BatchResult:
        """Return the result of the whole batch before any chunk is added."""
        return BatchResult(self.network, range(self.batch.size), self.batch.dtype, self.plan.chunks)

    def values(self) -> dict[str, Array]:
        """Compute the values of the program, (batch, *shape) by node."""
        result = self.result()
        return {name: result.values[name] for name in self.program.values}

    def passes(self, start: int, stop: int) -> list[Pass]:
        """Compute the forward pass over some rows, and a backward pass from each of the starts.

        The first of the passes has the values.
        """
        if len(self.starts) <= 1:
            return [self.both_passes(start, stop)]
        forward = self.forward(start, stop)
        self.report(forward)
        passes = [forward.fork() for _ in self.starts]
        passes[0].values = forward.values
        for each, starts in zip(passes, self.starts, strict=True):
            each.backward(starts(start, stop, self.batch.dtype))
            self.report(each)
        return passes

    def both_passes(self, start: int, stop: int, observer: Observer | None = None) -> Pass:
        """Compute the forward and the first backward pass over some rows.

        Args:
            start: the first row.
            stop: the row after the last.
            observer: called with every array as it is made.
        """
        rows = self.forward(start, stop, observer)
        if self.program.backward and self.starts:
            rows.backward(self.starts[0](start, stop, self.batch.dtype))
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
        arguments = self.program, params, self.inputs(start, stop), self.batch.dtype, observer, self.flat
        rows = MovedPass(self.made, *arguments) if self.step else Pass(*arguments)
        if self.kept and not observer:
            self.kept.forward(rows, self._numbers(), self.plan)
        else:
            rows.forward()
        return rows

    def _numbers(self) -> Numbers:
        batch = self.batch
        return Numbers(
            self.owner, self.network.nodes, batch.dtype, batch.noise_seed, batch.params, batch.data
        )

    def inputs(self, start: int, stop: int) -> dict[str, Array]:
        """Return what each input has for some rows, (stop - start, *shape): read-only, moved by the step."""
        count, inputs, step, data = stop - start, self.network.inputs, self.step, dict(self.batch.data)
        for name, array in data.items():
            if inputs[name].shared:
                moved = step.moved_data(name, array) if step else array
                data[name] = np.broadcast_to(moved, (count, *array.shape))
            else:
                rows = array[start:stop]  # a view of its own, which is locked
                rows = step.moved_data(name, rows, slice(start, stop)) if step else rows
                rows.setflags(False)  # type: ignore[call-arg]
                data[name] = rows
        for name in self.network.learned:
            if name in self.batch.params:  # it may lead to nothing that is computed
                array = self.batch.params[name]
                data[name] = np.broadcast_to(array, (count, *array.shape))
        for name in self.program.noise:
            data[name] = self._noise(name, range(start, stop))
        return data

    def report(self, rows: Pass) -> None:
        """Report the compute time of a pass that has just ended."""
        if self.on_compute_seconds is not ignore_seconds:
            self.on_compute_seconds(rows.seconds())

    def _noise(self, name: str, rows: range) -> Array:
        """Return what a noise input has for some rows, (rows, *shape)."""
        noise, batch = self.network.noise[name], self.batch
        if batch.noise_seed is None:
            return noise.means(len(rows), batch.dtype)
        first = batch.first_row + rows.start
        return noise.draw(batch.noise_seed, name, range(first, first + len(rows)), batch.dtype)

    def each_chunk(
        self, bounds: Bounds, compute: Callable[[int, int], tuple[int, list[Pass]]]
    ) -> Iterator[tuple[int, list[Pass]]]:
        """Call `compute(start, stop)` for each chunk of rows, and yield its results in order.

        bounds: the chunks.
        """
        if self.plan.chunks == 1:
            yield self.threads.alone(compute, *bounds[0])
            return
        with closing(self.threads.map(compute, bounds)) as results:
            yield from results


def _add(results: list[BatchResult], chunk: tuple[int, list[Pass]]) -> None:
    start, passes = chunk
    for result, rows in zip(results, passes, strict=True):
        result.add(start, rows)
