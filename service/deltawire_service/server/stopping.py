"""End a process although threads that it did not start go on."""

from __future__ import annotations

import logging
import os
import sys
from threading import Thread
from time import sleep

GRACE = 2.0
"""Seconds that a process has to end by itself: to join threads, and to send its last traces."""


def end_after_grace(status: int) -> None:
    """End this process with a status a moment from now, if it has not ended by itself.

    Python waits for every thread that is no daemon before it exits; a plugin's may never end.
    """

    def end() -> None:
        sleep(GRACE)
        logging.getLogger("gunicorn.error").warning(
            "threads of a plugin go on: the process ends without them"
        )
        sys.stderr.flush()
        os._exit(status)

    Thread(target=end, name="end", daemon=True).start()
