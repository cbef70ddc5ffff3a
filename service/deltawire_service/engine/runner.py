"""How a network's layers are called: at once, or by whoever bounds how many compute and for how long."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import Protocol, TypeVar

from deltawire_service.engine.plan.memory_plan import Plan

T = TypeVar("T")

OnComputeSeconds = Callable[[Mapping[str, float]], None]
"""Is told how many seconds the layers of each kind took."""


class Runner(Protocol):
    """Calls `compute(deadline)` once, there or in another thread, and gives back what it gives or raises.

    deadline: the time (time.monotonic) after which nothing more is computed: DeadlineExceeded is raised
    between two nodes. plan: what the computation takes, where that is known.
    """

    def __call__(self, compute: Callable[[float], T], plan: Plan | None = None) -> T: ...


def run_now(compute: Callable[[float], T], plan: Plan | None = None) -> T:
    """Here and now, for as long as it takes."""
    return compute(inf)


def ignore_seconds(seconds: Mapping[str, float]) -> None:
    """Nobody counts."""
