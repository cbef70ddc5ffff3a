"""End a process although threads that it did not start go on."""

from __future__ import annotations

import logging
import os
import sys
from threading import Thread, main_thread
from threading import enumerate as enumerate_threads
from time import sleep

GRACE = 2.0
"""Seconds that a process has to end by itself: to join threads, and to send its last traces."""


def end_after_grace(status: int) -> None:
    """End this process with a status a moment from now, if it has not ended by itself.

    Python waits for every thread that is no daemon before it exits; a plugin's may never end.
    """

    def end() -> None:
        sleep(GRACE)
        names = [
            thread.name for thread in enumerate_threads() if not thread.daemon and thread is not main_thread()
        ]
        logging.getLogger("gunicorn.error").warning(
            "threads go on, of a plugin perhaps: the process ends without %s", ", ".join(names) or "waiting"
        )
        sys.stderr.flush()
        os._exit(status)

    Thread(target=end, name="end", daemon=True).start()
