"""Bodies without copies: the arrays themselves are sent, and what comes is read to where arrays will be."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPResponse
from itertools import groupby
from typing import Any

import numpy as np
from requests import ConnectionError, ReadTimeout, Response

JOINED_BYTES = 2**16
"""Up to here parts are joined: sending them one by one would cost more than copying them."""


PIECE_BYTES = 2**24
"""Of an answer whose length is not known, read at once: `requests` itself would read 10 KiB at a time."""


class Parts:
    """Parts sent one after the other. Its length is in bytes, so that `requests` sends a Content-Length."""

    def __init__(self, parts: list[Any]):
        self._parts = parts

    def __iter__(self) -> Iterator[Any]:
        return iter(self._parts)

    def __len__(self) -> int:
        return sum(map(len, self._parts))


def to_send(parts: list[Any]) -> bytes | Parts:
    """What `requests` is given to send: large parts as they are, small neighbours joined."""
    if sum(map(len, parts)) <= JOINED_BYTES:
        return b"".join(parts)
    runs = groupby(parts, lambda part: len(part) > JOINED_BYTES)
    return Parts([part for large, run in runs for part in (run if large else [b"".join(run)])])


def received(response: Response) -> bytes | memoryview:
    """The body of an answer: memory that can be written to, unless it comes in chunks or compressed.

    Raises ConnectionError when it ends too soon, ReadTimeout when nothing more comes.
    """
    # What requests itself sees of the connection; the embedded service has none.
    connection: HTTPResponse | None = getattr(response.raw, "_original_response", None)
    size = connection.length if connection else None
    if connection is None or not size or "Content-Encoding" in response.headers:
        return b"".join(response.iter_content(PIECE_BYTES))
    body = np.empty(size, np.uint8).data
    filled = 0
    try:
        while filled < size and (got := connection.readinto(body[filled:])):
            filled += got
    except TimeoutError as error:
        response.close()
        raise ReadTimeout(error, request=response.request) from error
    except OSError as error:
        response.close()
        raise ConnectionError(error, request=response.request) from error
    if filled < size:
        response.close()
        raise ConnectionError(f"{filled} bytes of {size} came", request=response.request)
    response.raw.release_conn()  # for the next request
    return body
