"""Segments as data: what another process needs to compute one, and how it does.

A run is described once, without arrays. Its arrays have names by their place, and are of two sorts: those
that all segments share, and those with a row for each example, of which a segment needs its own rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from deltawire_layers import Array
from deltawire_service.engine.execute.batch_result import SegmentResult
from deltawire_service.engine.execute.batch_run import Batch, BatchRun, Bounds, Computation
from deltawire_service.engine.execute.complex_step import Step
from deltawire_service.engine.execute.finite import quietly
from deltawire_service.engine.execute.objective import Starts
from deltawire_service.engine.graph import Arrays
from deltawire_service.engine.plan.cuts import chunk_bounds, segment_bounds, segment_rows
from deltawire_service.engine.plan.memory_plan import Plan
from deltawire_service.engine.plan.targets import Targets
from deltawire_service.engine.prepared import Prepared

PARAMS, DATA, COTANGENTS, STEP_PARAMS, STEP_DATA = "params", "data", "cotangents", "step.params", "step.data"


class RunDescription(NamedTuple):
    """A run without its arrays; all of it can be pickled."""

    spec: Mapping[str, Any]
    loss: Mapping[str, float]
    """The nodes that deltas start from, which need not be those of the spec."""
    targets: Targets
    computation: Computation
    dtype: np.dtype[Any]
    """The dtype that is computed with."""
    starts: tuple[Starts, ...]
    """Those of each backward pass, without their cotangents."""
    noise_seed: int | None
    exponent: int | None
    """The power of two that the direction of a step is scaled by; None without a step."""
    plan: Plan


class Segments:
    """The segments of a run.

    Args:
        run: the run.
        computation: what is computed of its chunks.

    Attributes:
        description: the run without its arrays.
        shared: the arrays that all segments need, by place.
        batched: the arrays with a row for each example, by place.
        rows: the rows of each segment.
    """

    def __init__(self, run: BatchRun, computation: Computation):
        self._run = run
        self._computation = computation
        step, batch = run.step, run.batch
        self.description = RunDescription(
            run.network.spec,
            run.network.loss,
            run.program.targets,
            computation,
            batch.dtype,
            tuple(starts.with_cotangents({}) for starts in run.starts),
            batch.noise_seed,
            step.exponent if step else None,
            run.plan,
        )
        self.rows = segment_rows(batch.size, run.plan.chunks)
        self.shared = dict(_placed(PARAMS, run.unmoved if step else batch.params))
        self.batched = dict[str, Array]()
        for index, starts in enumerate(run.starts):
            self.batched.update(_placed(f"{COTANGENTS}.{index}", starts.cotangents))
        self._add_data(DATA, batch.data)
        if step:
            self.shared.update(_placed(STEP_PARAMS, step.params))
            self._add_data(STEP_DATA, step.data)

    def _add_data(self, part: str, arrays: Arrays) -> None:
        inputs = self._run.network.inputs
        for name, array in arrays.items():
            (self.shared if inputs[name].shared else self.batched)[f"{part}/{name}"] = array

    def __len__(self) -> int:
        return len(self.rows)

    def bounds(self, index: int) -> Bounds:
        """Return (start, stop) of the chunks of a segment, counted from its first row."""
        chunks, first_row = self._run.plan.chunks, self.rows[index].start
        first, stop = segment_bounds(chunks)[index]
        bounds = chunk_bounds(self._run.batch.size, chunks)[first:stop]
        return [(start - first_row, end - first_row) for start, end in bounds]

    def compute(self, index: int) -> list[SegmentResult]:
        """Compute a segment in this process."""
        return self._run.segment(index, self._computation)


@quietly
def compute_segment(
    network: Prepared, description: RunDescription, first_row: int, bounds: Bounds, arrays: Arrays
) -> list[SegmentResult]:
    """Compute a segment of a run that another process has described.

    Args:
        network: the network of the description's spec.
        description: the run.
        first_row: the first row of the segment, by its number in the whole batch.
        bounds: (start, stop) of the chunks of the segment, counted from its first row.
        arrays: the arrays by place: those that all segments share, and the rows of this one.

    Raises:
        Refused: a derivative is needed that a layer lacks.
        PluginError, DeadlineExceeded: as for any computation.
    """
    if dict(description.loss) != dict(network.loss):
        network = network.with_outputs(tuple(description.loss))
    params = _named(PARAMS, arrays)
    rows = bounds[-1][1]
    starts = tuple(
        each.with_cotangents(_named(f"{COTANGENTS}.{index}", arrays))
        for index, each in enumerate(description.starts)
    )
    run = BatchRun(
        network,
        network.program(description.targets),
        Batch(params, _named(DATA, arrays), rows, description.dtype, description.noise_seed, first_row),
        description.plan,
        starts,
        network.threads,
        network.on_compute_seconds,
    )
    if description.exponent is not None:
        run = run.moved(Step(_named(STEP_PARAMS, arrays), _named(STEP_DATA, arrays), description.exponent))
    return [result.as_segment() for result in run.over(bounds, description.computation)]


def _placed(part: str, arrays: Arrays) -> Iterator[tuple[str, Array]]:
    return ((f"{part}/{name}", array) for name, array in arrays.items())


def _named(part: str, arrays: Arrays) -> dict[str, Array]:
    """Return the arrays of one part, by their names there."""
    before = f"{part}/"
    return {place.removeprefix(before): array for place, array in arrays.items() if place.startswith(before)}
