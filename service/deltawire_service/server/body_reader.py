"""Receiving bodies: in one call, and under gunicorn directly into the memory of its arrays.

Flask reads 64 KiB at a time, for each of which gunicorn copies a MiB; all that it returns it has copied three
times. A large body is therefore taken from gunicorn's socket, after what came with the head of the request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from deltawire_service.faults import ServiceError
from deltawire_service.server.expectations import ask_for_body

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

LARGE = 2**16
"""Bytes of a body from which that is faster."""


class BodyTruncated(ServiceError):
    """The connection ended before the whole body came."""

    code = "body_truncated"
    detail = "the connection ended before the whole body came"


def received(environ: WSGIEnvironment, length: int) -> bytes:
    """Return a body of this length, in bytes. Raises BodyTruncated when less comes."""
    ask_for_body(environ)
    stream = environ["wsgi.input"]
    body: bytes = stream.read(length)
    while len(body) < length:
        more = stream.read(length - len(body))
        if not more:
            raise BodyTruncated
        body += more
    return body


def received_in_place(environ: WSGIEnvironment, length: int) -> bytes | memoryview:
    """Return a body of this length as read-only memory, without a copy when the server is gunicorn 27.

    Raises BodyTruncated when less comes.
    """
    reader: Any = getattr(environ["wsgi.input"], "reader", None)
    unreader: Any = getattr(reader, "unreader", None)
    socket, take = getattr(unreader, "sock", None), getattr(unreader, "take_buffered", None)
    known = f"{type(reader).__module__}.{type(reader).__name__}" == "gunicorn.http.body.LengthReader"
    if length < LARGE or not known or socket is None or take is None:
        return received(environ, length)
    ask_for_body(environ)
    buffered = take()
    body = np.empty(length, np.uint8).data
    filled = min(len(buffered), length)
    body[:filled] = buffered[:filled]
    unreader.unread(buffered[filled:])
    while filled < length and (size := socket.recv_into(body[filled:])):
        filled += size
    reader.length = 0
    if filled < length:
        raise BodyTruncated
    return body.toreadonly()
