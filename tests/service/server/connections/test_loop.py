"""Connections at the real gunicorn: silent, stalled, slow and wrong ones cost others nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import requests
from hostile.replay import BODY, GOOD, connected, receive, send, until_closed
from support.memory import resident
from support.posting import good
from support.service import Service, children, running_service
from torture.load import pyramid

from deltawire import wire
from deltawire_service.server.connections.limits import STOPPING_READER_SECONDS

PATIENCE = 2.0
"""Seconds in which others must be answered: it takes 5 ms, on a machine that does nothing else."""

UNHURRIED = {"queue_seconds": "10", "allowed_hosts": "x deltawire"}
"""On a machine that does much else, nothing is refused for it. The hosts are those of the requests here."""


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with running_service("-w", "1", deadline_seconds="4", **UNHURRIED) as service:
        yield service


@pytest.fixture(scope="module")
def impatient() -> Iterator[Service]:
    """A service whose requests may take a second."""
    with running_service("-w", "1", deadline_seconds="1", **UNHURRIED) as service:
        yield service


def assert_lively(service: str, seconds: float = PATIENCE) -> None:
    """Assert that health checks and computations are answered soon."""
    for ask in (
        lambda: requests.get(f"{service}/livez", timeout=10),
        lambda: requests.post(f"{service}/v1/gradients", json=good(), timeout=10),
    ):
        started = time.monotonic()
        assert ask().status_code == 200
        assert time.monotonic() - started < seconds


def post(length: int, *headers: str, path: str = "/v1/gradients", media_type: str = wire.JSON) -> bytes:
    """The head of a request."""
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Type: {media_type}", f"Content-Length: {length}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode()


def test_silent_and_stalled_connections_hold_nobody_up(service: Service) -> None:
    with ExitStack() as opened:
        for sent in [b""] * 100 + [b"GET /livez HT"] * 50 + [post(5000) + b"{"] * 50:
            connection = opened.enter_context(connected(service))
            connection.sendall(sent)
        assert_lively(service)
    assert_lively(service)


def test_a_silent_connection_is_closed_at_the_deadline(impatient: Service) -> None:
    with connected(impatient) as connection:
        started = time.monotonic()
        assert until_closed(connection) == b""
        assert 0.8 < time.monotonic() - started < 1 + PATIENCE


@pytest.mark.parametrize("sent", [b"G", b"GET /livez HTTP/1.1\r\nHost: x\r\n", GOOD[:-1], post(9)])
def test_a_stalled_request_is_told_so_at_the_deadline(impatient: Service, sent: bytes) -> None:
    with connected(impatient) as connection:
        send(connection, sent)
        started = time.monotonic()
        answer = receive(connection)
        assert 0.8 < time.monotonic() - started < 1 + PATIENCE
        assert (answer.status, answer.headers["connection"]) == (408, "close")
        assert json.loads(answer.body)["code"] == "request_timeout"
        assert until_closed(connection) == b""


def test_the_deadline_header_holds_for_the_body(service: Service) -> None:
    with connected(service) as connection:
        send(connection, post(5000, "Deltawire-Deadline: 0.5") + b"{")
        started = time.monotonic()
        answer = receive(connection)
        assert 0.4 < time.monotonic() - started < PATIENCE
        assert (answer.status, json.loads(answer.body)["code"]) == (408, "request_timeout")
    assert '"code":"request_timeout","ms":' in service.log()  # as a request, with its route


def test_a_body_that_came_slowly_has_spent_its_deadline(service: Service) -> None:
    with connected(service) as connection:
        send(connection, post(len(BODY), "Deltawire-Deadline: 0.5") + BODY[:-1])
        time.sleep(0.45)
        send(connection, BODY[-1:])
        assert receive(connection).status in (200, 504)  # what is left is little


def test_requests_behind_each_other_are_answered_in_turn(service: Service) -> None:
    with connected(service) as connection:
        send(connection, GOOD * 3 + b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        got = until_closed(connection)
    assert got.count(b"HTTP/1.1 200 OK") == 4 and got.rstrip().endswith(b'{"status":"live"}')


def test_a_request_is_the_same_however_it_is_cut(service: Service) -> None:
    with connected(service) as connection:
        for size in (1, 7, 100, len(GOOD) - 1):
            for start in range(0, len(GOOD), size):
                connection.sendall(GOOD[start : start + size])
            assert receive(connection).status == 200


def test_who_waits_for_100_continue_gets_it_once(service: Service) -> None:
    with connected(service) as connection:
        send(connection, post(len(BODY), "Expect: 100-continue"))
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        send(connection, BODY)
        assert receive(connection).status == 200
        send(connection, post(len(BODY), "Expect: 100-continue") + BODY)
        assert connection.recv(20).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "head, status, code",
    [
        (post(17 * 2**20), 413, "body_too_large"),
        (post(65 * 2**20, media_type=wire.SAFETENSORS), 413, "body_too_large"),
        (post(2**40, path="/nowhere"), 404, "not_found"),
        (post(9, media_type="text/plain"), 415, "media_type_unsupported"),
    ],
)
def test_a_body_that_will_not_be_read_is_not_waited_for(
    service: Service, head: bytes, status: int, code: str
) -> None:
    with connected(service) as connection:
        send(connection, head.replace(b"Host: x", b"Host: x\r\nExpect: 100-continue"))
        answer = receive(connection)
        assert (answer.status, answer.headers["connection"]) == (status, "close")
        assert json.loads(answer.body)["code"] == code
        assert until_closed(connection) == b""


def test_a_client_that_resets_its_connection_ends_this_one_alone(service: Service) -> None:
    (worker,) = children(service.pid)
    for sent in (b"", b"GET /", b"GET  / HTTP/1.1\r\n\r\n", GOOD, GOOD[:-1], post(2**20), post(2**40)):
        with connected(service) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            send(connection, sent)
            time.sleep(0.05 * (len(sent) % 2))
    assert_lively(service)
    assert children(service.pid) == {worker}


def test_tls_is_refused_at_once_and_logged_once(service: Service) -> None:
    before = len(service.log())
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(506)
    with connected(service) as connection:
        started = time.monotonic()
        send(connection, hello)
        answer = receive(connection)
        assert (answer.status, time.monotonic() - started < PATIENCE) == (400, True)
        assert "http://" in json.loads(answer.body)["detail"]
        assert until_closed(connection) == b""
    (line,) = [line for line in service.log()[before:].splitlines() if "TlsHandshake" in line]
    assert json.loads(line)["level"] == "info" and "Traceback" not in service.log()


def test_the_next_request_is_read_only_when_the_one_before_is_answered(service: Service) -> None:
    with connected(service) as connection:
        for _ in range(50):
            send(connection, GOOD)
        assert [receive_large(connection) for _ in range(50)] == [200] * 50


def receive_large(connection: socket.socket) -> int:
    """The status of the next answer, of which nothing more is read."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    length = int(head.lower().partition(b"content-length:")[2].split()[0])
    left = memoryview(bytearray(length))
    while left:
        count = connection.recv_into(left)
        assert count, "the answer is cut short"
        left = left[count:]
    return int(head.split()[1])


def large(rows: int, answer: bool = True) -> bytes:
    """A request for the values of so many times 1,000 numbers, which it brings."""
    spec = {"inputs": {"x": {"shape": [1000]}}, "nodes": [{"kind": "relu", "name": "r"}]}
    spec["nodes"].append({"kind": "sum", "name": "s"})  # type: ignore[attr-defined]
    data = {"x": np.ones((rows, 1000), np.float32)}
    document = {"network": spec, "data": data, "wrt": {"data": answer}}
    body = wire.encode(document, wire.SAFETENSORS)
    return post(len(body), media_type=wire.SAFETENSORS) + body


def test_what_a_slow_reader_leaves_is_kept_for_it(service: Service) -> None:
    with connected(service) as connection:
        connection.sendall(large(5000))
        assert_lively(service)
        assert receive_large(connection) == 200
        connection.sendall(GOOD)  # the connection goes on
        assert receive(connection).status == 200


def test_a_reader_that_does_not_read_is_cut_at_the_deadline(impatient: Service) -> None:
    (worker,) = children(impatient.pid)
    with connected(impatient) as connection:
        connection.sendall(large(10_000))
        time.sleep(3)
        assert len(until_closed(connection)) < 39_000_000
    assert_lively(impatient)
    assert children(impatient.pid) == {worker}


def test_answers_that_wait_for_readers_count_in_admission() -> None:
    """Answers of 8 MB to small requests, and room for 100 MB."""
    room, body = 100_000_000, json.dumps(pyramid(16, 1, answer_values=True)).encode()
    request = post(len(body), f"Accept: {wire.SAFETENSORS}") + body
    settings = {"planned_bytes": str(room), "admitted_bytes": str(room), "deadline_seconds": "20"}
    with running_service("-w", "1", **settings, **UNHURRIED) as service:
        (worker,) = children(service.pid)
        process = Path(f"/proc/{worker}")
        before = resident(process, "VmRSS")
        with ExitStack() as opened:
            statuses = []
            for _ in range(12):
                reader = opened.enter_context(connected(service))
                send(reader, request)
                statuses.append(int(reader.recv(12)[-3:]))
            assert 3 <= statuses.count(200) <= 11 and set(statuses) == {200, 503}
            assert resident(process, "VmHWM") < before + room + 2**26
            assert_lively(service)  # small requests have some room of their own
        with connected(service) as connection:
            end = time.monotonic() + 5
            while True:
                send(connection, request)
                if receive_large(connection) == 200:
                    break
                assert time.monotonic() < end


def test_bodies_that_come_are_bounded_and_the_oldest_makes_room() -> None:
    with running_service(
        "-w",
        "1",
        **{name: str(2**22) for name in ("received_bytes", "binary_body_bytes", "json_body_bytes")},
        **UNHURRIED,
    ) as service:
        with connected(service) as slow, connected(service) as fast:
            send(slow, post(2**22, media_type=wire.SAFETENSORS) + bytes(3 * 2**20))
            time.sleep(1.5)
            send(fast, post(2**22, media_type=wire.SAFETENSORS) + bytes(2**22))
            answer = receive(slow)
            assert (answer.status, answer.headers["retry-after"]) == (503, "1")
            assert json.loads(answer.body)["code"] == "overloaded"
            assert receive(fast).status == 400  # zeros are no tensors: it was read to its end
        assert_lively(service)


def test_a_stopping_worker_answers_what_is_complete_and_waits_for_nothing_else() -> None:
    with running_service("-w", "1", **UNHURRIED) as service, ExitStack() as opened:
        for sent in (b"", b"GET /liv", post(5000) + b"{"):
            opened.enter_context(connected(service)).sendall(sent)
        reader = opened.enter_context(connected(service))
        reader.sendall(large(10_000))
        connection = opened.enter_context(connected(service))
        send(connection, GOOD)
        assert receive(connection).status == 200
        os.kill(service.pid, signal.SIGTERM)
        started = time.monotonic()
        with pytest.raises(ConnectionRefusedError):
            while True:
                with connected(service):
                    time.sleep(0.01)
        send(connection, GOOD)  # on its way as the worker stops
        answer = receive(connection)
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert service.wait(timeout=20) == 0
        assert time.monotonic() - started < 2 * STOPPING_READER_SECONDS + 3
