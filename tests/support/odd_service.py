"""The service with layers that misbehave in time, for a real server: `support.odd_service:app()`."""

from __future__ import annotations

import ctypes
import time
from typing import Any

from flask import Flask
from support.layers import failing, registry

from deltawire_service.app import create_app

HELD_SECONDS = 60


def sleep(x: Any, seconds: float = HELD_SECONDS) -> Any:
    """Other threads of Python go on."""
    time.sleep(seconds)
    return x


def hold(x: Any) -> Any:
    """No other thread of Python goes on: PyDLL keeps the global lock during a call."""
    ctypes.PyDLL(None).sleep(HELD_SECONDS)
    return x


def slow(x: Any) -> Any:
    return sleep(x, 1.0)


def app() -> Flask:
    kinds = {"hang": sleep, "hold": hold, "slow": slow}
    backward = {kind: failing("delta", how) for kind, how in kinds.items()}
    return create_app(layers=registry(**backward, slow_value=failing("value", slow)))
