"""Threads that compute: a chunk of rows in each, or the pieces of a single chunk's large work.

Neither changes a bit of the results: chunks and pieces are cut by shapes alone, BLAS uses one thread for
each, and results are put together in a fixed order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from threading import TIMEOUT_MAX, Lock
from time import monotonic
from typing import TypeVar

from threadpoolctl import ThreadpoolController

from deltawire_layers import DeadlineExceeded, current_deadline, sharing

T = TypeVar("T")


class Threads:
    """A number of threads, shared between requests: with more than one, requests take turns.

    Args:
        count: number of threads. With one, the caller's thread computes, and BLAS stays as it was started.
            With more, BLAS is set to one thread, in the whole process, when the first request computes.
    """

    def __init__(self, count: int = 1):
        self.count = count
        self._turn = Lock()
        # The pool starts its threads with its first task: after a server has made its worker processes.
        self._pool = ThreadPoolExecutor(count, "compute") if count > 1 else None
        self._blas = ThreadpoolController().select(user_api="blas").lib_controllers if count > 1 else []

    def alone(self, compute: Callable[[], T]) -> T:
        """Return `compute()`, called in this thread; all threads share the pieces of its large work."""
        if self._pool is None:
            return compute()
        with self._own_turn():
            self._limit_blas()
            token = sharing.sharing.set(self._share)
            try:
                return compute()
            finally:
                sharing.sharing.reset(token)

    def map(self, compute: Callable[..., T], items: Sequence[tuple[int, ...]]) -> Generator[T, None, None]:
        """Yield `compute(*item)` in the order of the items, each computed in one thread.

        At most `count` results wait at a time. Close the generator if you do not take all results: the next
        request waits for that.
        """
        if self._pool is None:
            for item in items:
                yield compute(*item)
            return
        with self._own_turn():
            self._limit_blas()
            waiting = deque(self._submit(compute, *item) for item in items[: self.count])
            try:
                for item in items[self.count :]:
                    result = waiting.popleft().result()
                    waiting.append(self._submit(compute, *item))
                    yield result
                    del result  # before the next one is waited for
                while waiting:
                    yield waiting.popleft().result()
            finally:  # after a failure, or a close: no task may go on while the next request computes
                for future in waiting:
                    if not future.cancel():
                        future.exception()

    @contextmanager
    def _own_turn(self) -> Iterator[None]:
        """Wait until no other request computes. Raises DeadlineExceeded when the deadline passes first."""
        left = max(0.0, current_deadline() - monotonic())
        if not self._turn.acquire(timeout=min(left, TIMEOUT_MAX)):
            raise DeadlineExceeded
        try:
            yield
        finally:
            self._turn.release()

    def _share(self, functions: Sequence[Callable[[], object]]) -> None:
        """Call functions in all threads, this one among them: each thread takes the next when it is free.

        Threads that have not begun by the end are cancelled: to wake one takes longer than most functions.
        """
        waiting = deque(functions)

        def work() -> None:
            while waiting:
                try:
                    function = waiting.popleft()
                except IndexError:  # another thread was faster
                    return
                function()

        futures = [self._submit(work) for _ in range(min(self.count, len(functions)) - 1)]
        try:
            work()
        finally:
            begun = [future for future in futures if not future.cancel()]
            for future in begun:
                future.exception()
        for future in begun:
            future.result()

    def _submit(self, function: Callable[..., T], *arguments: int) -> Future[T]:
        """Start a task in a context like the caller's: numpy's error handling is part of it."""
        assert self._pool is not None
        return self._pool.submit(copy_context().run, function, *arguments)

    def limit_blas(self) -> None:
        """Set BLAS to one thread, as it is while these threads compute; with a single one, leave it alone."""
        if self._blas:
            with self._own_turn():
                self._limit_blas()

    def _limit_blas(self) -> None:
        """Set BLAS to one thread, once: its own threads would cut products by their number."""
        while self._blas:
            self._blas.pop().set_num_threads(1)
