"""The process that takes runs, beside the workers: gunicorn's master starts it, and starts it again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from time import monotonic, sleep
from typing import Any

RETRY_SECONDS = 1.0
"""Seconds between two starts; twice as many each time that a start fails."""

MOST_RETRY_SECONDS = 60.0
"""Seconds between two starts at most; a process that lives longer was started well."""

LOOK_SECONDS = 0.05
"""Seconds between two looks whether it has ended."""


def trainer_command(metrics_folder: str | None, memory: int) -> list[str]:
    """Return the command of the trainer of this process.

    Args:
        metrics_folder: the folder in which the processes share their counts; None for none.
        memory: the descriptor of the page in which they share what they hold.
    """
    command = [sys.executable, "-m", "deltawire_service.training", "--parent", str(os.getpid())]
    command += ["--memory", str(memory)]
    return [*command, "--metrics", metrics_folder] if metrics_folder else command


class TrainerProcess:
    """The trainer of a master.

    Args:
        command: what starts it.
        descriptors: the descriptors that it takes over.
        on_end: called when it has ended, at least once before it is started again.
    """

    def __init__(
        self,
        command: Sequence[str],
        descriptors: Sequence[int] = (),
        on_end: Callable[[], None] = lambda: None,
    ):
        self._command = command
        self._descriptors = descriptors
        self._on_end = on_end
        self._process: subprocess.Popen[bytes] | None = None
        self._started = self._next_start = 0.0
        self._retry_seconds = RETRY_SECONDS
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The id of the process; None while there is none."""
        return self._process.pid if self.is_alive() and self._process else None

    def is_alive(self) -> bool:
        """Return whether the process goes on."""
        return self._process is not None and self._process.poll() is None

    def keep_alive(self, log: Any) -> None:
        """Start the process unless it goes on, was started a moment ago, or is to stop.

        Raises nothing where the system has no room for it: it is tried again.
        """
        if self.is_alive():
            return
        self._on_end()
        now = monotonic()
        if self._stopping or now < self._next_start:
            return
        if self._process is not None:
            log.error("the trainer (pid:%s) has ended: it is started again", self._process.pid)
        self._retry_seconds = self._next_retry(now)
        self._started, self._next_start = now, now + self._retry_seconds
        try:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, pass_fds=self._descriptors
            )
        except OSError as error:
            log.error("the trainer cannot be started for now: %s", error)

    def _next_retry(self, now: float) -> float:
        """Return the least seconds from this start to the next: more while the process ends with an error."""
        failed = self._process is not None and self._process.returncode > 0  # below 0: it was killed
        if failed and now - self._started < MOST_RETRY_SECONDS + self._retry_seconds:
            return min(2 * self._retry_seconds, MOST_RETRY_SECONDS)
        return RETRY_SECONDS

    def begin_stop(self) -> None:
        """Tell the process to end after its next commit, and start no other one."""
        self._stopping = True
        if self.is_alive() and self._process:
            self._process.terminate()

    def stop(self, until: float) -> None:
        """End the process: by force where it goes on at a time, as time.monotonic counts."""
        self.begin_stop()
        while self.is_alive() and monotonic() < until:
            sleep(LOOK_SECONDS)
        if self.is_alive() and self._process:
            self._process.kill()


def keep_trainer(server: Any, trainer: TrainerProcess) -> None:
    """Have gunicorn's master look after the trainer whenever it looks after its workers: every second."""
    manage_workers = server.manage_workers

    def manage() -> None:
        manage_workers()
        trainer.keep_alive(server.log)

    server.manage_workers = manage
