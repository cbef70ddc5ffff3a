"""A large body on its way from a socket into a file."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deltawire_service.server.bodies.body_file import BodyFile

PIECE_BYTES = 2**20
"""Bytes that are received before they are written: the memory of an upload."""


class Upload:
    """Receives a body in pieces. One thread at a time uses it: receiving never waits, the rest may.

    Args:
        folder: the folder of the file.
        length: bytes of the body, at least 1.
        begins: the bytes of it that came with the head.
        free_bytes: bytes that stay free on the disk.
    """

    def __init__(self, folder: Path, length: int, begins: bytearray, free_bytes: int = 0):
        self.length = length
        self.received = len(begins)
        """Bytes that have come."""
        self.body: memoryview | None = None
        """The whole body, read-only, once it has been written."""
        self.failure: Exception | None = None
        """The reason why the disk does not take the body."""
        self._folder, self._free_bytes = folder, free_bytes
        self._piece = bytearray(max(min(PIECE_BYTES, length), len(begins)))
        self._piece[: len(begins)] = begins
        self._waiting = len(begins)
        self._file: BodyFile | None = None

    @property
    def memory_bytes(self) -> int:
        """Bytes of memory that it takes."""
        return len(self._piece)

    @property
    def has_piece(self) -> bool:
        """True when what has come must be written before more is received."""
        return self._waiting == len(self._piece) or self.received == self.length

    def receive(self, sock: socket.socket) -> int:
        """Receive what has come, and return its bytes: 0 when the client sends no more. Raises OSError."""
        room = min(len(self._piece) - self._waiting, self.length - self.received)
        count = sock.recv_into(memoryview(self._piece)[self._waiting : self._waiting + room])
        self._waiting += count
        self.received += count
        return count

    def open(self) -> None:
        """Make the file, and reserve its room."""
        # Imported late: it brings numpy, which must find the threads of BLAS set.
        from deltawire_service.server.bodies.body_file import BodyFile

        try:
            self._file = BodyFile(self._folder, self.length, self._free_bytes)
        except Exception as error:
            self.failure = error

    def write(self) -> None:
        """Write what has come; when that is all, map the file."""
        assert self._file is not None
        try:
            self._file.append(memoryview(self._piece)[: self._waiting])
            self._waiting = 0
            if self.received == self.length:
                self.body = self._file.map()
        except Exception as error:
            self.failure = error

    def close(self) -> None:
        """Drop the file."""
        if self._file:
            self._file.close()
