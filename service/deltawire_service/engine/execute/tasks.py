"""Calls that several threads may make: each is made once, by whichever thread begins it first."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Task(Generic[T]):
    """A call that is made once.

    Args:
        function: the call.
    """

    def __init__(self, function: Callable[[], T]):
        self._function = function
        self._begun, self._running = Lock(), Lock()
        self._running.acquire()
        self._result: T
        self._error: BaseException | None = None

    def begin(self) -> None:
        """Make the call, unless it has begun or is cancelled."""
        if not self.cancel():
            return
        try:
            self._result = self._function()
        except BaseException as error:
            self._error = error
        finally:
            del self._function
            self._running.release()
            del self  # an error holds this frame

    def cancel(self) -> bool:
        """Keep the call from being made, and return whether it had not begun."""
        return self._begun.acquire(blocking=False)

    def wait(self) -> None:
        """Wait until the call, which another thread has begun, has ended."""
        with self._running:
            pass

    def ended(self) -> bool:
        """Return whether the call has been made."""
        return not self._running.locked()

    def failed(self) -> bool:
        """Return whether the call has raised an error, which nobody has taken."""
        return self._error is not None

    def result(self) -> T:
        """Make the call, unless another thread does, and return its result, or raise what it raised.

        Call it once: the task holds neither afterwards, though others may still hold the task.
        """
        self.begin()
        self.wait()
        error, self._error = self._error, None
        try:
            if error is not None:
                raise error
            result = self._result
            del self._result
            return result
        finally:
            del error, self  # the error holds this frame


def end_all(tasks: list[Task[T]]) -> None:
    """Cancel tasks that have not begun, wait for the others, and forget all."""
    for task in [task for task in tasks if not task.cancel()]:
        task.wait()
    tasks.clear()
