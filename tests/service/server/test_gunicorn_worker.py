"""The worker: it ends connections without making others wait, and outlives a lack of descriptors."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from tempfile import TemporaryFile

import pytest
import requests
from hostile.replay import GOOD, connected, receive, send, until_closed
from support.posting import good
from support.service import Service, children, free_port, running_service


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


POST = "POST /v1/gradients HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "head, status",
    [
        (POST + "Content-Length: 999999999\r\n", 413),
        (POST.replace("json", "xml") + "Content-Length: 5\r\n", 415),
        (POST.replace("gradients", "nowhere") + "Content-Length: 5\r\n", 404),
        (POST.replace("localhost", "rebound.example") + "Content-Length: 5\r\n", 421),
    ],
)
def test_a_body_that_will_not_be_read_is_not_asked_for(head: str, status: int, service: Service) -> None:
    with connected(service) as connection:
        connection.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        answer = until_closed(connection)  # and the connection closes: whether the body comes is not known
        assert answer.startswith(f"HTTP/1.1 {status} ".encode())


@pytest.mark.parametrize("pad", [0, 2**17])
def test_a_body_that_will_be_read_is_asked_for(pad: int, service: Service) -> None:
    body = json.dumps({"network": {}} | {"padding": " " * pad}).encode()
    with connected(service) as connection:
        connection.sendall(f"{POST}Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n".encode())
        assert connection.recv(2**16) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert receive(connection).status == 422
        send(connection, b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert receive(connection).status == 200  # on the same connection


def test_a_later_minor_version_is_answered_in_http_1_1(service: Service) -> None:
    with connected(service) as connection:
        connection.sendall(b"GET /livez HTTP/1.9\r\nHost: localhost\r\n\r\n")
        assert connection.recv(2**16).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "options",
    ["Connection: close, keep-alive", "Connection: Keep-Alive , Close", "Connection: x\r\nConnection: close"],
)
def test_close_among_other_options_closes(options: str, service: Service) -> None:
    with connected(service) as connection:
        connection.sendall(f"GET /livez HTTP/1.1\r\nHost: localhost\r\n{options}\r\n\r\n".encode())
        answer = receive(connection)
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert until_closed(connection) == b""


def test_idle_connections_make_room_where_descriptors_are_few() -> None:
    """300 connections, most of them idle, where the whole process may have 128 descriptors."""
    with running_service("-w", "1", queue_seconds="10") as service:
        (worker,) = children(service.pid)
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (128, 128))  # the worker has begun with more
        with ExitStack() as opened:
            for number in range(300):
                connection = opened.enter_context(connected(service))
                connection.sendall(b"GET /l" if number % 3 == 0 else b"")
            started = time.monotonic()
            for _ in range(3):
                assert requests.get(f"{service}/livez", timeout=5).status_code == 200
                assert requests.post(f"{service}/v1/gradients", json=good(), timeout=5).status_code == 200
            assert time.monotonic() - started < 4
        assert children(service.pid) == {worker}
        assert '"level": "error"' not in service.log()


def test_it_accepts_as_many_connections_as_it_has_descriptors_for() -> None:
    command = f"ulimit -n 128; exec {sys.executable} -m gunicorn -c python:deltawire_service.gunicorn_conf"
    port = free_port()
    command += f" -w 1 -b 127.0.0.1:{port} 'deltawire_service.app:create_app()'"
    with TemporaryFile() as log:
        service = subprocess.Popen(["bash", "-c", command], stdout=log, stderr=log)
        try:
            end = time.monotonic() + 20
            while b"Booting" not in os.pread(log.fileno(), 10**6, 0):
                assert service.poll() is None and time.monotonic() < end
                time.sleep(0.05)
            with ExitStack() as opened:
                for _ in range(200):
                    opened.enter_context(connected(f"http://127.0.0.1:{port}"))
                assert requests.get(f"http://127.0.0.1:{port}/livez", timeout=5).ok
                (worker,) = children(service.pid)
                assert len(os.listdir(f"/proc/{worker}/fd")) < 100
            assert b"no connection can be accepted" not in os.pread(log.fileno(), 10**6, 0)
        finally:
            service.terminate()
            assert service.wait(timeout=20) == 0


def test_a_full_worker_takes_new_connections_in_place_of_silent_ones() -> None:
    with running_service(
        "-w", "1", "--worker-connections", "20", queue_seconds="10", allowed_hosts="deltawire"
    ) as service:
        with ExitStack() as opened:
            for _ in range(60):
                opened.enter_context(connected(service))
            with connected(service) as connection:
                send(connection, GOOD)
                assert receive(connection).status == 200
                for _ in range(30):
                    opened.enter_context(connected(service))
                time.sleep(0.1)


def test_tls_of_gunicorn_is_refused_at_the_start() -> None:
    command = [sys.executable, "-m", "gunicorn", "-c", "python:deltawire_service.gunicorn_conf", "-w", "1"]
    command += ["-b", f"127.0.0.1:{free_port()}", "--certfile", __file__, "--keyfile", __file__]
    ended = subprocess.run(
        [*command, "deltawire_service.app:create_app()"], capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 1
    assert "TLS is for the proxy" in ended.stderr and "Traceback" not in ended.stderr


def test_workers_are_replaced_after_as_many_requests_as_gunicorn_is_told() -> None:
    with running_service("-w", "1", "--max-requests", "20", queue_seconds="10") as service:
        (worker,) = children(service.pid)
        for _ in range(40):
            assert requests.get(f"{service}/livez", timeout=5).status_code == 200
        assert children(service.pid) != {worker}
