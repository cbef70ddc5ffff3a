"""Turns to parse: so many bodies of a kind at once in a process; the next ones wait until their deadlines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import TIMEOUT_MAX, Semaphore
from time import monotonic

from deltawire_service.engine import DeadlineExceeded, current_deadline


class ParsingTurns:
    """The turns of one kind of bodies. Shared between threads.

    A child that is forked meanwhile has nobody who ends a turn, so it begins with new ones.

    Args:
        at_once: how many bodies are parsed at once.
    """

    def __init__(self, at_once: int):
        self._at_once = at_once
        self._free = Semaphore(at_once)
        os.register_at_fork(after_in_child=self._begin_in_child)

    @contextmanager
    def take(self) -> Iterator[None]:
        """Wait for a turn, and hold it.

        Raises:
            DeadlineExceeded: other bodies were parsed until the deadline of the request.
        """
        free, left = self._free, current_deadline() - monotonic()
        if not free.acquire(timeout=max(0.0, min(left, TIMEOUT_MAX))):
            raise DeadlineExceeded
        try:
            yield
        finally:
            free.release()

    def _begin_in_child(self) -> None:
        self._free = Semaphore(self._at_once)
