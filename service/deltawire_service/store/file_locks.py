"""Locks that threads and processes share, each on a file. The kernel frees those of a process that dies.

flock has neither a time limit nor an order. So the threads of a process queue up for a file, first come,
first served, and the first in the queue tries until its deadline. Each holder opens the file for itself:
threads that shared a descriptor would share its lock.

A child would share the locks that its parent holds when it forks. So it closes their files at once.
"""

from __future__ import annotations

import fcntl
import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import TIMEOUT_MAX, Lock
from time import monotonic, sleep

from deltawire_service.store.errors import LockBusy, LockGone, disk_errors
from deltawire_service.store.forks import at_fork

FIRST_PAUSE, LONGEST_PAUSE = 0.0001, 0.001
"""Seconds between two tries: they double up to the longest. Only the first thread of a queue tries."""


class FileLocks:
    """The locks of a process. Shared between threads.

    Args:
        most_patient: how many threads may wait at once, of those that ask for it by `patient`.
    """

    def __init__(self, most_patient: int = 8) -> None:
        self._most_patient = most_patient
        self._forget_queues()
        at_fork(in_child=self._forget_queues)

    def _forget_queues(self) -> None:
        self._queues: dict[Path, deque[Lock]] = {}
        self._patient = 0
        self._lock = Lock()

    @contextmanager
    def exclusive(self, path: Path, deadline: float, patient: bool = False) -> Iterator[None]:
        """Hold a lock that nobody else holds.

        Args:
            path: the file; it exists.
            deadline: when to give up, as time.monotonic counts.
            patient: others may hold the lock for long. Only so many threads wait for such locks at once, so
                that some are left to answer other requests.

        Raises:
            LockBusy: the lock did not become free before the deadline, or too many threads wait.
            LockGone: there is no such file.
            StoreUnavailable: the file cannot be opened.
        """
        turn = self._queue_up(path)
        try:
            if not turn.acquire(blocking=False):
                with self._waiting(not patient):
                    if not turn.acquire(timeout=min(max(0.0, deadline - monotonic()), TIMEOUT_MAX)):
                        raise LockBusy()
            with released(_open(path)) as descriptor:
                if not try_lock(descriptor):
                    with self._waiting(not patient):
                        _keep_trying(descriptor, deadline)
                yield
        finally:
            self._leave(path, turn)

    @contextmanager
    def _waiting(self, uncounted: bool) -> Iterator[None]:
        """Count a thread that waits. Raises LockBusy where too many do."""
        if uncounted:
            yield
            return
        with self._lock:
            if self._patient >= self._most_patient:
                raise LockBusy("too many requests wait for models that others change: try again in 1 s")
            self._patient += 1
        try:
            yield
        finally:
            with self._lock:
                self._patient -= 1

    def _queue_up(self, path: Path) -> Lock:
        """Return a lock that this thread can acquire once it is the first in the queue."""
        turn = Lock()
        with self._lock:
            queue = self._queues.setdefault(path, deque())
            if queue:
                turn.acquire()
            queue.append(turn)
        return turn

    def _leave(self, path: Path, turn: Lock) -> None:
        """Leave the queue, and wake the next thread if this one was the first."""
        with self._lock:
            queue = self._queues.get(path, deque())
            if turn not in queue:  # this is a child of the process that queued up
                return
            first = queue[0] is turn
            queue.remove(turn)
            if not queue:
                del self._queues[path]
            elif first:
                queue[0].release()


class _OpenFiles:
    """The files that this process has open to lock them, by descriptor."""

    def __init__(self) -> None:
        self._descriptors = set[int]()
        self._opening = Lock()
        at_fork(self._begin_fork, self._end_fork, self._begin_in_child)

    def open(self, path: Path, flags: int) -> int:
        with self._opening:  # no child inherits a file that it does not know of
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | flags, 0o600)
            self._descriptors.add(descriptor)
        return descriptor

    def close(self, descriptor: int) -> None:
        if descriptor in self._descriptors:  # else it was closed when this process was forked
            self._descriptors.discard(descriptor)
            # Closing alone frees a lock only if no other process has inherited the descriptor.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)

    def _begin_fork(self) -> None:
        self._opening.acquire()

    def _end_fork(self) -> None:
        self._opening.release()

    def _begin_in_child(self) -> None:
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors.clear()
        self._opening.release()


_FILES = _OpenFiles()


def open_to_lock(path: Path, flags: int = 0) -> int:
    """Open a file that is to be locked, and return its descriptor. Raises OSError.

    flags: those of os.open, beside reading and writing.
    """
    return _FILES.open(path, flags)


def unlock(descriptor: int) -> None:
    """Free the lock of a file, if it has one, and close the file."""
    _FILES.close(descriptor)


@contextmanager
def released(descriptor: int) -> Iterator[int]:
    """Free the lock of a descriptor at the end, and close it."""
    try:
        yield descriptor
    finally:
        unlock(descriptor)


def try_lock(descriptor: int, shared: bool = False) -> bool:
    """Lock an open file without waiting, and return whether that worked. Raises OSError."""
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def shared_lock(path: Path, deadline: float = 0.0) -> Iterator[None]:
    """Hold a lock together with others.

    Args:
        path: the file; it exists.
        deadline: until when to wait for somebody who holds it alone, as time.monotonic counts; by default not
            at all.

    Raises:
        LockBusy: somebody held it alone until the deadline.
        LockGone: there is no such file.
        StoreUnavailable: the file cannot be opened.
    """
    with released(_open(path)) as descriptor:
        _keep_trying(descriptor, deadline, shared=True)
        yield


def _open(path: Path) -> int:
    with disk_errors():
        try:
            return open_to_lock(path)
        except FileNotFoundError as error:
            raise LockGone() from error


def _keep_trying(descriptor: int, deadline: float, shared: bool = False) -> None:
    pause = FIRST_PAUSE
    while not try_lock(descriptor, shared):
        left = deadline - monotonic()
        if left <= 0:
            raise LockBusy()
        sleep(min(pause, left))
        pause = min(2 * pause, LONGEST_PAUSE)
