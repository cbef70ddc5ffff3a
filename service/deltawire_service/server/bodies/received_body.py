"""The body of a request that was received before the application runs."""

from __future__ import annotations

import io

from werkzeug.exceptions import ServiceUnavailable

BEGAN = "deltawire.began"
"""The key in a WSGI environment for when the request's first byte came (time.monotonic)."""


class Stopping(ServiceUnavailable):
    """The service stops before the body has come."""


class ReceivedBody(io.RawIOBase):
    """A body that the server has received: `wsgi.input` under our worker.

    Args:
        data: the bytes that came; shorter than announced where the client ended before.
        failure: raised by the first read; why the rest was not received.
    """

    def __init__(self, data: bytes | memoryview = b"", failure: Exception | None = None):
        self.data: bytes | memoryview = data
        self.failure = failure
        self._place = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self.failure:
            raise self.failure
        piece = self.data[self._place : self._place + len(buffer)]
        buffer[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)

    def whole(self) -> bytes | memoryview:
        """Give all of it away, without a copy: its memory is freed as soon as the caller is done with it."""
        if self.failure:
            raise self.failure
        data, self.data = self.data, b""
        return data
