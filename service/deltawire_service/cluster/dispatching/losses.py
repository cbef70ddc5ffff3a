"""Tasks that were lost with their workers, as the scheduler reports it: others compute them again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Any

TOPIC = "all"
"""The topic of Dask's events that has the end of each worker."""

LOST = ("processing-tasks", "lost-computed-tasks")
"""The fields of such an event that name the tasks that the worker had."""


class Losses:
    """Counts how often each of some tasks was lost. Shared between threads."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._lock = Lock()

    def watch(self, keys: Iterable[str]) -> None:
        """Count from now on how often these tasks are lost."""
        with self._lock:
            self._counts |= dict.fromkeys(keys, 0)

    def on_event(self, event: tuple[float, Mapping[str, Any]]) -> None:
        """Count the tasks of a worker that was lost; other events are ignored."""
        _, message = event
        with self._lock:
            for field in LOST:
                for key in message.get(field, ()):
                    if key in self._counts:  # else it is a task of another process
                        self._counts[key] += 1

    def forget(self, keys: Iterable[str]) -> int:
        """Stop counting these tasks, and return how often they were lost altogether."""
        with self._lock:
            return sum(self._counts.pop(key, 0) for key in keys)
