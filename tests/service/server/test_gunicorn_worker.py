"""The worker: one that ends a connection waits for its client without making others wait."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator

import pytest
import requests
from hostile.replay import connected, receive, send, until_closed
from support.service import Service, running_service


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with running_service("-w", "1") as service:
        yield service


BAD = b"GET  /livez HTTP/1.1\r\n\r\n"


def test_a_client_that_does_not_close_makes_nobody_wait(service: Service) -> None:
    with connected(service) as first, connected(service) as second, connected(service) as third:
        started = time.monotonic()
        for rude in (first, second, third):
            send(rude, BAD)
            assert receive(rude).status == 400  # and stays, with its side open
        for _ in range(5):
            assert requests.get(f"{service}/livez", timeout=5).status_code == 200
        assert time.monotonic() - started < 0.9  # gunicorn alone: two seconds for each of the three


def test_a_client_that_sends_all_of_a_body_that_is_too_large_still_gets_the_answer(service: Service) -> None:
    body = bytes(17 * 2**20)
    for _ in range(3):
        with connected(service) as connection:
            head = "POST /v1/gradients HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            answer = receive(connection)
            assert (answer.status, answer.headers["connection"]) == (413, "close")
            assert until_closed(connection) == b""


def test_what_is_no_http_is_told_in_json_and_logged_without_its_text(service: Service) -> None:
    with connected(service) as connection:
        send(connection, b"GET  /hunter2 HTTP/1.1\r\n\r\n")
        answer = receive(connection)
    problem = json.loads(answer.body)
    assert (problem["code"], answer.headers["connection"]) == ("bad_request", "close")
    (line,) = [line for line in service.log().splitlines() if problem["request_id"] in line]
    assert json.loads(line)["level"] == "info" and "hunter2" not in service.log()


def test_a_client_that_has_gone_does_no_harm(service: Service) -> None:
    for sent in (BAD, b"POST /v1/gradients HTTP/1.1\r\nContent-Length: 100\r\n\r\n{", b"GET /liv"):
        with connected(service) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset
            send(connection, sent)
    assert requests.get(f"{service}/livez", timeout=5).status_code == 200
    assert '"level": "error"' not in service.log()
