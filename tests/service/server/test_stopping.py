"""Threads of a plugin that never end do not keep the service from stopping."""

from __future__ import annotations

import os
import signal
import time

import pytest
from support.service import children, running_service

from deltawire_service.server.stopping import GRACE


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_service_with_threads_that_last_stops(how: int) -> None:
    with running_service("-w", "1", app="support.lasting_threads:app()") as service:
        (worker,) = children(service.pid)
        started = time.monotonic()
        os.kill(service.pid, how)
        assert service.wait(timeout=15) == 0
        assert time.monotonic() - started < 2 * GRACE + 3  # the worker, then the master
        assert not os.path.exists(f"/proc/{worker}")
        assert "threads go on, of a plugin perhaps: the process ends without lasts" in service.log()


def test_without_such_threads_it_stops_sooner() -> None:
    with running_service("-w", "1") as service:
        started = time.monotonic()
        os.kill(service.pid, signal.SIGTERM)
        assert service.wait(timeout=15) == 0
        assert time.monotonic() - started < GRACE and "threads go on" not in service.log()
