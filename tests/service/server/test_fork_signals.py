"""A worker that is told to stop before it can handle signals stops all the same."""

from __future__ import annotations

import os
import signal
import subprocess
import time

from support.service import children, command, free_port
from support.slow_fork import SECONDS

from deltawire_service.server.stopping import GRACE


def test_a_service_stops_while_its_workers_start() -> None:
    service = subprocess.Popen(
        command(free_port(), "-w", "2", app="support.slow_fork:app()"), stderr=subprocess.DEVNULL
    )
    try:
        while len(children(service.pid)) < 2:
            assert service.poll() is None
            time.sleep(0.01)
        started = time.monotonic()
        os.kill(service.pid, signal.SIGTERM)
        assert service.wait(timeout=25) == 0
        assert time.monotonic() - started < SECONDS + GRACE + 3  # at once, and not after the grace of 32 s
    finally:
        service.kill()
        service.wait()
