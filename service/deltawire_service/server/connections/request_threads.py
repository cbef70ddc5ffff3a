"""Threads that answer requests."""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any


class RequestThreads:
    """So many threads that run jobs in the order they come; a job that fails is logged.

    They are daemons: a process that stops does not wait for a request that hangs, as it would for those of
    `concurrent.futures`, whose futures also cost a small request ten times what this queue does.

    Args:
        count: how many threads.
        name: the name of each.
        log: of gunicorn.
    """

    def __init__(self, count: int, name: str, log: Any):
        self._log = log
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        for _ in range(count):
            Thread(target=self._run, name=name, daemon=True).start()

    def submit(self, job: Callable[[], None]) -> None:
        """Run the job as soon as a thread is free."""
        self._jobs.put(job)

    def _run(self) -> None:
        while True:
            job = self._jobs.get()
            try:
                job()
            except Exception:
                self._log.exception("failed after a request was answered")
            del job  # else an idle thread would keep the memory of its last request
