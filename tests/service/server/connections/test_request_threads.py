"""Threads that answer run jobs at once, as many as they are, and others in turn."""

from __future__ import annotations

import logging
import threading
from threading import Barrier, Event

import pytest

from deltawire_service.server.connections.request_threads import RequestThreads

LOG = logging.getLogger("request_threads")


def test_as_many_at_once_as_there_are_threads() -> None:
    threads, together, done = RequestThreads(3, "three", LOG), Barrier(4), list[int]()
    for number in range(3):
        threads.submit(lambda number=number: (done.append(number), together.wait(5))[0])  # type: ignore[misc]
    together.wait(5)
    assert sorted(done) == [0, 1, 2]


def test_the_others_wait_in_order_and_none_keeps_the_process() -> None:
    threads, done, ended = RequestThreads(1, "one", LOG), list[int](), Event()
    for number in range(100):
        threads.submit(lambda number=number: done.append(number))  # type: ignore[misc]
    threads.submit(ended.set)
    assert ended.wait(5) and done == list(range(100))
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "one")


def test_a_job_that_fails_is_logged_and_its_thread_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    threads, ended = RequestThreads(1, "one", LOG), Event()
    threads.submit(lambda: [][0])
    threads.submit(ended.set)
    assert ended.wait(5) and "IndexError" in caplog.text
