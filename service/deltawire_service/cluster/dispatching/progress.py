"""The progress of a run: a worker that is heard of may still never end its task."""

from __future__ import annotations

from collections.abc import Collection
from time import monotonic

from distributed import Future

STILL_SECONDS = 8.0
"""Seconds without the end of any task until one may count as stuck: a silent worker is found out before."""

STILL_FACTOR = 3.0
"""How many times as long as its last progress took from its beginning a run must stand still, in addition."""


class Progress:
    """Tells when the tasks of a run end no more, although some have ended.

    futures: all tasks of the run, which begin now.
    """

    def __init__(self, futures: Collection[Future]):
        self._futures = futures
        self._began = self._last = monotonic()
        self._ended = 0

    def stands_still(self) -> bool:
        """Return whether no task has ended for far longer than the run took until the last one did."""
        ended, now = sum(future.status != "pending" for future in self._futures), monotonic()
        if ended > self._ended:
            self._ended, self._last = ended, now
        return ended > 0 and now - self._last > STILL_SECONDS + STILL_FACTOR * (self._last - self._began)
