"""The memory that the processes of a service hold, in a page that they share: workers, and the trainer.

The bound is what the workers may hold together; the trainer adds nothing to it. It computes a step where
requests leave room, and waits where they do not. A request is refused for a step only where both do not fit.
The trainer sees that, and begins no other step for a while.

A process writes its own numbers only, each in one piece, so no lock is needed. It writes what it will hold,
looks whether that fits beside all others, and takes it back where it does not.
"""

from __future__ import annotations

import mmap
import os
from tempfile import mkstemp

PROCESSES = 4096
"""Processes of a service at once, at most."""

TRAINER = 0
"""The number of the trainer; workers have those above it."""

BOUND, HELD, REFUSED = range(3)
"""What each process writes: bytes that it may hold, bytes that it holds, and requests that it refused."""

NUMBERS = 3
"""Numbers of a process."""

ITEM = 8
"""Bytes of a number."""


class MemoryShare:
    """The share of one process.

    Args:
        numbers: the numbers of all processes.
        process: the number of this one.
    """

    def __init__(self, numbers: memoryview[int], process: int):
        self._numbers = numbers
        self._own = process * NUMBERS
        self._seen = 0

    def add_room(self, count: int) -> None:
        """Add the bytes that this process may hold to what all may hold together."""
        self._numbers[self._own + BOUND] = count

    def hold(self, count: int) -> None:
        """Hold so many bytes in place of those before, whether they fit or not."""
        self._numbers[self._own + HELD] = count

    def hold_beside_trainer(self, count: int) -> bool:
        """Hold so many bytes, unless a step of the trainer has left no room for them; return whether it did.

        The workers alone always have room for what each of them may hold.
        """
        before = self._numbers[self._own + HELD]
        self.hold(count)
        if not self._numbers[TRAINER * NUMBERS + HELD] or self._fits():
            return True
        self.hold(before)
        self._numbers[self._own + REFUSED] += 1
        return False

    def reserve(self, count: int) -> bool:
        """Hold so many bytes where all others leave room, and return whether they do; for the trainer.

        They leave none at once after a request was refused: it comes again.
        """
        if self._numbers[self._own + HELD] >= count:
            return True
        refused, seen = self._sum(REFUSED), self._seen
        self._seen = refused
        if refused > seen:
            return False
        self.hold(count)
        if self._fits():
            return True
        self.hold(0)
        return False

    def _fits(self) -> bool:
        return self._sum(HELD) <= self._sum(BOUND)

    def _sum(self, which: int) -> int:
        return sum(self._numbers[which::NUMBERS])


class MemoryShares:
    """The page with the shares of all processes.

    descriptor: that of a page which another process has made; None to make one.
    """

    def __init__(self, descriptor: int | None = None):
        size = PROCESSES * NUMBERS * ITEM
        self.descriptor = _make_page(size) if descriptor is None else descriptor
        self._numbers = memoryview(mmap.mmap(self.descriptor, size)).cast("q")

    def share(self, process: int) -> MemoryShare:
        """Return the share of a process. process: its number; two processes that live have two."""
        return MemoryShare(self._numbers, process)

    def clear(self, process: int) -> None:
        """Forget what a process held, which has ended."""
        for place in range(process * NUMBERS, (process + 1) * NUMBERS):
            self._numbers[place] = 0


def _make_page(size: int) -> int:
    """Return the descriptor of a file without a name, in memory where the system has such files."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("deltawire-memory")
    else:
        descriptor, path = mkstemp()
        os.unlink(path)
    os.truncate(descriptor, size)
    return descriptor
