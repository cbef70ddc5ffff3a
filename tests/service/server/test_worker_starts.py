"""The master tries again when a worker cannot be started."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from support.failing_starts import FOLDER
from support.service import children, running_service

from deltawire_service.server import worker_starts
from deltawire_service.server.worker_starts import retry_starts, wait_before_next


class Master:
    """A master whose starts fail as often as it is told."""

    def __init__(self, error: Exception | None):
        self.WORKER_BOOT_ERROR = 3
        self.error, self.done, self.signals, self.logged = error, 0, list[int](), list[str]()
        self.log = SimpleNamespace(error=lambda text, error: self.logged.append(f"{error}"))

    def spawn_workers(self) -> None:
        if self.error:
            raise self.error
        self.done += 1

    reload = spawn_workers

    def signal(self, number: int, frame: Any) -> None:
        self.signals.append(number)


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept = list[float]()
    monkeypatch.setattr(worker_starts, "sleep", slept.append)
    return slept


def test_what_works_is_left_as_it_is(slept: list[float]) -> None:
    master = Master(None)
    retry_starts(master)
    master.spawn_workers()
    master.reload()
    assert master.done == 2 and not master.logged and not slept and not master.signals


@pytest.mark.parametrize("error", [BlockingIOError(11, "no process"), MemoryError("no memory")])
def test_what_the_system_refuses_is_logged_and_tried_again(error: Exception, slept: list[float]) -> None:
    master = Master(error)
    retry_starts(master)
    master.spawn_workers()
    assert len(master.logged) == 1 and slept == [1.0] and not master.signals
    master.reload()
    assert master.signals == [signal.SIGHUP]


def test_signals_are_not_held_back_after_a_fork_that_failed() -> None:
    master = Master(OSError())
    retry_starts(master)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    master.spawn_workers()
    assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_other_errors_still_end_the_master() -> None:
    master = Master(ZeroDivisionError())
    retry_starts(master)
    with pytest.raises(ZeroDivisionError):
        master.spawn_workers()


@pytest.mark.parametrize("booted, seconds", [(True, []), (False, [1.0])])
def test_a_worker_that_could_not_start_ends_later(
    booted: bool, seconds: list[float], slept: list[float]
) -> None:
    wait_before_next(SimpleNamespace(booted=booted))
    assert slept == seconds


def until(condition: Callable[[], Any], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("what", ["fork", "pipe"])
def test_the_service_goes_on_when_no_worker_can_be_started(what: str, tmp_path: Path) -> None:
    app, environ = "support.failing_starts:create_app()", {FOLDER: str(tmp_path)}
    with running_service("-w", "2", app=app, environ=environ, deadline_seconds="1") as url:
        until(lambda: len(children(url.pid)) == 2)
        first = children(url.pid)
        (tmp_path / what).touch()
        os.kill(url.pid, signal.SIGHUP)
        os.kill(min(first), signal.SIGKILL)
        said = "no worker can be started" if what == "fork" else "Too many open files"
        until(lambda: said in url.log())
        (tmp_path / what).unlink()
        until(lambda: len(children(url.pid)) == 2 and not children(url.pid) & first)
        until(lambda: requests.get(f"{url}/livez", timeout=5).ok)
