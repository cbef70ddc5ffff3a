"""Which workers are late, and which silent, by a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deltawire_service.cluster.members import Member

pytestmark = pytest.mark.cluster


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let so many seconds pass."""
    from deltawire_service.cluster.dispatching import heartbeats

    clock = [100.0]
    monkeypatch.setattr(heartbeats, "monotonic", lambda: clock[0])

    def move(seconds: float) -> None:
        clock[0] += seconds

    return move


def seen(*times: float) -> list[Member]:
    """Workers 0, 1 and so on, which the scheduler heard of at these times."""
    return [Member(str(n), str(n), 1, "aa", {}, time) for n, time in enumerate(times)]


def test_a_worker_is_late_and_then_silent_when_its_time_stands_still(wait: Callable[[float], None]) -> None:
    from deltawire_service.cluster.dispatching.heartbeats import LATE_SECONDS, SILENT_SECONDS, Heartbeats

    heartbeats = Heartbeats()
    assert heartbeats.late(seen(1.0, 1.0)) == heartbeats.silent(seen(1.0, 1.0)) == set()
    wait(LATE_SECONDS + 0.1)
    assert heartbeats.late(seen(1.0, 2.0)) == {"0"} and heartbeats.silent(seen(1.0, 2.0)) == set()
    wait(SILENT_SECONDS - LATE_SECONDS)
    assert heartbeats.late(seen(1.0, 3.0)) == heartbeats.silent(seen(1.0, 3.0)) == {"0"}
    assert heartbeats.late(seen(2.0, 3.0)) == set()


def test_workers_that_are_not_listed_for_a_while_begin_anew(wait: Callable[[float], None]) -> None:
    from deltawire_service.cluster.dispatching.heartbeats import Heartbeats

    heartbeats = Heartbeats()
    heartbeats.silent(seen(1.0))
    heartbeats.silent([])
    wait(60)
    assert heartbeats.silent(seen(1.0)) == set()


def test_workers_of_large_clusters_may_send_more_rarely(wait: Callable[[float], None]) -> None:
    """Dask has 400 workers send a heartbeat every 3 s, and 2,000 every 11 s."""
    from deltawire_service.cluster.dispatching.heartbeats import Heartbeats

    for count, seconds in ((400, 3.0), (2000, 11.0)):
        heartbeats = Heartbeats()
        heartbeats.late(seen(*[1.0] * count))
        wait(1.9 * seconds)
        assert heartbeats.late(seen(*[1.0] * count)) == set()
        wait(1.9 * seconds)
        assert len(heartbeats.late(seen(*[1.0] * count))) == count
        assert heartbeats.silent(seen(*[1.0] * count)) == set()
