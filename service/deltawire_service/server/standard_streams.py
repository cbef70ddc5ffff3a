"""Standard output and error that never stop or delay the service: what cannot be written now is dropped."""

from __future__ import annotations

import io
import os
import stat
import sys
from contextlib import suppress
from threading import Lock


class DroppingStream(io.TextIOBase):
    """A text stream on a descriptor. Its writes neither block nor fail; it counts the lines it has dropped.

    A line that does not go out at once is dropped: the pipe is full or closed, or the disk. Of a line that
    went out in part, the rest is kept, so that lines are not mixed.
    """

    def __init__(self, descriptor: int):
        self.dropped = 0
        """Lines that could not be written."""
        self._descriptor = unblocked(descriptor)
        self._given = descriptor
        self._rest = b""
        self._lock = Lock()
        os.register_at_fork(after_in_child=self._forked)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._given

    def isatty(self) -> bool:
        return os.isatty(self._given)

    def write(self, text: str) -> int:
        data = text.encode("utf-8", "backslashreplace")
        with self._lock:
            if self._put(self._rest):
                self._put(data)
            else:
                self.dropped += data.count(b"\n")
        return len(text)

    def _put(self, data: bytes) -> bool:
        """Write, and keep the rest of what has begun. Return whether the next line may be written."""
        if not data:
            return True
        try:
            written = os.write(self._descriptor, data)
        except OSError:
            if data is self._rest:
                return False
            self.dropped += data.count(b"\n")
            return True
        self._rest = data[written:]
        return not self._rest

    def _forked(self) -> None:
        """Forget a lock that a thread of the parent may hold, and what the parent goes on to write."""
        self._lock, self._rest, self.dropped = Lock(), b"", 0


def unblocked(descriptor: int) -> int:
    """Return a descriptor for the same pipe or terminal whose writes do not block.

    It is opened anew: setting O_NONBLOCK on the one given would set it for every process that shares it, such
    as the shell. Where that is not possible, as with sockets, it is set all the same. Files are left as they
    are: a file opened anew would have a position of its own, and a full disk does not block.
    """
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    try:
        return os.open(f"/dev/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        os.set_blocking(descriptor, False)
        return descriptor


def secure_standard_streams() -> None:
    """Make standard output and error drop what they cannot write, and open those that are closed.

    A closed descriptor would be taken by the next socket or file, into which messages would then go.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest that is free
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        if isinstance(getattr(sys, name), DroppingStream):
            continue
        with suppress(AttributeError, OSError, ValueError):  # None, full or closed
            getattr(sys, name).flush()
        setattr(sys, name, DroppingStream(descriptor))


def dropped_lines() -> int:
    """Return how many lines this process could not write; 0 where its streams are Python's own."""
    streams = [stream for stream in (sys.stdout, sys.stderr) if isinstance(stream, DroppingStream)]
    return sum(stream.dropped for stream in streams)
