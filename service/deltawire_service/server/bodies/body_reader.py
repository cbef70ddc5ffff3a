"""Reading bodies: without a copy when our worker has received them, in pieces from any other server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from deltawire_service.faults import ServiceError
from deltawire_service.server.bodies.body_file import BodyFile
from deltawire_service.server.bodies.received_body import ReceivedBody
from deltawire_service.server.bodies.upload import PIECE_BYTES

if TYPE_CHECKING:
    from wsgiref.types import InputStream, WSGIEnvironment


class BodyTruncated(ServiceError):
    """The connection ended before the whole body came."""

    code = "body_truncated"
    detail = "the connection ended before the whole body came"


FILE_BYTES = 2**20
"""The least bytes of a body that lies in a file, where there is a folder for it."""


def received(
    environ: WSGIEnvironment, length: int, folder: Path | None = None, free_bytes: int = 0
) -> bytes | memoryview:
    """Return a body as read-only memory.

    Args:
        environ: the WSGI environment of the request.
        length: bytes of the body.
        folder: the folder of a file for a large body from another server; our worker has made one before.
        free_bytes: bytes that stay free on the disk of that folder.

    Raises:
        BodyTruncated: less comes.
        StoreFull, StoreUnavailable: the disk has no room for the file, or fails.
    """
    stream = environ["wsgi.input"]
    if isinstance(stream, ReceivedBody):
        body = stream.whole()
    elif folder and length >= FILE_BYTES:
        return _received_in_file(stream, length, folder, free_bytes)
    else:
        body = stream.read(length)
        while len(body) < length and (more := stream.read(length - len(body))):
            body += more
    if len(body) < length:
        raise BodyTruncated
    return body


def peek(environ: WSGIEnvironment, count: int) -> bytes:
    """Return the first bytes of a body that our worker has received; none of one that has not come yet.

    Args:
        environ: the WSGI environment of the request.
        count: bytes, at most.
    """
    stream = environ.get("wsgi.input")
    return bytes(stream.data[:count]) if isinstance(stream, ReceivedBody) else b""


def _received_in_file(stream: InputStream, length: int, folder: Path, free_bytes: int) -> memoryview:
    file, left = BodyFile(folder, length, free_bytes), length
    try:
        while left and (piece := stream.read(min(left, PIECE_BYTES))):
            file.append(memoryview(piece))
            left -= len(piece)
        if left:
            raise BodyTruncated
        return file.map()
    finally:
        file.close()
