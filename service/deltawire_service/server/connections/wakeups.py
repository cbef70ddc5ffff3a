"""Calls from other threads, made in the thread of a selector."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable


class Wakeups:
    """Calls that wait for a selector's thread, and a pipe that wakes it.

    Args:
        read, write: the ends of a pipe that does not block.
    """

    def __init__(self, read: int, write: int):
        self._read, self._write = read, write
        self._calls = deque[Callable[[], None]]()
        self._woken = False

    def call_soon(self, call: Callable[[], None]) -> None:
        """Make this call in the selector's thread. May be called from any thread."""
        self._calls.append(call)
        if not self._woken:
            self._woken = True
            os.write(self._write, b"\0")

    def run(self, events: int) -> None:
        """Make the calls that wait: the pipe can be read."""
        os.read(self._read, 4096)
        self._woken = False  # before the calls: one that is added from here on wakes the thread again
        while self._calls:
            self._calls.popleft()()
