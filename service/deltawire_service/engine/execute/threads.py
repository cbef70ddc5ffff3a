"""Threads that compute: a chunk of rows in each, or parts of a single chunk's work.

Of a single chunk, threads share the pieces of large work, and compute gradients while deltas are sent down.
Compiled kernels have a team of threads for both, which wake without Python.
None of this changes a bit of the results: chunks and pieces are cut by shapes alone, BLAS uses one thread for
each, and results are put together in a fixed order.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from itertools import islice
from threading import TIMEOUT_MAX, Lock
from time import monotonic
from typing import Any, Protocol, TypeVar

from threadpoolctl import ThreadpoolController

from deltawire_layers import DeadlineExceeded, current_deadline, kernels, sharing
from deltawire_service.engine.execute.tasks import Task, end_all
from deltawire_service.engine.plan.memory_plan import MOST_LATER

T = TypeVar("T")


class Later(Protocol):
    """Leaves a call to another thread."""

    def __call__(self, function: Callable[[], T], /) -> Callable[[], T] | None:
        """Return the function that waits for the call, and returns its result; None where all have enough."""


later: ContextVar[Later | None] = ContextVar("later", default=None)
"""Who computes what has time; None: nobody but this thread."""


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
        self._helpers = ThreadPoolExecutor(count - 1, "compute") if count > 1 else None
        self._left: list[Task[Any]] = []
        self._team: Any = None
        self._blas = ThreadpoolController().select(user_api="blas").lib_controllers if count > 1 else []

    def alone(self, compute: Callable[..., T], *arguments: Any) -> T:
        """Return `compute(*arguments)`, called in this thread; the others share its large work.

        They get what it leaves for later, too.
        """
        if self._helpers is None:
            return compute(*arguments)
        with self._own_turn():
            self._limit_blas()
            shared, left = sharing.sharing.set(self._share), later.set(self._later)
            team = sharing.team.set(self._kernel_team())
            try:
                return compute(*arguments)
            finally:
                sharing.sharing.reset(shared)
                sharing.team.reset(team)
                later.reset(left)
                end_all(self._left)

    def map(self, compute: Callable[..., T], items: Sequence[tuple[int, ...]]) -> Generator[T, None, None]:
        """Yield `compute(*item)` in the order of the items, each computed in one thread.

        At most `count` + 1 are computed or wait at a time. Close the generator if you do not take all
        results: the next request waits for that.
        """
        if self._helpers is None:
            for item in items:
                yield compute(*item)
            return
        with self._own_turn():
            self._limit_blas()
            calls = iter([partial(compute, *item) for item in items])
            # One more than there are threads: this one computes, too, and another may end before it does.
            waiting = [self._begun(call) for call in islice(calls, self.count + 1)]
            try:
                while waiting:
                    for task in waiting:
                        if waiting[0].ended():
                            break
                        task.begin()
                    result = waiting[0].result()
                    del waiting[0]
                    yield result
                    del result  # before the next one is waited for
                    waiting.extend(self._begun(call) for call in islice(calls, 1))
            finally:  # after a failure, or a close: no task may go on while the next request computes
                end_all(waiting)

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

    def _kernel_team(self) -> Any:
        """Return the threads that help kernels, started by the first call; None without kernels."""
        if self._team is None and kernels.compiled is not None:
            self._team = kernels.compiled.Team(self.count - 1)
        return self._team

    def _share(self, functions: Sequence[Callable[[], object]]) -> None:
        """Call functions in all threads, this one among them.

        Those that no other thread has begun are called here: to wake one takes longer than most functions.
        """
        tasks = [Task(function) for function in functions]

        def begin_all() -> None:
            for task in tasks:
                task.begin()
                if task.failed():
                    return

        for _ in range(min(self.count, len(functions)) - 1):
            self._help(begin_all)
        try:
            begin_all()
            for task in tasks:
                task.result()
        finally:
            end_all(tasks)

    def _later(self, function: Callable[[], T]) -> Callable[[], T] | None:
        """Leave a call to another thread, unless the others have enough."""
        left = self._left
        while left and left[0].ended():
            del left[0]
        if len(left) >= MOST_LATER * (self.count - 1):
            return None
        task = self._begun(function)
        left.append(task)
        return task.result

    def _begun(self, function: Callable[[], T]) -> Task[T]:
        """Return a task that a helper begins as soon as it is free."""
        task = Task(function)
        self._help(task.begin)
        return task

    def _help(self, function: Callable[[], None]) -> None:
        """Have a helper call a function as soon as it is free.

        Its context is like the caller's, since numpy's error handling is part of it. But it shares nothing
        itself: helpers would wait for each other.
        """
        assert self._helpers is not None
        context = copy_context()
        context.run(_share_nothing)
        self._helpers.submit(context.run, function)

    def limit_blas(self) -> None:
        """Set BLAS to one thread, as it is while these threads compute; with a single one, leave it alone."""
        if self._blas:
            with self._own_turn():
                self._limit_blas()

    def _limit_blas(self) -> None:
        """Set BLAS to one thread, once: its own threads would cut products by their number."""
        while self._blas:
            self._blas.pop().set_num_threads(1)


def _share_nothing() -> None:
    sharing.sharing.set(None)
    sharing.team.set(None)
    later.set(None)
