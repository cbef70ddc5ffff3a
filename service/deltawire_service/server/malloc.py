"""Memory stays in the process between computations, and is returned to the system when none come.

glibc returns every large block to the system when it is freed, and gets it back one page fault at a time:
that takes up to a third of the time of a deep network. Here it keeps them, and returns what is free when no
request has come for a while.

Other C libraries have no such calls; nothing changes there.
"""

from __future__ import annotations

import ctypes
import gc
import os
from collections.abc import Callable
from threading import Event, Thread
from time import monotonic, sleep

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""Parameters of mallopt(3), as <malloc.h> numbers them."""

KEPT_BYTES = 2**30

IDLE_SECONDS = 2.0
"""Seconds after the last request until memory is returned."""


def keep_memory() -> None:
    """Keep freed memory in the process, in one arena for all threads, unless MALLOC_* variables are set."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None or any(name.startswith("MALLOC_") for name in os.environ):
        return
    mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
    mallopt(M_ARENA_MAX, 1)


class IdleTrim:
    """Returns freed memory to the system when no request has ended for a while."""

    def __init__(self, idle_seconds: float = IDLE_SECONDS):
        self._idle = idle_seconds
        self._ended = monotonic()
        self._busy = Event()
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            Thread(target=self._watch, args=[trim], name="trim", daemon=True).start()

    def ended(self) -> None:
        """Note that a request has ended."""
        self._ended = monotonic()
        if not self._busy.is_set():
            self._busy.set()

    def _watch(self, trim: Callable[[int], int]) -> None:
        while self._busy.wait():
            self._busy.clear()  # a request that ends from here on wakes this thread once more
            while (left := self._ended + self._idle - monotonic()) > 0:
                sleep(left)
            gc.collect()  # workers collect seldom, and errors hold their requests in cycles
            trim(0)
