"""How fast a client must read its answer."""

from __future__ import annotations

from deltawire_service.server.connections.connection import Connection
from deltawire_service.server.connections.limits import ConnectionLimits

MOST_DEADLINES = 20
"""How many times the deadline the reading of an answer, or the sending of an upload, may take: the memory, or
the disk, that it holds is not free."""


def reads_fast_enough(connection: Connection, limits: ConnectionLimits, now: float) -> bool:
    """Return whether a client has read enough of its answer since the last look.

    Args:
        connection: a connection that sends, in which the bytes of the last look are noted.
        limits: the least speed, and the deadline.
        now: the time (time.monotonic).
    """
    outgoing = connection.outgoing
    size = max(outgoing.announced, outgoing.sent + outgoing.waiting)
    least = max(limits.client_bytes_per_second, size / (MOST_DEADLINES * limits.deadline_seconds))
    return outgoing.sent - (connection.taken or 0) >= least * (now - connection.since)
