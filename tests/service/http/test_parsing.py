"""Large JSON bodies are parsed one after the other."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Lock

import pytest

from deltawire import wire
from deltawire_service.engine import DeadlineExceeded, call_until
from deltawire_service.http.parsing import LARGE_BYTES, parse

LARGE = b"[" + b" " * LARGE_BYTES + b"1]"


@contextmanager
def slow_parser(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Have the parser take its time; gives how many parsed at once, each time."""
    counts, running, lock = list[int](), [0], Lock()

    def decode(*_: object, **__: object) -> int:
        with lock:
            running[0] += 1
            counts.append(running[0])
        time.sleep(0.02)
        with lock:
            running[0] -= 1
        return 1

    monkeypatch.setattr(wire, "decode", decode)
    yield counts


@pytest.mark.parametrize(
    "body, media_type, at_once",
    [(LARGE, wire.JSON, False), (b"[1]", wire.JSON, True), (LARGE, wire.SAFETENSORS, True)],
)
def test_only_large_json_waits_for_its_turn(
    body: bytes, media_type: str, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with slow_parser(monkeypatch) as counts, ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: parse(body, media_type, wire.DEFAULT), range(8)))
    assert (max(counts) > 1) is at_once


def test_who_waits_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    entered, leave = Event(), Event()

    def decode(*_: object, **__: object) -> None:
        entered.set()
        leave.wait()

    monkeypatch.setattr(wire, "decode", decode)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(parse, LARGE, wire.JSON, wire.DEFAULT)
        entered.wait()
        try:
            with pytest.raises(DeadlineExceeded):
                call_until(time.monotonic() + 0.05, lambda: parse(LARGE, wire.JSON, wire.DEFAULT))
        finally:
            leave.set()
        first.result()


FORK = """
import os
from threading import Event, Thread
from deltawire import wire
from deltawire_service.engine import call_until
from deltawire_service.http.parsing import LARGE_BYTES, parse
from time import monotonic

body, decode, entered, leave = b"[" + b" " * LARGE_BYTES + b"1]", wire.decode, Event(), Event()

def stuck(*given, **named):
    entered.set()
    leave.wait()

wire.decode = stuck
thread = Thread(target=parse, args=[body, wire.JSON, wire.DEFAULT])
thread.start()
entered.wait()
wire.decode = decode
if child := os.fork():
    _, status = os.waitpid(child, 0)
    leave.set()
    thread.join()
    print(os.waitstatus_to_exitcode(status))
else:
    try:
        parsed = call_until(monotonic() + 1, lambda: parse(body, wire.JSON, wire.DEFAULT))
        os._exit(0 if parsed == [1] else 2)
    finally:
        os._exit(1)
"""


def test_a_child_that_is_forked_meanwhile_parses() -> None:
    forked = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, timeout=30)
    assert forked.stdout == "0\n", forked.stderr


def test_an_error_ends_the_turn() -> None:
    for _ in range(2):
        with pytest.raises(Exception, match="JSON"):
            parse(LARGE[:-1], wire.JSON, wire.DEFAULT)
    assert parse(LARGE, wire.JSON, wire.DEFAULT) == [1]
