"""The process that trains, for a service in this process."""

from __future__ import annotations

import os
import subprocess
import sys
import weakref
from collections.abc import Callable

from deltawire_plugins.blas import ONE_THREAD

STOP_SECONDS = 10.0
"""How long the process may take to commit what it has computed."""


class TrainerProcess:
    """Takes the runs of a folder, in a process of its own, beside what this one computes.

    It ends with this process, and then goes on with the same runs when it is started again. Of several on one
    folder, one works and the others wait.

    Args:
        data_dir: The folder; None for that of the setting DELTAWIRE_DATA_DIR.
    """

    def __init__(self, data_dir: str | None):
        defaults = ONE_THREAD | {"DELTAWIRE_LOG_LEVEL": "error"}
        self._environment = defaults | dict(os.environ)
        if data_dir is not None:
            self._environment["DELTAWIRE_DATA_DIR"] = data_dir
        self._stop: Callable[[], object] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def keep_alive(self) -> None:
        """Start the process unless it goes on."""
        if self._process is not None and self._process.poll() is None:
            return
        command = [sys.executable, "-m", "deltawire_service.training", "--parent", str(os.getpid())]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=self._environment)
        self._stop = weakref.finalize(self, _stop, self._process, os.getpid())

    def stop(self) -> None:
        """End the process, after the commit of what it has computed."""
        if self._stop is not None:
            self._stop()


def _stop(process: subprocess.Popen[bytes], parent: int) -> None:
    if os.getpid() != parent:  # a fork is about to end, and the process is not its own
        return
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
