"""Check rule 1, pure: another pass of the layer may run at any moment between the steps of this one.

Threads that run at random meet at a mistake seldom. Here the meetings are arranged: a pass stops after every
instruction that may write something, and another thread computes a whole pass of other numbers meanwhile.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import pairwise
from queue import SimpleQueue
from threading import Event
from time import monotonic, process_time
from types import CodeType, FrameType
from typing import Any

from deltawire_layers.kit.errors import ConformanceError
from deltawire_layers.kit.hangs import restart_clock, start_daemon, time_limit
from deltawire_layers.kit.points import Point
from deltawire_layers.kit.purity.calls import THREADS, bits, changed, of_threads, same_bits
from deltawire_layers.kit.trial import Pass, Trial, read_only

PATIENCE = (2.0, 0.02)
"""Seconds to wait for the other pass, at first, and once it has waited for a lock that this one holds."""

MOST_WORK = 3.0
"""Seconds of the processor after which a pass is stopped no more: those of a busy machine do not count."""

LONGEST = 20.0
"""Seconds by the clock after which a pass is stopped no more."""

WRITES = ("CALL", "STORE_", "DELETE_", "LIST_APPEND", "SET_ADD", "MAP_ADD")
"""Beginnings of instructions after which something may be written that other threads see."""

LOCAL = "STORE_FAST"

LIBRARIES = ("numpy", "jax", "jaxlib", "torch", "autograd", "threading", "contextlib", "deltawire_layers.kit")
"""Modules in which a pass is not stopped: they have locks of their own."""


def interleaved(trial: Trial, point: Point) -> None:
    """Check that a pass returns the same bits when another one runs between any two of its steps.

    Raises:
        ConformanceError: either pass gets other numbers, or an exception.
    """
    other = changed(point)
    right, others = (bits(trial.forward(each).results()) for each in (point, other))
    meanwhile = _Meanwhile(lambda: same_bits(trial, 1, others, bits(trial.forward(other).results()), THREADS))
    try:
        _between_calls(trial, point, right, meanwhile)
        with _stopped(meanwhile):
            results = bits(trial.forward(point).results())
    except ConformanceError as error:
        raise of_threads(trial, error) from error
    finally:
        meanwhile.end()
    if meanwhile.errors:
        raise of_threads(trial, meanwhile.errors[0])
    same_bits(trial, 1, right, results, THREADS)


def _between_calls(trial: Trial, point: Point, right: dict[str, bytes], meanwhile: _Meanwhile) -> None:
    """Run the other pass after the forward pass, and after the signal, before any equation is called."""
    run = trial.forward(point)
    meanwhile.run()
    same_bits(trial, 1, right, {"value": run.value.tobytes()}, "is overwritten by a pass in another thread")

    def signal(delta: Any) -> Any:
        result = run.signal(delta)
        run.signal(read_only(-2 * delta))  # that of another backward pass
        meanwhile.run()
        return result

    watched = Pass(trial, run.given, run.value, signal, run.equations)
    same_bits(trial, 1, right, bits(watched.backward()), THREADS)


class _Meanwhile:
    """A thread that runs a function as often as asked, while the asking one waits."""

    def __init__(self, function: Callable[[], None]):
        self.errors: list[BaseException] = []
        self._function = function
        self._wanted = SimpleQueue[bool]()
        self._idle = Event()
        self._idle.set()
        self._patience = min(PATIENCE[0], time_limit() / 4)
        self._until = monotonic() + LONGEST
        self._work_until = process_time() + MOST_WORK
        start_daemon(self._work)

    def run(self) -> None:
        """Run the function once, unless it still runs, has failed, or has taken too long already."""
        late = monotonic() > self._until or process_time() > self._work_until
        if not self._idle.is_set() or self.errors or late:
            return
        self._idle.clear()
        self._wanted.put(True)
        if not self._idle.wait(self._patience):
            self._patience = min(self._patience, PATIENCE[1])
        restart_clock()

    def end(self) -> None:
        """Let the thread end, after what it runs now."""
        self._wanted.put(False)
        self._idle.wait(PATIENCE[0])

    def _work(self) -> None:
        while self._wanted.get():
            try:
                self._function()
            except BaseException as error:  # it belongs to the thread that waits
                self.errors.append(error)
            finally:
                self._idle.set()


@contextmanager
def _stopped(meanwhile: _Meanwhile) -> Iterator[None]:
    """Stop what this thread runs after each instruction that may write, at its first time."""
    seen = set[tuple[CodeType, int]]()

    def at_instruction(frame: FrameType, event: str, _: Any) -> Any:
        place = frame.f_code, frame.f_lasti
        if event == "opcode" and frame.f_lasti in _after_writes(frame.f_code) and place not in seen:
            seen.add(place)
            meanwhile.run()
        return at_instruction

    def at_call(frame: FrameType, event: str, _: Any) -> Any:
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith(LIBRARIES):
            return None
        frame.f_trace_opcodes = True
        return at_instruction

    before = sys.gettrace()
    sys.settrace(at_call)
    try:
        yield
    finally:
        sys.settrace(before)


@lru_cache(512)
def _after_writes(code: CodeType) -> frozenset[int]:
    """Return the places of the instructions that follow one which may write."""
    return frozenset(
        after.offset
        for before, after in pairwise(dis.get_instructions(code))
        if (before.opname.startswith(WRITES) and before.opname != LOCAL)
        or (before.opname == "BINARY_OP" and before.argrepr.endswith("="))
    )
