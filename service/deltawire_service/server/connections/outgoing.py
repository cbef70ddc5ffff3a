"""The bytes of one answer on their way to its client."""

from __future__ import annotations

import select
import socket
from time import monotonic

MOST_PIECES = 64
"""Pieces handed to the system in one call; IOV_MAX is at least 1,024 where the service runs."""


class Outgoing:
    """Collects an answer and sends what its socket takes.

    gunicorn's `Response` writes to it as if it were the socket. The thread that answers flushes it after each
    piece; the connection loop flushes the rest, as the client reads.
    """

    __slots__ = ("announced", "sent", "broken", "_sock", "_pieces")

    def __init__(self, sock: socket.socket):
        self.announced = 0
        """Bytes of the answer's body, when its head says how many; pieces may come later."""
        self.sent = 0
        """Bytes that the system has taken."""
        self.broken = False
        """Whether the client has gone: nothing more is sent."""
        self._sock = sock
        self._pieces: list[memoryview] = []

    @property
    def waiting(self) -> int:
        """Bytes that the system has not taken yet."""
        return sum(map(len, self._pieces))

    def sendall(self, data: bytes) -> None:
        """Keep the bytes for the next flush, so that a head and its body leave together."""
        if data:
            self._pieces.append(memoryview(data))

    def send(self, data: bytes) -> int:
        """Drop gunicorn's `100 Continue`: the connection loop has sent it where the client waited for it."""
        return len(data)

    def replace(self, data: bytes) -> None:
        """Send this instead of what waits."""
        self._pieces = [memoryview(data)]

    def flush(self, seconds: float = 0.0) -> bool:
        """Send what the socket takes, for so many seconds at most. Return whether nothing is left."""
        end = monotonic() + seconds if seconds else 0.0
        while self._pieces and not self.broken:
            try:
                taken = self._sock.sendmsg(self._pieces[:MOST_PIECES])
            except BlockingIOError:
                if not seconds or not self._can_send(end - monotonic()):
                    return False
                continue
            except OSError:
                self.broken = True
                break
            self.sent += taken
            self._drop(taken)
        if self.broken:
            self._pieces.clear()
        return True

    def _can_send(self, seconds: float) -> bool:
        """Wait until the socket takes more, for so many seconds at most. Return whether it does."""
        waiting = select.poll()
        waiting.register(self._sock, select.POLLOUT)
        return seconds > 0 and bool(waiting.poll(1000 * seconds))

    def _drop(self, count: int) -> None:
        """Forget so many bytes from the front."""
        while count:
            first = self._pieces[0]
            if count < len(first):
                self._pieces[0] = first[count:]
                return
            count -= len(first)
            del self._pieces[0]
