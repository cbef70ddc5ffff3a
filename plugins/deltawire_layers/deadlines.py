"""The deadline of the computation that runs now: a layer looks at it wherever one call may take long.

The deadline belongs to the computation, not to a layer: a layer without it would give the same numbers.
Looking takes a tenth of a microsecond, so a loop may look at every step, though not at every number.

Example:
    for t in range(steps):
        check_deadline()
        state = np.tanh(x[:, t] + state @ W)
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from math import inf
from time import monotonic
from typing import TypeVar

T = TypeVar("T")

_DEADLINE: ContextVar[float] = ContextVar("deadline", default=inf)

current_deadline = _DEADLINE.get
"""Return when the present computation has to end, as time.monotonic counts; infinity without a deadline."""


class DeadlineExceeded(Exception):
    """The deadline of the computation has passed."""


def check_deadline() -> None:
    """Raise DeadlineExceeded when the deadline of the present computation has passed."""
    if monotonic() > _DEADLINE.get():
        raise DeadlineExceeded


def set_deadline(deadline: float) -> None:
    """Set the deadline of the present context; `call_until` restores it around a call."""
    _DEADLINE.set(deadline)


def call_until(deadline: float, function: Callable[[], T]) -> T:
    """Call a function with a deadline, and return its result.

    Args:
        deadline: when it has to end, as time.monotonic counts.
        function: the function; what it calls in threads with a copy of its context has the deadline, too.

    Raises:
        DeadlineExceeded: the function looked at the deadline after it had passed.
    """
    token = _DEADLINE.set(deadline)
    try:
        return function()
    finally:
        _DEADLINE.reset(token)
