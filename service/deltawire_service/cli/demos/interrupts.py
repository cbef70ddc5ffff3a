"""Signals that end a demo: what it has started is stopped first."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, `kill`, and a terminal that is closed."""

Handler = Callable[[int, FrameType | None], None]


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Raise KeyboardInterrupt in the block for every signal that ends a program, as Ctrl-C does."""
    with _handled_by(_interrupt):
        yield


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Finish the block before a signal that ends the program takes effect.

    Raises:
        KeyboardInterrupt: After the block, when such a signal has come.
    """
    came = list[int]()
    with _handled_by(lambda number, frame: came.append(number)):
        yield
    if came:
        raise KeyboardInterrupt


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def _handled_by(handler: Handler) -> Iterator[None]:
    """Handle the signals that end a program; one that is ignored, as `nohup` has it, stays ignored."""
    heard = [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in heard}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
