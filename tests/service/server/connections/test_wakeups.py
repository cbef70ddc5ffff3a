"""Calls from other threads wake a selector once, and none is lost."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from functools import partial
from threading import Thread

import pytest

from deltawire_service.server.connections.wakeups import Wakeups


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    yield ends
    for end in ends:
        os.close(end)


def test_many_calls_wake_it_once_and_are_made_in_order(pipe: tuple[int, int]) -> None:
    wakeups, made = Wakeups(*pipe), list[int]()
    for number in range(100):
        wakeups.call_soon(partial(made.append, number))
    assert made == [] and os.read(pipe[0], 100) == b"\0"
    os.write(pipe[1], b"\0")
    wakeups.drain(0)
    assert made == list(range(100))


def test_no_call_of_other_threads_is_lost(pipe: tuple[int, int]) -> None:
    wakeups, made = Wakeups(*pipe), list[int]()
    threads = [
        Thread(target=lambda: [wakeups.call_soon(partial(made.append, 1)) for _ in range(5000)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    while len(made) < 20_000:
        assert select.select([pipe[0]], [], [], 5)[0], f"asleep after {len(made)} calls"
        wakeups.drain(0)
    for thread in threads:
        thread.join()
