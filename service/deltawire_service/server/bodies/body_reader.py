"""Reading bodies: without a copy when our worker has received them, in pieces from any other server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deltawire_service.faults import ServiceError
from deltawire_service.server.bodies.received_body import ReceivedBody

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment


class BodyTruncated(ServiceError):
    """The connection ended before the whole body came."""

    code = "body_truncated"
    detail = "the connection ended before the whole body came"


def received(environ: WSGIEnvironment, length: int) -> bytes | memoryview:
    """Return a body of this length, in bytes, as read-only memory. Raises BodyTruncated when less comes."""
    stream = environ["wsgi.input"]
    if isinstance(stream, ReceivedBody):
        body = stream.whole()
    else:
        body = stream.read(length)
        while len(body) < length and (more := stream.read(length - len(body))):
            body += more
    if len(body) < length:
        raise BodyTruncated
    return body
