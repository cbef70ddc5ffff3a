"""The disk fails at the first, second, … call of a change of a model: it is made whole, or not at all.

    PYTHONPATH=tests python -m torture.disk_faults [--short]

Every call to the system and every statement of SQL of a change fails once: full, failing or read-only. The
caller gets one of the codes that are meant for this. Readers go on, and the request that comes again with its
Idempotency-Key is answered, with the change made exactly once.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from support.model_changes import CASES, Case, Trial, with_small_limits
from torture.crashes import MEMORY
from torture.load import arguments, report

from deltawire_service.store import database
from deltawire_service.store.errors import OutcomeUnknown, StoreFull, StoreUnavailable

CALLS = ("open", "posix_fallocate", "pwrite", "fsync", "fdatasync", "mkdir", "listdir")
NUMBERS = (errno.ENOSPC, errno.EIO, errno.EROFS)
RESULTS = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY)
EXPECTED = (StoreFull, StoreUnavailable, OutcomeUnknown)


class Failure:
    """Lets one call fail: the one with the number `at`, in one of three ways."""

    def __init__(self, at: int):
        self.at, self.calls, self.armed = at, 0, True

    def is_due(self) -> bool:
        self.calls += self.armed
        return self.armed and self.calls == self.at

    def failing(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """A call to the system that fails when its turn has come."""

        def fail_or_call(*arguments: Any, **named: Any) -> Any:
            if self.is_due():
                raise OSError(NUMBERS[self.at % 3], "made for a test")
            return call(*arguments, **named)

        return fail_or_call

    def connect(self, connect: Callable[[Path], sqlite3.Connection]) -> Callable[[Path], Any]:
        """A database whose statements fail when their turn has come."""
        return lambda path: FailingConnection(connect(path), self)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Let the calls of this process fail."""
        originals = {name: getattr(os, name) for name in CALLS}
        connect = vars(database)["_connect"]
        vars(database)["_connect"] = self.connect(connect)
        for name, original in originals.items():
            setattr(os, name, self.failing(original))
        try:
            yield
        finally:
            self.armed = False  # the store keeps its connections
            vars(database)["_connect"] = connect
            for name, original in originals.items():
                setattr(os, name, original)


class FailingConnection:
    """A connection to the database."""

    def __init__(self, connection: sqlite3.Connection, failure: Failure):
        self._connection, self._failure = connection, failure

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        if self._failure.is_due():
            error = sqlite3.OperationalError("made for a test")
            error.sqlite_errorcode = RESULTS[self._failure.at % 3]
            raise error
        return self._connection.execute(*arguments)

    def close(self) -> None:
        self._connection.close()


def fail_everywhere(case: Case, folder: Path, first: int, stride: int) -> tuple[int, list[str]]:
    """Let the calls of a change fail, one at a time; return how many did, and what was wrong afterwards.

    first, stride: the numbers of the calls.
    """
    trial, wrong = Trial(case, folder), list[str]()
    for tried, at in enumerate(count(first, stride)):
        failure = Failure(at)
        with trial.fresh() as store:
            with failure.installed():
                try:
                    case.change(store)
                except EXPECTED:
                    pass
                except Exception as error:
                    wrong.append(f"call {at}: {error!r}")
            # The same process goes on, with the locks and the slots that it had.
            wrong += [f"call {at}: {problem}" for problem in trial.problems(store)]
        with trial.opened() as store:
            wrong += [f"call {at}, another process: {problem}" for problem in trial.problems(store)]
        if failure.calls < at:
            return tried, wrong
    raise AssertionError("a change has no end")


def main() -> None:
    given = arguments("disk_faults")
    with_small_limits()
    failed, wrong = dict[str, int](), dict[str, list[str]]()
    stride = 7 if given.short else 1
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        for name, case in CASES.items():
            first = 1 + given.seed % stride
            failed[name], wrong[name] = fail_everywhere(case, Path(folder) / "store", first, stride)
    figures = {"seed": given.seed, "failed": failed, "wrong": wrong}
    report(figures, {f"whole: {name}": not found for name, found in wrong.items()})


if __name__ == "__main__":
    main()
