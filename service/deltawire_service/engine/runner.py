"""How a computation is started: at once by default, or by a queue that bounds number and time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from deltawire_service.engine.plan.memory_plan import Plan

T = TypeVar("T")

OnComputeSeconds = Callable[[Mapping[str, float]], None]
"""A callback that takes the seconds spent in the layers of each kind."""


class Runner(Protocol):
    """Calls `compute()` once, in this thread or another, and returns or raises what it does.

    It may set a deadline (`call_until`); then `compute` raises DeadlineExceeded some time after it.
    """

    def __call__(self, compute: Callable[[], T], plan: Plan | None = None) -> T:
        """Run a computation.

        plan: memory and cost of the computation, where they are known.
        """


def run_now(compute: Callable[[], T], plan: Plan | None = None) -> T:
    """Run a computation at once in this thread."""
    return compute()


def ignore_seconds(seconds: Mapping[str, float]) -> None:
    """Count no compute seconds: the default of `OnComputeSeconds`."""
