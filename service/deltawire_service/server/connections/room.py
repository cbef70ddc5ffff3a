"""Which connection makes room where there is no more."""

from __future__ import annotations

from collections.abc import Iterable

from deltawire_service.server.connections.connection import Connection, Stage

FRESH = 2.0
"""Seconds in which a silent connection is spared while others have stalled: its request is on its way."""

COMING = (Stage.HEAD, Stage.BODY, Stage.UPLOAD)
"""Stages in which a request has begun, and has not come to its end."""


def least_claim(connections: Iterable[Connection], now: float) -> Connection | None:
    """Return the connection that should be closed first; None when all have requests that are answered.

    These go first: those that only take their last answer; then those that have sent nothing, or half a
    request, for longest; then new ones; then the slowest reader or upload. One that another thread works for
    stays.

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
        if each.upload:
            received = each.upload.received - (each.taken or 0)
            return 3, received / max(now - each.since, 0.1)
        fresh = each.stage is Stage.IDLE and now - each.since < FRESH
        return (2 if fresh else 1), each.since

    spared = (each for each in connections if each.stage is not Stage.ANSWERING and not each.busy)
    return min(spared, key=claim, default=None)


def oldest_coming(connections: Iterable[Connection], least_bytes: int) -> Connection | None:
    """Return the connection whose request has been coming for longest, of those that hold more than so much.

    Args:
        connections: the open connections; one that another thread works for is spared.
        least_bytes: bytes in memory up to which a request is spared.
    """
    coming = (each for each in connections if each.stage in COMING and not each.busy)
    large = (each for each in coming if each.held > least_bytes)
    return min(large, key=lambda each: each.since, default=None)
