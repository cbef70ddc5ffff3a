"""A command that is run again whenever it ends: Dask's workers end when they lose their scheduler."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from threading import Event, Timer
from types import FrameType

GRACE_SECONDS = 10.0
"""How long the command may take to end after a signal, before all of its processes are killed."""

PAUSE_SECONDS = 1.0
"""Seconds between the end of the command and its next start."""


def keep_running(command: Sequence[str], pause: float = PAUSE_SECONDS, grace: float = GRACE_SECONDS) -> None:
    """Run a command again and again until SIGTERM or SIGINT, which end it too.

    Args:
        command: the command and its arguments.
        pause: seconds from its end to its next start.
        grace: seconds that it may take to end, before its whole process group is killed.
    """
    stopped = Event()
    running: list[subprocess.Popen[bytes]] = []

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()
        for process in running:
            _end(process, grace)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    while not stopped.is_set():
        process = subprocess.Popen(command, start_new_session=True)
        running[:] = [process]
        if stopped.is_set():  # the signal came before the process was known
            _end(process, grace)
        process.wait()
        stopped.wait(pause)


def _end(process: subprocess.Popen[bytes], grace: float) -> None:
    """Ask a process to end, and kill its group where it has not ended in time."""
    process.send_signal(signal.SIGTERM)
    timer = Timer(grace, _kill, [process])
    timer.daemon = True
    timer.start()


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
