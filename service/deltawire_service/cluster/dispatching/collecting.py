"""The results of a run's segments, in order: of workers, or computed here where these do not answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from time import monotonic

from distributed import Future, KilledWorker
from structlog.typing import FilteringBoundLogger

from deltawire_service.cluster.dispatching.client import Scheduler, SchedulerLost
from deltawire_service.cluster.dispatching.heartbeats import Heartbeats
from deltawire_service.cluster.dispatching.progress import Progress
from deltawire_service.cluster.dispatching.sending import Sender
from deltawire_service.cluster.errors import WorkerLost
from deltawire_service.cluster.members import equal_members
from deltawire_service.cluster.report import Report
from deltawire_service.cluster.task import SegmentAnswer
from deltawire_service.engine import (
    BatchRun,
    Computation,
    DeadlineExceeded,
    Plan,
    Runner,
    SegmentResult,
    Segments,
    check_deadline,
    current_deadline,
)
from deltawire_service.store.errors import StoreFull, StoreUnavailable

PREPARE_SECONDS = 0.05
"""How long tasks are made until those that are ready go out: the digests of many rows take longer."""

WAIT_SECONDS = 0.25
"""How long to wait for a segment until the deadline and the workers are looked at."""

LOOK_SECONDS = 1.0
"""Seconds between two looks at the workers."""

NO_WORKER_SECONDS = 4.0
"""How long there may be no worker until the rest is computed here: one that was killed is started again."""

MOST_SILENCES = 2
"""How often workers may fall silent until the rest is computed here: the segments may be the reason."""

FETCHED = 8
"""Results that are fetched together at most; they are in memory until they are added up."""

FETCH_SECONDS = 3.0
"""How long results may be on their way until the workers are looked at."""


class Collector:
    """Has workers compute the segments of a computation's runs: a `SegmentRunner` for the engine.

    Args:
        scheduler: sends tasks.
        heartbeats: of its workers.
        sender: makes the tasks.
        fingerprint: the fingerprint that workers must have.
        run_here: computes segments in this process.
        plan: what the whole computation takes.
        log: gets a line where workers are lost.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        heartbeats: Heartbeats,
        sender: Sender,
        fingerprint: str,
        run_here: Runner,
        plan: Plan,
        log: FilteringBoundLogger,
    ):
        self.report = Report()
        self._scheduler = scheduler
        self._heartbeats = heartbeats
        self._sender = sender
        self._fingerprint = fingerprint
        self._run_here = run_here
        self._plan_of_one = replace(plan, operations=plan.operations // plan.segments)
        self._log = log
        self._is_lost = False
        """True once the rest is computed here."""
        self._has_lost_time = False
        self._is_doubtful = False
        """True while the scheduler does not answer, there is no worker, or one is late."""
        self._next_look = 0.0
        self._last_heard = monotonic()
        """When a worker was there that is not late."""
        self._unanswered = 0
        self._silences = 0

    @property
    def is_delayed(self) -> bool:
        """True where the cluster cost the computation time, or may have: workers that are lost or late do."""
        return self._has_lost_time or self._is_doubtful or self.report.recomputed > 0

    def __call__(self, run: BatchRun, computation: Computation, /) -> Iterator[list[SegmentResult]]:
        segments = Segments(run, computation)
        futures, fetched = dict[int, Future](), dict[int, list[SegmentResult]]()
        try:
            self._send(segments, futures)
            progress = Progress(futures.values())
            for index in range(len(segments)):
                if index in futures and index not in fetched:
                    wanted = [i for i in range(index, index + FETCHED) if i in futures and i not in fetched]
                    fetched.update(self._fetch({i: futures[i] for i in wanted}, progress))
                results = fetched.pop(index, None)
                if results is None:
                    results = self._compute_here(segments, index)
                yield results
        finally:
            for future in futures.values():
                future.release()
            self.report.recomputed += self._scheduler.losses.forget(future.key for future in futures.values())

    def _send(self, segments: Segments, futures: dict[int, Future]) -> None:
        """Send a task for each segment, and put its future beside its index."""
        if self._is_lost:
            return
        ready, since = dict[str, bytes](), monotonic()
        try:
            for key, task in self._sender.tasks(segments):
                ready[key] = task
                if monotonic() > since + PREPARE_SECONDS:
                    self._submit(ready, futures)
                    ready, since = {}, monotonic()
            self._submit(ready, futures)
        except (SchedulerLost, StoreFull, StoreUnavailable) as error:
            self._lose(error)

    def _submit(self, tasks: dict[str, bytes], futures: dict[int, Future]) -> None:
        if tasks:
            self.report.sent_bytes += sum(map(len, tasks.values()))
            sent = self._scheduler.submit([*tasks.values()], [*tasks], self._fingerprint)
            futures |= enumerate(sent, start=len(futures))

    def _fetch(self, wanted: dict[int, Future], progress: Progress) -> dict[int, list[SegmentResult]]:
        """Wait for the first of some segments, and fetch it with others that have ended.

        Args:
            wanted: the segments, by index.
            progress: that of the whole run.

        Returns:
            Their results by index; without those of the first where it has to be computed here.

        Raises:
            WorkerLost: the first ended the processes of several workers.
            Refused, PluginError: the first cannot be computed anywhere.
            DeadlineExceeded: the deadline has passed.
        """
        first, began = next(iter(wanted)), monotonic()
        try:
            answers = self._wait(first, wanted, progress)
        finally:
            self.report.seconds += monotonic() - began
        if first not in answers:
            self._look_at_failure(wanted[first])
        results = dict[int, list[SegmentResult]]()
        for index, answer in answers.items():
            wanted[index].release()
            if answer.results is not None:
                results[index] = answer.results
            elif index == first and not isinstance(answer.error, DeadlineExceeded):  # else clocks differ
                assert answer.error is not None
                raise answer.error
        self.report.workers += len(results)
        self.report.received_bytes += sum(
            array.nbytes
            for parts in results.values()
            for part in parts
            for arrays in part[:4]
            for array in arrays.values()
        )
        return results

    def _wait(self, first: int, wanted: dict[int, Future], progress: Progress) -> dict[int, SegmentAnswer]:
        """Return the answers of segments that have ended; without the first where it is computed here."""
        while not self._is_lost:
            check_deadline()
            left = max(0.0, current_deadline() - monotonic())
            try:
                answers = self._scheduler.collect(wanted, min(WAIT_SECONDS, left), min(FETCH_SECONDS, left))
            except SchedulerLost:
                self._look()
                continue
            if first in answers or wanted[first].status in ("error", "cancelled"):
                return answers
            if progress.stands_still():
                self._has_lost_time = True
                self._log.warning("a segment takes far longer than others, and is computed here")
                break
            if monotonic() >= self._next_look:
                self._look()
        return {}

    def _look(self) -> None:
        """Look at the workers: have others get the tasks of silent ones; give all up where nobody is left."""
        try:
            members = self._scheduler.members(fresh=True)
            equal = {member.address for member in equal_members(members, self._fingerprint)}
            late, silent = self._heartbeats.late(members) & equal, self._heartbeats.silent(members) & equal
            self._unanswered = 0
            self._is_doubtful = bool(late) or not equal
            if late < equal:
                self._last_heard = monotonic()
            if silent == equal:
                if monotonic() <= self._last_heard + NO_WORKER_SECONDS:
                    return
                self._lose(SchedulerLost("no worker is left"))
            if silent:
                self._silences, self._has_lost_time = self._silences + 1, True
            if self._silences > MOST_SILENCES:
                self._lose(SchedulerLost("workers fall silent again and again"))
            for address in sorted(silent):
                self._log.warning("a worker is silent, and counts as lost", worker=address)
                self._scheduler.remove_worker(address)
        except SchedulerLost as error:
            self._is_doubtful = True
            self._unanswered += 1
            if self._unanswered > 1 or not self._scheduler.is_connected:
                self._lose(error)
        finally:
            self._next_look = monotonic() + LOOK_SECONDS

    def _look_at_failure(self, future: Future) -> None:
        """Raise WorkerLost where a task ended its workers. Log any other failure: it is computed here."""
        if future.status != "error":
            return
        error = future.exception(timeout=WAIT_SECONDS)
        if isinstance(error, KilledWorker):
            self._log.error("a segment was lost with its workers", exc_info=error)
            raise WorkerLost from error
        self._has_lost_time = True
        self._log.warning("a segment failed at its worker", exc_info=error)

    def _compute_here(self, segments: Segments, index: int) -> list[SegmentResult]:
        results = self._run_here(lambda: segments.compute(index), self._plan_of_one)
        self.report.here += 1
        return results

    def _lose(self, error: Exception) -> None:
        self._is_lost = self._has_lost_time = True
        self._log.warning("the rest of a computation is done here", reason=str(error))
