"""Actions in processes that are killed before a chosen line of our code."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from functools import cache
from tempfile import TemporaryFile
from types import CodeType, FrameType
from typing import Any, NamedTuple

PACKAGES = (
    *("deltawire_service/datasets/", "deltawire_service/models/", "deltawire_service/store/"),
    "deltawire_optimizers/",
)

Trace = Callable[[FrameType, str, object], Any]


class Execution(NamedTuple):
    """A line of a file, as it is executed for the first, second, … time."""

    file: str
    line: int
    number: int

    def __str__(self) -> str:
        name = next(self.file[self.file.index(each) :] for each in PACKAGES if each in self.file)
        return f"{name}:{self.line}, execution {self.number}"


def executions(action: Callable[[], object]) -> list[Execution]:
    """The first, second and last execution of each line of our code, in an action that a child does once.

    The child shares no connection and no lock with this process: close what is open before.
    """
    counts = Counter[tuple[str, int]]()

    def count(frame: FrameType, event: str, argument: object) -> Trace:
        counts[frame.f_code.co_filename, frame.f_lineno] += event == "line"
        return count

    with TemporaryFile() as file:

        def work() -> None:
            action()
            sys.settrace(None)
            os.write(file.fileno(), json.dumps([[*place, last] for place, last in counts.items()]).encode())

        assert not _died(work, _entering(_is_ours, count))
        file.seek(0)
        found = json.loads(file.read())
    return [
        Execution(path, line, number)
        for path, line, last in found
        for number in sorted({1, 2, last})
        if 0 < number <= last
    ]


def dies_before(action: Callable[[], object], execution: Execution) -> bool:
    """Do an action in a child, which is killed before a line is executed; False when it ended first."""

    @cache
    def has_line(code: CodeType) -> bool:
        return code.co_filename == execution.file and execution.line in {line for *_, line in code.co_lines()}

    return _died(action, _entering(has_line, _killer(execution.number, execution.line)))


def dies_before_line(action: Callable[[], object], number: int) -> bool:
    """Do an action in a child, which is killed before so many lines; False when it ended first."""
    return _died(action, _entering(_is_ours, _killer(number)))


def _killer(number: int, line: int | None = None) -> Trace:
    """A trace of lines that kills the process before one of them, or a line of this place, comes so often."""
    left = number

    def kill(frame: FrameType, event: str, argument: object) -> Trace:
        nonlocal left
        if event == "line" and line in (None, frame.f_lineno):
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return kill

    return kill


def _is_ours(code: CodeType) -> bool:
    return any(package in code.co_filename for package in PACKAGES)


def _entering(traced: Callable[[CodeType], bool], trace: Trace) -> Trace:
    """A trace of all calls, which traces the lines of some code only."""
    return lambda frame, event, argument: trace if traced(frame.f_code) else None


def _died(action: Callable[[], object], trace: Trace) -> bool:
    """Do an action in a traced child, and return whether it was killed."""
    child = os.fork()
    if child == 0:
        sys.settrace(trace)
        try:
            action()
        except BaseException:
            traceback.print_exc()
            os._exit(3)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    assert status == 0, f"the action failed: {status}"
    return False
