"""A task: one segment of a run as plain data, and the function that a worker calls with it.

It is pure: the same task has the same result on every worker with the same fingerprint, so Dask may compute
it again elsewhere when a worker is lost.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from time import monotonic, time
from typing import NamedTuple

from deltawire.errors import Refused
from deltawire.wire import Array
from deltawire_service.cluster.array_sources import ArraySource
from deltawire_service.engine import (
    DeadlineExceeded,
    PluginError,
    RunDescription,
    SegmentResult,
    call_until,
    compute_segment,
)


class SegmentTask(NamedTuple):
    """One segment, and where its arrays are."""

    description: RunDescription
    first_row: int
    """The first row of the segment, by its number in the whole batch."""
    bounds: Sequence[tuple[int, int]]
    sources: tuple[ArraySource, ...]
    service: str
    """The address that links begin with; empty where workers share the folder of the service."""
    fingerprint: str
    """The fingerprint that the worker must have."""
    expires: float
    """When nobody waits for the result any more, in seconds since 1970."""


class SegmentAnswer(NamedTuple):
    """The answer to a task."""

    results: list[SegmentResult] | None
    error: Refused | PluginError | DeadlineExceeded | None
    """Why there are none: computing them again cannot help."""


class WrongFingerprint(Exception):
    """The worker would compute other bits than the service."""


def write_task(task: SegmentTask) -> bytes:
    """Return a task as bytes, in which Dask does not look for anything."""
    return pickle.dumps(task, pickle.HIGHEST_PROTOCOL)


def run_task(written: bytes) -> SegmentAnswer:
    """Compute a task in the process of a worker; written: the bytes of `write_task`.

    Raises:
        FetchFailed: its arrays cannot be had for now.
        WrongFingerprint: the worker has not the fingerprint of the service.
    """
    from deltawire_service.cluster.working.worker import (
        current_worker,  # a service that sends tasks needs no worker
    )

    task: SegmentTask = pickle.loads(written)
    worker = current_worker()
    if task.fingerprint != worker.fingerprint:
        raise WrongFingerprint(f"the service has {task.fingerprint}, this worker {worker.fingerprint}")
    network = worker.network(task.description.spec)

    def compute() -> list[SegmentResult]:
        arrays = dict[str, Array]()
        for source in task.sources:
            arrays |= worker.read(source, task.service)
        return compute_segment(network, task.description, task.first_row, task.bounds, arrays)

    try:
        results = call_until(monotonic() + task.expires - time(), compute)
    except (Refused, PluginError, DeadlineExceeded) as error:
        return SegmentAnswer(None, error.with_traceback(None))
    return SegmentAnswer(results, None)
