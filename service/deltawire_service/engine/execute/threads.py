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
"""Work from which on matrix products are shared by threads: for less, they would wait longer than compute."""


class Threads:
    """A number of threads, shared between requests: with more than one, requests take turns.

    count: how many. With one, whoever calls computes, and BLAS is left as the process was started.
    """

    def __init__(self, count: int = 1):
        self.count = count
        self._turn = Lock()
        # The pool starts its threads with its first task: after a server has made its worker processes.
        self._pool = ThreadPoolExecutor(count, "compute") if count > 1 else None
        self._blas = ThreadpoolController().select(user_api="blas").lib_controllers if count > 1 else []
        self._in_products = 0

    def alone(self, compute: Callable[[], T], cost_bytes: int) -> T:
        """What `compute()` gives, with all threads in its matrix products where they are worth waking.

        cost_bytes: about how much memory it touches.
        """
        if self._pool is None:
            return compute()
        with self._turn:
            self._use_in_products(self.count if cost_bytes >= SHARED_BYTES else 1)
            return compute()

    def map(self, compute: Callable[..., T], items: Sequence[tuple[int, ...]]) -> Generator[T, None, None]:
        """What `compute(*item)` gives, in the order of the items, each in one thread; at most `count` results
        are waiting.

        To be closed by whoever does not take all: the next request waits for that.
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
                    done = waiting.popleft().result()
                    waiting.append(self._pool.submit(copy_context().run, compute, *item))
                    yield done
                while waiting:
                    yield waiting.popleft().result()
            finally:  # one has failed, or nobody wants the rest: none goes on behind the next request's back
                for future in waiting:
                    if not future.cancel():
                        future.exception()

    def _use_in_products(self, threads: int) -> None:
        if threads != self._in_products:
            for library in self._blas:
                library.set_num_threads(threads)
            self._in_products = threads
