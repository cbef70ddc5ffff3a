"""Keep the service when a worker cannot be started: gunicorn's master would end with the first failure.

The system may have no process, no descriptor or no memory left for a moment. The application is loaded before
any worker, so a worker that cannot start says nothing about it: another one is tried.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from time import sleep
from typing import Any

from deltawire_service.server.fork_signals import deliver

RETRY_SECONDS = 1.0
"""Seconds between two attempts."""

FAILED = -1
"""The exit status, for gunicorn, of a worker that cannot start; no process ends with a negative one."""


def retry_starts(server: Any) -> None:
    """Let gunicorn's master try again what it could not do, instead of ending."""
    server.WORKER_BOOT_ERROR = FAILED  # by this status it would know that it has to end
    server.spawn_workers = survivor(server, server.spawn_workers, lambda: None)
    server.reload = survivor(server, server.reload, lambda: server.signal(signal.SIGHUP, None))


def survivor(server: Any, start: Callable[[], None], try_again: Callable[[], None]) -> Callable[[], None]:
    """Return the function without its errors of the system, which are logged.

    Args:
        server: gunicorn's master.
        start: starts workers.
        try_again: makes the master call it again; it looks for missing workers every second anyway.
    """

    def call() -> None:
        try:
            start()
        except (OSError, MemoryError) as error:
            deliver()  # held back for a fork that did not happen
            server.log.error("no worker can be started for now: %s", error)
            sleep(RETRY_SECONDS)
            try_again()

    return call


def wait_before_next(worker: Any) -> None:
    """Let a worker that could not start end a moment later, so that the next one is not tried at once."""
    if not worker.booted:
        sleep(RETRY_SECONDS)
