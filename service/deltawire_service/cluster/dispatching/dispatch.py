"""Which computations go out: those with several segments and enough work, while there are workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import TypeVar

from structlog.typing import FilteringBoundLogger

from deltawire_service.cluster.dispatching.blobs import Blobs
from deltawire_service.cluster.dispatching.client import Scheduler, SchedulerLost
from deltawire_service.cluster.dispatching.collecting import Collector
from deltawire_service.cluster.dispatching.digests import Digests
from deltawire_service.cluster.dispatching.heartbeats import Heartbeats
from deltawire_service.cluster.dispatching.sending import Sender
from deltawire_service.cluster.errors import ClusterUnavailable
from deltawire_service.cluster.links import Links
from deltawire_service.cluster.members import equal_members
from deltawire_service.cluster.report import Membership, Report
from deltawire_service.engine import DeadlineExceeded, Plan, Runner, segment_runner

T = TypeVar("T")

WAITING = 8
"""Computations that wait for workers at once: half of the threads that answer requests."""


class Dispatcher:
    """Sends computations to workers. Shared between threads.

    Args:
        scheduler: the connection to the workers.
        blobs: the files for workers.
        links: makes links to them.
        service: the address at which workers reach the service; empty where they share its folder.
        least_operations: planned operations from which on a computation goes out.
        fingerprint: returns the fingerprint of this process.
        on_report: called with the report of each computation that went out.
        log: gets a line where workers are lost.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        blobs: Blobs,
        links: Links,
        service: str,
        least_operations: int,
        fingerprint: Callable[[], str],
        on_report: Callable[[Report], None],
        log: FilteringBoundLogger,
    ):
        self._scheduler = scheduler
        self._heartbeats = Heartbeats()
        self.blobs = blobs
        self.links = links
        self._service = service
        self._least_operations = least_operations
        self._fingerprint = fingerprint
        self._on_report = on_report
        self._log = log
        self._digests = Digests()
        self._turns = BoundedSemaphore(WAITING)

    def runner(self, run_here: Runner) -> Runner:
        """Return a runner that sends large computations out, and leaves the others to another runner."""

        def dispatch(compute: Callable[[], T], plan: Plan | None = None) -> T:
            if not plan or plan.segments == 1 or plan.operations < self._least_operations:
                return run_here(compute, plan)
            if not self.membership().equal:
                with _blaming_the_cluster(lambda: True):
                    return run_here(compute, plan)
            if not self._turns.acquire(blocking=False):
                return run_here(compute, plan)
            try:
                return self._send_out(compute, plan, run_here)
            finally:
                self._turns.release()

        return dispatch

    def membership(self) -> Membership:
        """Return how many workers are heard of, as the scheduler said within the last moment.

        Raises DeadlineExceeded.
        """
        try:
            members = self._scheduler.members()
        except SchedulerLost:
            return Membership(False, 0, 0)
        silent = self._heartbeats.silent(members)
        members = [member for member in members if member.address not in silent]
        equal = len(equal_members(members, self._fingerprint()))
        return Membership(True, equal, len(members) - equal)

    def _send_out(self, compute: Callable[[], T], plan: Plan, run_here: Runner) -> T:
        fingerprint = self._fingerprint()
        sender = Sender(self.blobs, self._digests, self.links, self._service, fingerprint)
        collector = Collector(
            self._scheduler, self._heartbeats, sender, fingerprint, run_here, plan, self._log
        )
        token = segment_runner.set(collector)
        try:
            with _blaming_the_cluster(lambda: collector.is_delayed):
                return compute()
        finally:
            segment_runner.reset(token)
            sender.close()
            self._on_report(collector.report)


@contextmanager
def _blaming_the_cluster(is_reason: Callable[[], bool]) -> Iterator[None]:
    """Raise ClusterUnavailable where the deadline passes because of the cluster.

    A request whose workers were all heard of until then is only too large for its deadline.

    is_reason: returns whether the cluster cost the request time.
    """
    try:
        yield
    except DeadlineExceeded as error:
        if is_reason():
            raise ClusterUnavailable from error
        raise
