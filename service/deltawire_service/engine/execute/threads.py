"""Threads that compute: a chunk of rows in each, or all of them in the matrix products of a single chunk."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import Lock
from typing import TypeVar

from threadpoolctl import ThreadpoolController

T = TypeVar("T")

SHARED_BYTES = 2**19
"""Cost from which on threads share matrix products: for less, waking them takes longer than computing."""


class Threads:
    """A number of threads, shared between requests: with more than one, requests take turns.

    Args:
        count: number of threads. With one, the caller's thread computes, and BLAS stays as it was started.
    """

    def __init__(self, count: int = 1):
        self.count = count
        self._turn = Lock()
        # The pool starts its threads with its first task: after a server has made its worker processes.
        self._pool = ThreadPoolExecutor(count, "compute") if count > 1 else None
        self._blas = ThreadpoolController().select(user_api="blas").lib_controllers if count > 1 else []
        self._in_products = 0

    def alone(self, compute: Callable[[], T], cost_bytes: int) -> T:
        """Return `compute()`, with all threads in its matrix products where they are worth waking.

        cost_bytes: about how much memory it touches.
        """
        if self._pool is None:
            return compute()
        with self._turn:
            self._use_in_products(self.count if cost_bytes >= SHARED_BYTES else 1)
            return compute()

    def map(self, compute: Callable[..., T], items: Sequence[tuple[int, ...]]) -> Generator[T, None, None]:
        """Yield `compute(*item)` in the order of the items, each computed in one thread.

        At most `count` results wait at a time. Close the generator if you do not take all results: the next
        request waits for that.
        """
        if self._pool is None:
            for item in items:
                yield compute(*item)
            return
        with self._turn:
            self._use_in_products(1)
            # Each in a context like the caller's: numpy's error handling is part of it.
            waiting = deque(
                self._pool.submit(copy_context().run, compute, *item) for item in items[: self.count]
            )
            try:
                for item in items[self.count :]:
                    result = waiting.popleft().result()
                    waiting.append(self._pool.submit(copy_context().run, compute, *item))
                    yield result
                while waiting:
                    yield waiting.popleft().result()
            finally:  # after a failure, or a close: no task may go on while the next request computes
                for future in waiting:
                    if not future.cancel():
                        future.exception()

    def _use_in_products(self, threads: int) -> None:
        if threads != self._in_products:
            for library in self._blas:
                library.set_num_threads(threads)
            self._in_products = threads
