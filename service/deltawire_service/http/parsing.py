"""Parsing bodies: one large JSON body at a time.

The parser holds Python's global lock until it has ended. Several at once would end no sooner. But the thread
that shows the server that its worker lives would wait for all of them, and the worker would be replaced.

A child that is forked meanwhile has nobody who ends the turn, so it begins with a new one.
"""

from __future__ import annotations

import os
from threading import TIMEOUT_MAX, Lock
from time import monotonic
from typing import Any

from deltawire import wire
from deltawire_service.engine import DeadlineExceeded, current_deadline

LARGE_BYTES = 2**18
"""Bytes of JSON that are parsed in about a millisecond."""

_turn = Lock()


def _begin_in_child() -> None:
    global _turn
    _turn = Lock()


os.register_at_fork(after_in_child=_begin_in_child)


def parse(body: bytes | memoryview, media_type: str, limits: wire.Limits, align: bool = True) -> Any:
    """Return the document in a body.

    Args:
        body: the whole body.
        media_type: its media type.
        limits: bounds on what it may hold.
        align: whether arrays are copied where they are not aligned.

    Raises:
        Refused: the body is not well formed, or breaks a limit.
        DeadlineExceeded: other bodies were parsed until the deadline of the request.
    """
    if media_type != wire.JSON or len(body) < LARGE_BYTES:
        return wire.decode(body, media_type, limits, align=align)
    left = current_deadline() - monotonic()
    turn = _turn
    if not turn.acquire(timeout=max(0.0, min(left, TIMEOUT_MAX))):
        raise DeadlineExceeded
    try:
        return wire.decode(body, media_type, limits, align=align)
    finally:
        turn.release()
