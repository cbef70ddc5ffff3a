"""Answers from files at the real gunicorn: of nobody's memory, and locked until their last byte is sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock
from pathlib import Path

import numpy as np
import pytest
import requests
from hostile.replay import connected, send
from support.large_bodies import PATH
from support.memory import MIB, resident
from support.service import Service, children, running_service

from deltawire import wire

COUNT = 12


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("numbers") / "numbers"
    np.random.default_rng(0).normal(size=75 * MIB).astype(np.float32).tofile(path)
    return path


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    options = {"app": "support.large_bodies:app()", "deadline_seconds": "2"}
    with running_service("-w", "1", **options) as service:  # type: ignore[arg-type]
        yield service


def is_locked(path: Path) -> bool:
    with path.open("r+b") as opened:
        try:
            flock(opened, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            return True
        flock(opened, LOCK_UN)
        return False


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def url(service: str, file: Path) -> str:
    return f"{service}{PATH}?file={file}&count={COUNT}"


def head(service: str, file: Path) -> bytes:
    return f"GET {url('', file)} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def test_the_numbers_of_a_file_are_sent_from_it(service: Service, file: Path) -> None:
    (worker,) = children(service.pid)
    process = Path(f"/proc/{worker}")
    before, peak, got = resident(process, "RssAnon"), 0, bytearray()
    with requests.get(url(service, file), stream=True, timeout=30) as answer:
        for piece in answer.iter_content(MIB):
            got += piece
            peak = max(peak, resident(process, "RssAnon"))
    assert peak < before + 64 * MIB and resident(process, "RssFile") < 64 * MIB
    document = wire.decode(got, wire.SAFETENSORS, part="response")
    assert document["version"] == 7 and len(document["params"]) == COUNT
    sent = np.concatenate([document["params"][f"p{number}"] for number in range(COUNT)])
    assert sent.tobytes() == file.read_bytes()
    assert answer.headers["Content-Length"] == str(len(got))
    wait_until(lambda: not is_locked(file))


def test_a_head_and_a_known_etag_have_no_body(service: Service, file: Path) -> None:
    answer = requests.head(url(service, file), timeout=5)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 300 * MIB
    wait_until(lambda: not is_locked(file))
    known = {"If-None-Match": answer.headers["ETag"]}
    answer = requests.get(url(service, file), headers=known, timeout=5)
    assert (answer.status_code, answer.content) == (304, b"")
    wait_until(lambda: not is_locked(file))


def test_the_lock_is_released_when_the_client_leaves(service: Service, file: Path) -> None:
    with connected(service) as connection:
        send(connection, head(service, file))
        connection.recv(1000)
        time.sleep(0.3)
        assert is_locked(file)
    wait_until(lambda: not is_locked(file), 1)


def test_the_lock_is_released_when_the_client_does_not_read(service: Service, file: Path) -> None:
    with connected(service) as connection:
        send(connection, head(service, file))
        time.sleep(0.3)
        assert is_locked(file)
        wait_until(lambda: not is_locked(file), 8)


def test_clients_that_do_not_read_take_little_memory(service: Service, tmp_path: Path) -> None:
    (worker,) = children(service.pid)
    process = Path(f"/proc/{worker}")
    files = [tmp_path / str(number) for number in range(30)]
    for file in files:
        file.write_bytes(bytes(24 * MIB))
    before = resident(process, "RssAnon")
    with ExitStack() as opened:
        for file in files:
            connection = opened.enter_context(connected(service))
            send(connection, head(service, file))
            assert connection.recv(1000)
        assert resident(process, "RssAnon") < before + 30 * MIB
    wait_until(lambda: not any(map(is_locked, files)))
