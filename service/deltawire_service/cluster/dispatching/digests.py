"""Digests of rows that workers read from files, by which they know the bytes that were meant."""

from __future__ import annotations

from hashlib import sha256

import numpy as np

from deltawire.wire import Array
from deltawire_service.cluster.links import Stretch
from deltawire_service.engine import Caches, check_deadline
from deltawire_service.mapped_pages import released_pieces

CACHE_BYTES = 2**21
"""Memory for digests: those of a few thousand stretches."""


class Digests:
    """Computes digests, and keeps them: no file that workers read ever changes. Shared between threads."""

    def __init__(self) -> None:
        self._known = Caches(CACHE_BYTES)

    def of(self, stretch: Stretch, numbers: Array) -> str:
        """Return the SHA-256 of some rows, in hex.

        Args:
            stretch: where they lie in a file.
            numbers: the same rows in this process.

        Raises:
            DeadlineExceeded: the deadline has passed.
        """
        known: str | None = self._known.find(stretch)
        if known is None:
            known = _digest(np.ascontiguousarray(numbers))
            self._known.keep(stretch, known)
        return known


def _digest(numbers: Array) -> str:
    digest = sha256()
    for piece in released_pieces(numbers):
        check_deadline()
        digest.update(piece)
    return digest.hexdigest()
