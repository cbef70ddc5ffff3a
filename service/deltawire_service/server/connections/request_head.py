"""The head of a request, collected as it comes, and parsed by gunicorn."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from gunicorn.http import errors
from gunicorn.http.body import LengthReader
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader

BARE_NEWLINE = re.compile(rb"(?<!\r)\n")

TLS_HANDSHAKE = b"\x16\x03"
"""What a client sends first that takes the port for one of HTTPS."""


LATEST = (1, 1)
"""The HTTP that is spoken, also with those who speak a later minor version (RFC 9110, 2.5)."""


class LengthRequired(errors.ParseException):  # type: ignore[misc]
    """The body is chunked: without a Content-Length, its size is unknown before it is read."""


class TlsHandshake(errors.ParseException):  # type: ignore[misc]
    """A client speaks TLS to a port of plain HTTP."""


class RequestHead:
    """Collects bytes until they are a whole head, and keeps what came behind it.

    gunicorn's parser wants all of a head at once, and reads it anew at every attempt. It is asked only when
    the head may have ended, or may be wrong already: at its first line, at a newline alone, at its full size.
    """

    def __init__(self, cfg: Any, peer: Any):
        self.bytes = bytearray()
        """What has come and is not part of a request yet."""
        self._cfg = cfg
        self._peer = peer
        self._count = 0
        self._judged = 0
        self._line_read = False

    def next(self, data: bytes = b"") -> Request | None:
        """Add bytes, and return the request whose head is complete, if any.

        Raises:
            ParseException: the head is malformed, too large, or its body is chunked.
        """
        self.bytes += data
        if not self.bytes:
            return None
        if self.bytes.startswith(TLS_HANDSHAKE):
            raise TlsHandshake
        if not self._to_be_judged():
            return None
        unreader = IterUnreader([bytes(self.bytes)])
        try:
            request = Request(self._cfg, unreader, self._peer, self._count + 1)
        except (errors.NoMoreData, StopIteration):
            if len(self.bytes) > self._most_bytes():
                raise errors.LimitRequestHeaders("the whole head") from None
            return None
        codings = [value.strip().lower() for name, value in request.headers if name == "TRANSFER-ENCODING"]
        if codings:
            raise LengthRequired if codings == ["chunked"] else errors.UnsupportedTransferCoding("")
        request.version = min(request.version, LATEST)
        if "close" in connection_options(request.headers):
            request.force_close()
        self.bytes[:] = unreader.take_buffered()
        self._count += 1
        self._judged, self._line_read = 0, False
        return request

    def _to_be_judged(self) -> bool:
        """Whether the newest bytes may complete the head or make it wrong."""
        start = max(0, self._judged - 3)  # the end of a head, or CR LF, may come in pieces
        self._judged = len(self.bytes)
        if self.bytes.find(b"\r\n\r\n", start) >= 0 or BARE_NEWLINE.search(self.bytes, start):
            return True
        if not self._line_read:  # an empty line before it is allowed
            self._line_read = self.bytes.find(b"\n", 2) > 0 or self._judged > self._cfg.limit_request_line + 2
            return self._line_read
        return self._judged > self._most_bytes()

    def _most_bytes(self) -> int:
        fields, size = self._cfg.limit_request_fields, self._cfg.limit_request_field_size
        return int(self._cfg.limit_request_line + fields * (size + 2) + 4)


def connection_options(headers: Iterable[tuple[str, str]]) -> set[str]:
    """Return the options in all headers `Connection`, in small letters: `close, keep-alive` has two."""
    lists = (value for name, value in headers if name == "CONNECTION")
    return {option.strip(" \t").lower() for value in lists for option in value.split(",")}


def body_length(request: Request) -> int:
    """Return the bytes of a request's body, as its head announces them."""
    reader = request.body.reader
    assert isinstance(reader, LengthReader)  # no other is left: chunked bodies are refused
    return int(reader.length)
