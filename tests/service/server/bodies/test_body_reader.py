"""Bodies are read whole: without a copy from our worker, and as they come from any other server."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from werkzeug.exceptions import RequestTimeout

from deltawire_service.server.bodies.body_reader import BodyTruncated, received
from deltawire_service.server.bodies.received_body import ReceivedBody

BODY = np.random.default_rng(0).bytes(200_000)


class Trickle(BytesIO):
    """A stream that gives less than it is asked for."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size or 0, 1000))


@pytest.mark.parametrize("stream", [BytesIO, Trickle, ReceivedBody])
def test_from_any_server(stream: Any) -> None:
    assert received({"wsgi.input": stream(BODY)}, len(BODY)) == BODY
    assert received({"wsgi.input": stream(b"")}, 0) == b""
    with pytest.raises(BodyTruncated):
        received({"wsgi.input": stream(BODY)}, len(BODY) + 1)


def test_what_was_received_is_not_copied() -> None:
    data = memoryview(bytearray(BODY)).toreadonly()
    stream = ReceivedBody(data)
    assert received({"wsgi.input": stream}, len(BODY)) is data
    assert stream.data == stream.read() == b""  # nor held any longer


def test_it_can_be_read_as_any_stream() -> None:
    stream = ReceivedBody(b"one\ntwo\nthree")
    assert stream.read(2) == b"on"
    assert list(stream) == [b"e\n", b"two\n", b"three"]
    assert ReceivedBody(memoryview(BODY)).read() == BODY


def test_what_was_not_received_says_why() -> None:
    for read in (lambda stream: received({"wsgi.input": stream}, 9), lambda stream: stream.read(1)):
        with pytest.raises(RequestTimeout):
            read(ReceivedBody(failure=RequestTimeout()))
