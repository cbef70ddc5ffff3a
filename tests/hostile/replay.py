"""Sends a case over a socket of its own, and looks at everything that comes back."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import NamedTuple
from urllib.parse import urlsplit

from hostile.corpus import Case
from support.posting import good

SECONDS = 1.0
"""What a case may take, and the good request after it."""

PATIENCE = 5.0
"""Seconds until a case that does not end is given up."""

MEDIA_TYPE = "application/problem+json"
MEMBERS = {"type", "title", "status", "code", "detail", "request_id", "errors"}
LEAKS = (b"Traceback", b'File "', b".py", b"/home/", b"site-packages", b"127.0.0.1", b"0x7f")

NEXT = "the-next-one"
BODY = json.dumps(good()).encode()
GOOD = (
    b"POST /v1/gradients HTTP/1.1\r\nHost: deltawire\r\nContent-Type: application/json\r\n"
    b"X-Request-Id: %s\r\nContent-Length: %d\r\n\r\n" % (NEXT.encode(), len(BODY))
) + BODY


class Answer(NamedTuple):
    """One response, and what came behind it."""

    status: int
    headers: dict[str, str]
    body: bytes
    rest: bytes


def replay(url: str, case: Case, most_seconds: float = SECONDS) -> float:
    """The seconds a case takes. AssertionError unless all comes back as the case has it: one answer, a
    problem document that fits it, the connection closed or else good for the next request.
    """
    with connected(url) as connection:
        started = monotonic()
        send(connection, case.sent)
        if case.half_close:
            connection.shutdown(socket.SHUT_WR)
        answer = receive(connection)
        seconds = monotonic() - started
        assert answer.status == case.status, f"{answer.status} {answer.body[:300]!r}"
        if case.code != "-":
            check_problem(answer, case)
        if case.closed:
            left = answer.rest + until_closed(connection)
            assert left == b"", f"more than one answer: {left[:200]!r}"
            assert answer.headers.get("connection") == "close"
            seconds = monotonic() - started
        elif not case.half_close:
            assert answer.rest == b""
            send(connection, GOOD)
            following = receive(connection)
            named = following.headers["x-request-id"]
            assert (following.status, named) == (200, NEXT), "the next request on the connection"
    assert seconds < most_seconds, f"{seconds:.3f} s"
    return seconds


def check_problem(answer: Answer, case: Case) -> None:
    assert answer.headers["content-type"] == MEDIA_TYPE, answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"
    problem = json.loads(answer.body)
    assert problem.keys() == MEMBERS
    assert (problem["status"], problem["code"]) == (case.status, case.code), problem
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["errors"][0]["code"] == case.code
    if case.pointer:
        assert problem["errors"][0]["pointer"] == case.pointer, problem
    leaked = [leak for leak in LEAKS if leak in answer.body and leak not in case.sent]
    assert not leaked, answer.body
    assert len(answer.body) < 10_000


def seconds_of_the_next(url: str) -> float:
    """How long the good request takes on a connection of its own; AssertionError unless it is answered."""
    with connected(url) as connection:
        started = monotonic()
        send(connection, GOOD)
        assert receive(connection).status == 200
        return monotonic() - started


@contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    to = urlsplit(url)
    with socket.create_connection((str(to.hostname), int(to.port or 80)), timeout=PATIENCE) as connection:
        yield connection


def send(connection: socket.socket, sent: bytes) -> None:
    """A service may answer, and close, before it has read all."""
    try:
        connection.sendall(sent)
    except (BrokenPipeError, ConnectionResetError):
        pass


def receive(connection: socket.socket) -> Answer:
    """The next response. AssertionError when none comes, or no HTTP."""
    got = b""
    while b"\r\n\r\n" not in got:
        piece = connection.recv(2**16)
        assert piece, f"the connection ended: {got[:200]!r}"
        got += piece
        if got.startswith(b"HTTP/1.1 100 Continue\r\n\r\n"):
            got = got.partition(b"\r\n\r\n")[2]
    head, _, body = got.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    assert first.startswith("HTTP/1."), first
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", 0))
    while len(body) < length:
        piece = connection.recv(2**16)
        assert piece, "the answer is cut short"
        body += piece
    return Answer(int(first.split()[1]), headers, body[:length], body[length:])


def until_closed(connection: socket.socket) -> bytes:
    """What still comes. TimeoutError when the connection stays open."""
    got = b""
    try:
        while piece := connection.recv(2**16):
            got += piece
    except ConnectionResetError:
        pass
    return got
