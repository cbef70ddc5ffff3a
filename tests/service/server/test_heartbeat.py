"""A worker shows that it lives where no folder has room for a file."""

from __future__ import annotations

import os
import time

import pytest

from deltawire_service.server.heartbeat import Heartbeat


def test_it_tells_when_it_was_last_shown() -> None:
    heartbeat = Heartbeat()
    assert 0 <= time.monotonic() - heartbeat.last_update() < 1
    os.utime(heartbeat.fileno(), (5, 5))
    assert heartbeat.last_update() == 5
    heartbeat.notify()
    assert time.monotonic() - heartbeat.last_update() < 1
    heartbeat.close()
    heartbeat.close()
    with pytest.raises(ValueError):  # what gunicorn's arbiter takes for no longer there
        heartbeat.last_update()
