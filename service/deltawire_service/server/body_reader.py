"""How a body is received: in one call, and under gunicorn to where its arrays will be.

Flask asks for 64 KiB each time, for which gunicorn copies a MiB; and all it gives out it has copied three
times. A large body is therefore taken from gunicorn's socket, behind what came with the head of the request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from deltawire_service.faults import ServiceError

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

LARGE = 2**16
"""Bytes from which a body is worth it."""


class BodyTruncated(ServiceError):
    """The connection ended before the whole body came."""

    code = "body_truncated"
    detail = "the connection ended before the whole body came"


def received(environ: WSGIEnvironment, length: int) -> bytes:
    """A body of this length. Raises BodyTruncated when less comes."""
    stream = environ["wsgi.input"]
    body: bytes = stream.read(length)
    while len(body) < length:
        more = stream.read(length - len(body))
        if not more:
            raise BodyTruncated
        body += more
    return body


def received_in_place(environ: WSGIEnvironment, length: int) -> bytes | memoryview:
    """Likewise, not copied where the server is a gunicorn of today, and memory nobody can write to."""
    reader: Any = getattr(environ["wsgi.input"], "reader", None)
    unreader: Any = getattr(reader, "unreader", None)
    socket, take = getattr(unreader, "sock", None), getattr(unreader, "take_buffered", None)
    known = f"{type(reader).__module__}.{type(reader).__name__}" == "gunicorn.http.body.LengthReader"
    if length < LARGE or not known or socket is None or take is None:
        return received(environ, length)
    begun = take()
    body = np.empty(length, np.uint8).data
    filled = min(len(begun), length)
    body[:filled] = begun[:filled]
    unreader.unread(begun[filled:])
    while filled < length and (got := socket.recv_into(body[filled:])):
        filled += got
    reader.length = 0
    if filled < length:
        raise BodyTruncated
    return body.toreadonly()
