"""Run a check in a thread of its own, so that a call of the layer that does not return ends the check."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, copy_context
from math import inf
from threading import Event, Thread, get_ident
from time import monotonic
from typing import Any, TypeVar

T = TypeVar("T")

Calls = dict[int, tuple[str, float]]
"""The calls of a layer that run now: by thread, the closure and when it was called."""

_CALLS: ContextVar[Calls | None] = ContextVar("calls", default=None)

_LIMIT: ContextVar[float] = ContextVar("limit", default=inf)

_ABANDONED: ContextVar[Event | None] = ContextVar("abandoned", default=None)

LOOK = 0.05
"""Seconds between two looks at the calls that run."""


class Hang(Exception):
    """A call of a layer does not return.

    closure: what was called
    """

    def __init__(self, closure: str):
        super().__init__(closure)
        self.closure = closure


class Abandoned(BaseException):
    """A call has hung, and nobody waits for this check any more: it ends."""


def timed(closure: str, function: Callable[..., T], *args: Any) -> T:
    """Call a function of a layer, where `call_within` sees how long it takes.

    Args:
        closure: what is called, for messages.
        function: the function.
        args: its arguments.

    Raises:
        Abandoned: a call has hung, before this one or meanwhile.
    """
    calls = _CALLS.get()
    if calls is None:
        return function(*args)
    _end_abandoned()
    thread = get_ident()
    calls[thread] = closure, monotonic()
    try:
        result = function(*args)
    finally:
        calls.pop(thread, None)
    _end_abandoned()
    return result


def _end_abandoned() -> None:
    """End the check if nobody waits for it: a later check would see what it writes."""
    if is_abandoned():
        raise Abandoned


def time_limit() -> float:
    """Return how many seconds one call of the layer may take here."""
    return _LIMIT.get()


def is_abandoned() -> bool:
    """Return whether nobody waits for this check any more, because a call hung: others may run meanwhile."""
    abandoned = _ABANDONED.get()
    return abandoned is not None and abandoned.is_set()


def restart_clock() -> None:
    """Count the time of the call that runs in this thread from now on."""
    calls, thread = _CALLS.get(), get_ident()
    if calls is not None and thread in calls:
        calls[thread] = calls[thread][0], monotonic()


def start_daemon(function: Callable[[], None]) -> Thread:
    """Start a thread, with a copy of the present context, that does not keep the process from ending."""
    thread = Thread(target=copy_context().run, args=(function,), daemon=True)
    thread.start()
    return thread


def call_within(seconds: float, function: Callable[[], T]) -> T:
    """Call a function in another thread, and return its result.

    A thread cannot be stopped: one that hangs is left to itself, and ends with the process.

    Args:
        seconds: how long one call of a layer may take.
        function: the function; it calls the layer by `timed`.

    Raises:
        Hang: a call of the layer takes longer.
    """
    calls: Calls = {}
    results: list[T] = []
    errors: list[BaseException] = []
    ended, abandoned = Event(), Event()

    def work() -> None:
        _CALLS.set(calls)
        _LIMIT.set(seconds)
        _ABANDONED.set(abandoned)
        try:
            results.append(function())
        except BaseException as error:  # it belongs to the thread that waits
            errors.append(error)
        finally:
            ended.set()

    start_daemon(work)
    while not ended.wait(LOOK):
        for closure, start in list(calls.values()):
            if monotonic() - start > seconds:
                abandoned.set()
                raise Hang(closure)
    if errors:
        raise errors[0]
    return results[0]
