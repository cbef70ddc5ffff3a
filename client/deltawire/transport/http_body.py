"""HTTP bodies without copies: arrays are sent from where they are and received where they will stay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http.client import HTTPResponse
from itertools import groupby

import numpy as np
from requests import ConnectionError, ReadTimeout, Response
from urllib3.exceptions import ProtocolError

from deltawire.transport.transport import Part

JOINED_BYTES = 2**16
"""Pieces up to this size are joined: sending each on its own would cost more than copying it."""

PIECE_BYTES = 2**20
"""Most bytes handed to the socket at once: its timeout holds for all of them together."""

CHUNK_BYTES = 2**24
"""Bytes read at once from a response of unknown length; `requests` itself would read 10 KiB at a time."""


class Parts:
    """Pieces sent one after the other. `len` counts bytes, so that `requests` sends a Content-Length."""

    def __init__(self, parts: Sequence[Part]):
        self._parts = parts

    def __iter__(self) -> Iterator[Part]:
        return iter(self._parts)

    def __len__(self) -> int:
        return sum(map(len, self._parts))


def sendable(parts: Sequence[Part]) -> bytes | Parts:
    """Return a body for `requests`: small neighbours joined, large pieces cut without a copy."""
    if sum(map(len, parts)) <= JOINED_BYTES:
        return b"".join(parts)
    runs = groupby(parts, lambda part: len(part) > JOINED_BYTES)
    return Parts(
        [piece for large, run in runs for part in (run if large else [b"".join(run)]) for piece in _cut(part)]
    )


def _cut(part: Part) -> Iterator[memoryview]:
    view = memoryview(part)
    return (view[start : start + PIECE_BYTES] for start in range(0, len(view), PIECE_BYTES))


def read_body(response: Response) -> bytes | memoryview:
    """Read the body of a response into writable memory, unless it comes in chunks or compressed.

    Raises:
        requests.ConnectionError: The body ended too soon.
        requests.ReadTimeout: Nothing more came in time.
    """
    # The connection as http.client has it. An adapter that opens no socket has none.
    connection: HTTPResponse | None = getattr(response.raw, "_original_response", None)
    size = connection.length if connection else None
    if connection is None or not size or "Content-Encoding" in response.headers:
        return b"".join(response.iter_content(CHUNK_BYTES))
    body = np.empty(size, np.uint8).data
    filled = 0
    try:
        while filled < size and (count := connection.readinto(body[filled:])):
            filled += count
    except TimeoutError as error:
        response.close()
        raise ReadTimeout(error, request=response.request) from error
    except OSError as error:
        response.close()
        raise ConnectionError(ProtocolError(error), request=response.request) from error
    if filled < size:
        response.close()
        raise ConnectionError(ProtocolError(f"{filled} bytes of {size} came"), request=response.request)
    response.raw.release_conn()  # back to the pool, for the next request
    return body
