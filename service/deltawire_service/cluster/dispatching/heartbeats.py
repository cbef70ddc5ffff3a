"""Which workers are heard of: one that is cut off, or stands still, stays in the list of its scheduler."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from distributed.scheduler import heartbeat_interval

from deltawire_service.cluster.members import Member

LATE_SECONDS = 2.0
"""Seconds without a heartbeat after which a worker may be lost; up to ten workers send two a second each."""

SILENT_SECONDS = 5.0
"""Seconds without a heartbeat after which a worker counts as lost."""


class Heartbeats:
    """Tells which workers are late and which are silent. Shared between threads, and between requests.

    The clocks of machines differ, so only changes count: a worker is heard of when its time has changed.
    """

    def __init__(self) -> None:
        self._heard: dict[str, tuple[float, float]] = {}

    def late(self, members: Sequence[Member]) -> set[str]:
        """Return the addresses of workers that may be lost; members: all workers, as they are listed now."""
        return self._unheard(members, max(LATE_SECONDS, 2 * heartbeat_interval(len(members))))

    def silent(self, members: Sequence[Member]) -> set[str]:
        """Return the addresses of workers that count as lost; members: as for `late`."""
        return self._unheard(members, max(SILENT_SECONDS, 4 * heartbeat_interval(len(members))))

    def _unheard(self, members: Sequence[Member], seconds: float) -> set[str]:
        now, before = monotonic(), self._heard
        heard = dict[str, tuple[float, float]]()
        for member in members:
            known = before.get(member.address)
            heard[member.address] = (
                known if known and known[0] == member.last_seen else (member.last_seen, now)
            )
        self._heard = heard
        return {address for address, (_, since) in heard.items() if now - since > seconds}
