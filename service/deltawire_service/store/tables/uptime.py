"""The table of the service's uptime, one row: what the age of a key is counted by.

A service that is down grows no older, so a client may repeat a request that it sent before a long break. The
clock of the machine is not trusted: seconds count from the start of a process to its commits, each second
once, though several processes commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from sqlite3 import Connection

WRITTEN_SECONDS = 60
"""How often the row is written."""


@dataclass(frozen=True)
class Moment:
    """A moment in the life of a process.

    Attributes:
        boot: the id of the system's boot.
        started: when the process started, as time.monotonic counts since that boot.
        now: the moment, counted alike.
    """

    boot: bytes
    started: float
    now: float


def count(database: Connection, moment: Moment) -> float:
    """Return for how many seconds the service was up until a moment, all its life.

    Args:
        database: a transaction that writes.
        moment: the moment.
    """
    boot, counted, seconds = database.execute("SELECT boot, moment, seconds FROM uptime").fetchone()
    since = max(moment.started, counted) if boot == moment.boot else moment.started
    more = max(0.0, moment.now - since)
    if more > WRITTEN_SECONDS or boot != moment.boot:
        row = (moment.boot, max(moment.now, since), seconds + more)
        database.execute("UPDATE uptime SET boot = ?, moment = ?, seconds = ?", row)
    return float(seconds + more)
