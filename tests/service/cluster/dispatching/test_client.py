"""A scheduler that is away: connecting in the background leaves nothing behind, and delays no request."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from threading import active_count
from time import monotonic, sleep
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from deltawire_service.engine import DeadlineExceeded, call_until

if TYPE_CHECKING:
    from deltawire_service.cluster.dispatching.client import Scheduler

pytestmark = pytest.mark.cluster


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port whose connections are accepted, and never answered."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.mark.parametrize("port", ["silent_port", "closed_port"])
def test_tries_that_fail_leave_no_thread_and_no_descriptor(
    port: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deltawire_service.cluster.dispatching import client

    monkeypatch.setattr(client, "CONNECT_SECONDS", 0.2)
    monkeypatch.setattr(client, "RETRY_SECONDS", 0.0)
    scheduler = client.Scheduler(f"tcp://127.0.0.1:{request.getfixturevalue(port)}")
    used = list[tuple[int, int]]()
    try:
        for _ in range(5):
            with pytest.raises(client.SchedulerLost, match="not connected"):
                scheduler.members()
            sleep(0.5)
            used.append((active_count(), len(os.listdir("/proc/self/fd"))))
    finally:
        scheduler.close()
    assert max(used) <= used[0], used


def test_only_the_first_try_is_waited_for(silent_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from deltawire_service.cluster.dispatching import client

    monkeypatch.setattr(client, "RETRY_SECONDS", 0.0)
    scheduler = client.Scheduler(f"tcp://127.0.0.1:{silent_port}")
    took = list[float]()
    try:
        for _ in range(3):
            began = monotonic()
            with pytest.raises(client.SchedulerLost):
                scheduler.members()
            took.append(monotonic() - began)
            sleep(0.1)
    finally:
        scheduler.close()
    assert took[0] <= client.CONNECT_SECONDS + 1 and max(took[1:]) < 0.5


def test_tasks_that_cannot_be_sent_are_not_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    from deltawire_service.cluster.dispatching import client

    class Closed:
        def map(self, *arguments: object, **options: object) -> None:
            raise RuntimeError("the client has closed")

    scheduler = client.Scheduler("tcp://127.0.0.1:1")
    monkeypatch.setattr(scheduler, "connect", Closed)
    with pytest.raises(client.SchedulerLost, match="cannot be sent"):
        scheduler.submit([b"task"], ["a"], "fingerprint")
    scheduler.losses.on_event((0.0, {"processing-tasks": {"a"}}))
    assert scheduler.losses.forget(["a"]) == 0


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scheduler]:
    """A scheduler that is connected, and answers nothing more: it is cut off."""
    from distributed.utils import sync

    from deltawire_service.cluster.dispatching import client
    from deltawire_service.cluster.dispatching.event_loop import EventLoop

    async def wait(**arguments: object) -> None:
        await asyncio.sleep(60)

    def ask(question: Any, callback_timeout: float, **options: object) -> Any:
        return sync(event_loop.loop, question, callback_timeout=callback_timeout, **options)

    event_loop, scheduler = EventLoop(), client.Scheduler("tcp://127.0.0.1:1")
    connected = SimpleNamespace(
        status="running", sync=ask, scheduler=SimpleNamespace(identity=wait, unregister=wait), gather=wait
    )
    monkeypatch.setattr(scheduler, "connect", lambda: connected)
    yield scheduler
    event_loop.close()


WAITS: dict[str, Callable[[Any], object]] = {
    "members": lambda scheduler: scheduler.members(fresh=True),
    "collect": lambda scheduler: scheduler.collect({0: pending()}, 60.0, 60.0),
    "remove_worker": lambda scheduler: scheduler.remove_worker("tcp://127.0.0.1:2"),
}


def pending() -> Mock:
    """A task that does not end."""

    async def exception() -> None:
        await asyncio.sleep(60)

    return Mock(status="pending", done=lambda: False, exception=exception)


@pytest.mark.parametrize("wait", list(WAITS))
def test_no_wait_goes_on_after_the_deadline(silent: Scheduler, wait: str) -> None:
    """Each went on for up to 2 s after it, in a request that then had to say so."""
    from deltawire_service.cluster.dispatching.client import SchedulerLost

    began = monotonic()
    with pytest.raises(SchedulerLost):
        call_until(began + 0.7, lambda: WAITS[wait](silent))
    assert monotonic() - began < 1.2


@pytest.mark.parametrize("wait", list(WAITS))
def test_a_deadline_that_passes_at_once_does_not_blame_the_scheduler(silent: Scheduler, wait: str) -> None:
    began = monotonic()
    with pytest.raises(DeadlineExceeded):
        call_until(began + 0.1, lambda: WAITS[wait](silent))
    assert monotonic() - began < 0.6


def test_the_first_try_is_waited_for_until_the_deadline(silent_port: int) -> None:
    from deltawire_service.cluster.dispatching import client

    scheduler = client.Scheduler(f"tcp://127.0.0.1:{silent_port}")
    began = monotonic()
    try:
        with pytest.raises(DeadlineExceeded):
            call_until(began + 0.1, scheduler.connect)
        assert monotonic() - began < 0.6
    finally:
        scheduler.close()
