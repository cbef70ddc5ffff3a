"""Answers leave in order and whole, however little a socket takes at a time."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from threading import Thread
from time import monotonic

import pytest

from deltawire_service.server.connections.outgoing import MOST_PIECES, Outgoing

LARGE = bytes(range(256)) * 2**14


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.settimeout(5)
        yield ours, theirs


def test_pieces_leave_together(ends: tuple[socket.socket, socket.socket]) -> None:
    outgoing = Outgoing(ends[0])
    outgoing.sendall(b"head ")
    outgoing.sendall(b"")
    outgoing.sendall(b"body")
    assert outgoing.flush() and outgoing.sent == 9
    assert ends[1].recv(100) == b"head body"


@pytest.mark.parametrize("pieces", [1, 3, 2 * MOST_PIECES + 1])
def test_the_rest_leaves_as_the_client_reads(ends: tuple[socket.socket, socket.socket], pieces: int) -> None:
    outgoing, sent, got = Outgoing(ends[0]), LARGE[: -(len(LARGE) % pieces) or None], b""
    size = len(sent) // pieces
    for start in range(0, len(sent), size):
        outgoing.sendall(sent[start : start + size])
    assert not outgoing.flush()
    while not outgoing.flush():
        got += ends[1].recv(10_007)
    while len(got) < len(sent):
        got += ends[1].recv(2**20)
    assert got == sent and outgoing.sent == len(sent)


def test_a_client_that_has_gone_is_sent_nothing_more(ends: tuple[socket.socket, socket.socket]) -> None:
    ends[1].close()
    outgoing = Outgoing(ends[0])
    outgoing.sendall(LARGE)
    assert outgoing.flush() and outgoing.broken and outgoing.sent == 0
    outgoing.sendall(LARGE)
    assert outgoing.flush()


def test_an_interim_answer_of_gunicorn_is_not_sent(ends: tuple[socket.socket, socket.socket]) -> None:
    outgoing = Outgoing(ends[0])
    assert outgoing.send(b"HTTP/1.1 100 Continue\r\n\r\n") == 25
    outgoing.replace(b"x")
    assert outgoing.flush() and ends[1].recv(100) == b"x"


def test_a_client_that_reads_is_waited_for_a_moment(ends: tuple[socket.socket, socket.socket]) -> None:
    outgoing, got = Outgoing(ends[0]), list[bytes]()
    outgoing.sendall(LARGE)
    reader = Thread(
        target=lambda: [got.append(ends[1].recv(2**20)) for _ in iter(lambda: sum(map(len, got)), len(LARGE))]
    )
    reader.start()
    assert outgoing.flush(5)
    reader.join()
    assert b"".join(got) == LARGE


def test_a_client_that_does_not_read_is_not_waited_for(ends: tuple[socket.socket, socket.socket]) -> None:
    outgoing, started = Outgoing(ends[0]), monotonic()
    outgoing.sendall(LARGE)
    assert not outgoing.flush(0.1)
    assert 0.1 <= monotonic() - started < 1
