"""A client must read at the least speed, and a large answer faster."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from deltawire_service.server.connections.limits import ConnectionLimits
from deltawire_service.server.connections.readers import MOST_DEADLINES, reads_fast_enough

LIMITS = ConnectionLimits(deadline_seconds=30, client_bytes_per_second=1000)


def reader(sent: int, taken: int, waiting: int = 10**5, announced: int = 0) -> Any:
    outgoing = SimpleNamespace(sent=sent, waiting=waiting, announced=announced)
    return SimpleNamespace(outgoing=outgoing, taken=taken, since=100.0)


def test_the_least_speed_counts_since_the_last_look() -> None:
    assert reads_fast_enough(reader(25_000, 10_000), LIMITS, 115.0)
    assert not reads_fast_enough(reader(24_999, 10_000), LIMITS, 115.0)


def test_an_answer_must_be_read_within_a_number_of_deadlines() -> None:
    size = 6 * 10**8
    fast = size // (MOST_DEADLINES * 30) * 15
    assert reads_fast_enough(reader(fast, 0, size - fast), LIMITS, 115.0)
    assert not reads_fast_enough(reader(fast - 15, 0, size - fast + 15), LIMITS, 115.0)
    assert not reads_fast_enough(
        reader(fast - 15, 0, 0, announced=size), LIMITS, 115.0
    )  # most is not made yet
