"""The file with which a worker shows that it lives, where no folder has room for it."""

from __future__ import annotations

import os
from tempfile import TemporaryFile
from time import monotonic
from typing import Any


class Heartbeat:
    """A stand-in for gunicorn's `WorkerTmp`, in memory that belongs to no file system that can be full."""

    def __init__(self) -> None:
        if hasattr(os, "memfd_create"):
            self._file: Any = open(os.memfd_create("deltawire-heartbeat"), "wb", buffering=0)
        else:
            self._file = TemporaryFile(buffering=0)
        self.notify()

    def notify(self) -> None:
        """Show that the worker lives."""
        now = monotonic()
        os.utime(self.fileno(), (now, now))

    def last_update(self) -> float:
        """Return when it was last shown (time.monotonic)."""
        return os.fstat(self.fileno()).st_mtime

    def fileno(self) -> int:
        """Return the descriptor. Raises ValueError once it is closed."""
        return int(self._file.fileno())

    def close(self) -> None:
        """Forget the file."""
        self._file.close()
