"""The guard of the trainer: it bounds what the process computes, in time and in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from deltawire_service.admission.compute_queue import Overloaded
from deltawire_service.admission.memory_shares import MemoryShare
from deltawire_service.engine import Plan, Runner
from deltawire_service.training.watchdog import Watchdog

T = TypeVar("T")


class Guard:
    """Bounds the computations of a process.

    Args:
        watchdog: ends the process where one does not return; by default none is ended.
        memory: the share of this process in the memory of the service; None where it shares with nobody.
    """

    def __init__(self, watchdog: Watchdog | None = None, memory: MemoryShare | None = None):
        self.watchdog = watchdog or Watchdog()
        self._memory = memory

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Watch the computations of a block, and keep the memory that they reserve until its end."""
        try:
            with self.watchdog.watching():
                yield
        finally:
            if self._memory:
                self._memory.hold(0)

    def guarding(self, run: Runner) -> Runner:
        """Return a runner that reserves the planned memory, and raises Overloaded where requests hold it."""

        def guarded(compute: Callable[[], T], plan: Plan | None = None) -> T:
            self.watchdog.note_progress()
            if self._memory and plan and not self._memory.reserve(plan.peak_bytes):
                raise Overloaded(1, "admitted_bytes")
            return run(compute, plan)

        return guarded
