"""The watchdog of the trainer: it ends the process where a layer or an optimizer does not return."""

from __future__ import annotations

import faulthandler
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf


class Watchdog:
    """Bounds the time of a computation.

    faulthandler counts it in a thread that does not need Python's lock, so a layer that holds the lock is
    ended too. It prints where each thread was.

    seconds: how long a computation may take; inf for any time.
    """

    def __init__(self, seconds: float = inf):
        self._seconds = seconds

    @contextmanager
    def watching(self) -> Iterator[None]:
        """End the process, with status 1, unless the block ends in time."""
        if self._seconds == inf:
            yield
            return
        faulthandler.dump_traceback_later(self._seconds, exit=True)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
