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

    def drain(self, events: int) -> None:
        """Empty the pipe, which can be read, and make the calls that wait."""
        os.read(self._read, 4096)
        self._woken = False  # before the calls: one that is added from here on wakes the thread again
        self.make_calls()

    def make_calls(self) -> None:
        """Make the calls that wait."""
        while self._calls:
            self._calls.popleft()()
