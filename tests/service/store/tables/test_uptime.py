"""Uptime counts each second once that some process was up until it committed."""

from __future__ import annotations

from sqlite3 import Connection

import pytest

from deltawire_service.store.tables import uptime
from deltawire_service.store.tables.uptime import Moment

A, B = b"boot", b"another boot"


@pytest.mark.parametrize(
    "moments, seconds",
    [
        ([(A, 0, 100)], 100),
        ([(A, 0, 10), (A, 0, 20), (A, 0, 90)], 90),  # also where the row is not written each time
        ([(A, 0, 100), (A, 50, 200)], 200),  # processes that overlap
        ([(A, 0, 100), (A, 50, 90)], 100),  # one that commits with an older look at its clock
        ([(A, 0, 100), (A, 5000, 5100)], 200),  # it was down in between
        ([(A, 9000, 9100), (B, 0, 100)], 200),  # after another start of the system the clock begins anew
        ([(A, 0, 100), (B, 50, 60), (B, 50, 150)], 200),
        ([(A, 0, 70)] + [(A, 0, now) for now in range(80, 1000, 10)], 990),
    ],
)
def test_uptime_is_that_of_all_processes_together(
    transaction: Connection, moments: list[tuple[bytes, float, float]], seconds: float
) -> None:
    found = [uptime.count(transaction, Moment(*moment)) for moment in moments]
    assert found[-1] == seconds and found == sorted(found)
