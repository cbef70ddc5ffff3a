"""The bytes that a process may have in the files of bodies at once."""

from __future__ import annotations

from threading import Lock


class UploadRoom:
    """Counts the bytes of bodies in files, until their requests are answered. Shared between threads.

    Args:
        most_bytes: bytes at once, at most.
    """

    def __init__(self, most_bytes: int):
        self._free = most_bytes
        self._lock = Lock()

    def claim(self, size: int) -> bool:
        """Claim room for a body, and return whether there is any: `release` gives it back.

        size: bytes of the body.
        """
        with self._lock:
            if size > self._free:
                return False
            self._free -= size
            return True

    def release(self, size: int) -> None:
        """Give back the room of a body. size: its bytes."""
        with self._lock:
            self._free += size
