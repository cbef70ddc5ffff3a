"""Which connection is closed where there is room for no more."""

from __future__ import annotations

from collections.abc import Iterable

from deltawire_service.server.connections.connection import Connection, Stage

FRESH = 2.0
"""Seconds in which a silent connection is spared while others have stalled: its request is on its way."""


def least_claim(connections: Iterable[Connection], now: float) -> Connection | None:
    """Return the connection that should be closed first; None when all have requests that are answered.

    These go first: those that only take their last answer; then those that have sent nothing, or half a
    request, for longest; then new ones; then the slowest reader.

    Args:
        connections: the open connections.
        now: the time (time.monotonic).
    """

    def claim(each: Connection) -> tuple[int, float]:
        if each.stage is Stage.CLOSING:
            return 0, each.since
        if each.stage is Stage.SENDING:
            taken = each.outgoing.sent - (each.taken or 0)
            return 3, taken / max(now - each.since, 0.1)
        fresh = each.stage is Stage.IDLE and now - each.since < FRESH
        return (2 if fresh else 1), each.since

    return min((each for each in connections if each.stage is not Stage.ANSWERING), key=claim, default=None)
