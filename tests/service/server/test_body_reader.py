"""Bodies are received whole, wherever they are cut, by gunicorn's own classes over a real socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from io import BytesIO
from threading import Thread

import numpy as np
import pytest
from gunicorn.http.body import Body, LengthReader
from gunicorn.http.unreader import SocketUnreader

from deltawire_service.server.body_reader import LARGE, BodyTruncated, received, received_in_place

BODY = np.random.default_rng(0).bytes(3 * LARGE)


class Trickle(BytesIO):
    """A stream that gives less than it is asked for."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size or 0, 1000))


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(5)
        yield ours, theirs


@pytest.mark.parametrize("receive", [received, received_in_place])
def test_from_any_server(receive: type) -> None:
    assert receive({"wsgi.input": BytesIO(BODY)}, len(BODY)) == BODY
    assert receive({"wsgi.input": Trickle(BODY)}, len(BODY)) == BODY
    assert receive({"wsgi.input": BytesIO(b"")}, 0) == b""
    with pytest.raises(BodyTruncated):
        receive({"wsgi.input": Trickle(BODY)}, len(BODY) + 1)


@pytest.mark.parametrize("ahead", [0, 1, 5000, 3 * LARGE, 3 * LARGE + 9])
def test_from_gunicorn_in_place(ends: tuple[socket.socket, socket.socket], ahead: int) -> None:
    """`ahead`: bytes that came with the head, those of a next request among them."""
    ours, theirs = ends
    unreader = SocketUnreader(ours)
    unreader.unread((BODY + b"GET / HTTP")[:ahead])
    stream = Body(LengthReader(unreader, len(BODY)))
    sender = Thread(target=theirs.sendall, args=[BODY[ahead:]])
    sender.start()
    body = received_in_place({"wsgi.input": stream}, len(BODY))
    sender.join()
    assert isinstance(body, memoryview) and body.readonly and body == BODY
    assert stream.read() == b"" and unreader.take_buffered() == b"GET / HTTP"[: max(0, ahead - len(BODY))]
    array = np.frombuffer(body, np.uint8)
    with pytest.raises(ValueError, match="WRITEABLE"):
        array.setflags(write=True)


def test_a_body_that_is_cut(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    theirs.sendall(BODY[:LARGE])
    theirs.shutdown(socket.SHUT_WR)
    stream = Body(LengthReader(SocketUnreader(ours), len(BODY)))
    with pytest.raises(BodyTruncated):
        received_in_place({"wsgi.input": stream}, len(BODY))
    assert stream.read() == b""
