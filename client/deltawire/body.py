"""The body of a request in parts: what is sent is the arrays themselves, not a copy that joins them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

JOINED_BYTES = 2**16
"""Up to here parts are joined: sending them one by one would cost more than copying them."""


class Parts:
    """Parts sent one after the other. Its length is in bytes, so that `requests` sends a Content-Length."""

    def __init__(self, parts: list[Any]):
        self._parts = parts

    def __iter__(self) -> Iterator[Any]:
        return iter(self._parts)

    def __len__(self) -> int:
        return sum(map(len, self._parts))


def to_send(parts: list[Any]) -> bytes | Parts:
    """What `requests` is given to send: small parts joined, large ones as they are."""
    body = Parts(parts)
    return b"".join(parts) if len(body) <= JOINED_BYTES else body
