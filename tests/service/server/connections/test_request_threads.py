"""Threads that answer run jobs at once, as many as they are, and others in turn."""

from __future__ import annotations

import logging
import sys
import threading
from collections import Counter
from threading import Barrier, Event, Semaphore
from time import sleep
from types import SimpleNamespace
from typing import Any

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


def test_a_job_that_fails_is_logged_and_its_thread_goes_on() -> None:
    logged = list[Any]()
    log = SimpleNamespace(exception=lambda message: logged.append(sys.exc_info()[0]))
    threads, ended = RequestThreads(1, "one", log), Event()
    threads.submit(lambda: [][0])
    threads.submit(ended.set)
    assert ended.wait(5) and logged == [IndexError]


def test_the_thread_that_became_idle_last_runs_the_next_job() -> None:
    threads, ran, ended = RequestThreads(3, "three", LOG), list[int](), Event()

    def job() -> None:
        ran.append(threading.get_ident())
        ended.set()

    for _ in range(5):
        ended.clear()
        threads.submit(job)
        assert ended.wait(5)
        sleep(0.05)  # until the thread is idle again
    assert len(set(ran)) == 1


def test_no_job_is_lost_or_run_twice_when_many_submit_at_once() -> None:
    threads, done, together = RequestThreads(4, "four", LOG), Counter[int](), Barrier(8)
    all_done = Semaphore(0)

    def submit(start: int) -> None:
        together.wait(5)
        for number in range(start, start + 500):
            threads.submit(lambda number=number: (done.update([number]), all_done.release())[0])  # type: ignore[misc]

    for start in range(0, 4000, 500):
        threading.Thread(target=submit, args=[start]).start()
    assert all(all_done.acquire(timeout=5) for _ in range(4000))
    assert sorted(done) == [*range(4000)] and set(done.values()) == {1}
