"""The watchdog of the trainer: it ends the process where a layer or an optimizer does not return.

A process that is ended so leaves a report for the next one: the run that it worked on, and where it hung.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from deltawire_service.store.errors import disk_errors

REARMED_SECONDS = 1.0
"""How long ago the time began to count at least before it begins anew: that starts a thread."""


class Report(NamedTuple):
    """The report of a process that the watchdog ended."""

    run: str
    """The id of the run that it worked on."""
    threads: str
    """Where each of its threads was."""


class Watchdog:
    """Bounds the time of a computation.

    It counts the time of processors, for one that loops, and the time that passes, for one that waits. A
    process with little of the processors is no slower by the first.

    The system and a thread of faulthandler count: neither needs Python's lock, so a layer that holds the lock
    is ended too. faulthandler writes where each thread was.

    Args:
        seconds: how long a computation may take; inf for any time.
        processor_seconds: how much of the processors it may take, all threads together.
        path: the file of the report; None to write to standard error.
    """

    def __init__(self, seconds: float = inf, processor_seconds: float = inf, path: Path | None = None):
        self.seconds, self.processor_seconds = seconds, processor_seconds
        self._path = path
        self._descriptor = -1
        self._run = ""
        self._armed: float | None = None

    def begin(self, run: str) -> None:
        """Name the run that this process works on from now on. Raises StoreFull or StoreUnavailable."""
        if self._path is None or run == self._run:
            return
        with disk_errors():
            self._open()
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, f"{run}\n".encode())
        self._run = run

    def read_report(self) -> Report | None:
        """Return the report of the process before, None where it was not ended by its watchdog.

        Raises:
            StoreFull, StoreUnavailable: the disk cannot be used.
        """
        if self._path is None:
            return None
        with disk_errors():
            self._open()
            run, _, threads = self._path.read_text(errors="replace").partition("\n")
        return Report(run, threads) if threads else None

    def clear_report(self) -> None:
        """Remove the report, which has been taken care of. Raises StoreUnavailable."""
        with disk_errors():
            os.ftruncate(self._descriptor, 0)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """End the process unless the block ends in time, or shows progress."""
        if self.seconds == self.processor_seconds == inf:
            yield
            return
        self._arm()
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            faulthandler.cancel_dump_traceback_later()
            self._armed = None

    def note_progress(self) -> None:
        """Count the time of the computation that is watched from now on, if one is."""
        if self._armed is not None and monotonic() > self._armed + REARMED_SECONDS:
            self._arm()

    def _arm(self) -> None:
        self._armed = monotonic()
        file = sys.stderr if self._descriptor < 0 else self._descriptor
        if self.processor_seconds < inf:
            faulthandler.register(signal.SIGPROF, file, chain=True)  # whose default action ends the process
            signal.setitimer(signal.ITIMER_PROF, self.processor_seconds)
        if self.seconds < inf:
            faulthandler.dump_traceback_later(self.seconds, exit=True, file=file)

    def _open(self) -> None:
        if self._descriptor < 0 and self._path is not None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
