"""Answers are made as their clients read them, and end when they have been read or their clients leave."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from hostile.replay import connected, send, until_closed
from support.memory import resident
from support.service import Service, children, running_service

MIB = 2**20


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with running_service("-w", "1", app="support.lazy_answers:app()", deadline_seconds="2") as service:
        yield service


def get(path: Path, count: int, method: str = "GET", more: str = "") -> bytes:
    return f"{method} /pieces?count={count}&file={path}{more} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def closed(path: Path) -> int:
    return lines(path).count("closed")


def made(path: Path) -> int:
    return len(lines(path)) - closed(path)


def read_head(connection: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    return head


def read_all(connection: socket.socket, count: int, seconds_a_piece: float = 0.0) -> None:
    buffer = bytearray(MIB)
    while count:
        piece = connection.recv_into(buffer, min(count, MIB))
        assert piece, f"{count} bytes are missing"
        count -= piece
        time.sleep(seconds_a_piece)


def test_no_more_is_made_than_the_client_reads(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "made"
    (worker,) = children(service.pid)
    with connected(service) as connection:
        send(connection, get(path, 300))
        read_head(connection)
        time.sleep(0.3)
        first = made(path)
        assert 1 <= first < 30  # the buffers of both ends
        before = resident(Path(f"/proc/{worker}"), "RssAnon")
        read_all(connection, 300 * MIB)
        assert made(path) == 300
        assert resident(Path(f"/proc/{worker}"), "RssAnon") < before + 16 * MIB
        wait_until(lambda: closed(path) == 1)
        send(connection, get(path, 1))  # the connection goes on
        read_head(connection)
        read_all(connection, MIB)
    threads = {line for line in lines(path) if line != "closed"}
    assert threads == {"made by answer", "made by pieces"}


def test_a_slow_but_steady_reader_gets_all_of_it(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "made"
    with connected(service) as connection:
        send(connection, get(path, 30))
        read_head(connection)
        read_all(connection, 30 * MIB, 0.01)
    wait_until(lambda: closed(path) == 1)
    assert made(path) == 30


@pytest.mark.parametrize("read", [0, 20 * MIB])
def test_an_answer_ends_when_its_client_leaves(service: Service, tmp_path: Path, read: int) -> None:
    path = tmp_path / "made"
    with connected(service) as connection:
        send(connection, get(path, 300))
        read_head(connection)
        read_all(connection, read)
        assert closed(path) == 0
    wait_until(lambda: closed(path) == 1, 1)
    assert made(path) < 60


def test_an_answer_ends_when_its_client_does_not_read(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "made"
    with connected(service) as connection:
        send(connection, get(path, 300))
        read_head(connection)
        wait_until(lambda: closed(path) == 1, 8)
        assert made(path) < 30


def test_an_answer_that_fails_is_cut_short_and_ends(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "made"
    with connected(service) as connection:
        send(connection, get(path, 30, more="&fails_after=20"))
        assert len(until_closed(connection)) < 21 * MIB
    wait_until(lambda: closed(path) == 1)
    wait_until(lambda: "the disk fails" in service.log())
    with connected(service) as connection:
        send(connection, get(path, 30, more="&fails_after=0"))
        assert until_closed(connection).startswith(b"HTTP/1.1 500 ")
    wait_until(lambda: closed(path) == 2)


def test_a_head_has_the_length_and_no_piece_is_made(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "made"
    answer = requests.head(f"{service}/pieces?count=300&file={path}", timeout=5)
    assert answer.headers["Content-Length"] == str(300 * MIB) and answer.content == b""
    wait_until(lambda: lines(path) == ["closed"])


def test_others_are_answered_meanwhile(service: Service, tmp_path: Path) -> None:
    with ExitStack() as opened:
        for number in range(20):
            connection = opened.enter_context(connected(service))
            send(connection, get(tmp_path / str(number), 300))
            read_head(connection)
        started = time.monotonic()
        assert requests.get(f"{service}/livez", timeout=5).status_code == 200
        assert time.monotonic() - started < 1
    for number in range(20):
        wait_until(lambda number=number: closed(tmp_path / str(number)) == 1)  # type: ignore[misc]


@pytest.mark.parametrize("seconds_a_piece", [0.0, 0.05])
def test_answers_end_when_the_service_stops(tmp_path: Path, seconds_a_piece: float) -> None:
    """Also that of a client which reads steadily, and has not come to the end by then."""
    path = tmp_path / "made"
    options = ["-w", "1", "--graceful-timeout", "4"]
    with running_service(*options, app="support.lazy_answers:app()", deadline_seconds="60") as service:
        with connected(service) as connection:
            send(connection, get(path, 300))
            read_head(connection)
            os.kill(service.pid, signal.SIGTERM)
            end = time.monotonic() + 2
            while seconds_a_piece and time.monotonic() < end:
                read_all(connection, MIB, seconds_a_piece)
            assert closed(path) == 0
            assert service.wait(timeout=20) == 0
        assert closed(path) == 1
