"""The folder in which worker processes share their counts: a file for each.

A worker rewrites its file a moment after its counts have changed, so that no request waits for a file. It
also does so before it answers a scrape: counts that were once shown never decrease, however the worker ends.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from threading import Lock, Thread
from time import sleep
from typing import NamedTuple

import orjson

MOMENT = 0.5
"""Seconds between two checks for changed counts."""

ENDED = "ended"
"""In place of a process id: the file with the counts of all processes that have ended."""

Series = dict[tuple[str, ...], list[float]]
"""Numbers by the values of their labels."""


class Counts(NamedTuple):
    """The numbers of a process, by metric."""

    counted: dict[str, Series]
    now: dict[str, Series]
    """Gauges: they end with the process."""

    def written(self) -> bytes:
        """Return the counts as JSON, which has no tuples for keys."""
        return orjson.dumps([{name: list(series.items()) for name, series in part.items()} for part in self])


def read(text: bytes) -> Counts:
    """Read what `Counts.written` has written."""
    counted, now = (
        {name: {tuple(labels): numbers for labels, numbers in series} for name, series in part.items()}
        for part in orjson.loads(text)
    )
    return Counts(counted, now)


def total(counts: Iterable[Counts]) -> Counts:
    """Return the sum of each number."""
    sums = Counts(defaultdict(dict), defaultdict(dict))
    for each in counts:
        for part, more in zip(sums, each, strict=True):
            for name, series in more.items():
                for labels, numbers in series.items():
                    before = part[name].get(labels, [0] * len(numbers))
                    part[name][labels] = [a + b for a, b in zip(before, numbers, strict=True)]
    return sums


class MultiprocessCounts:
    """The counts of this process among those of all.

    Args:
        folder: a folder of `make_folder`, made before the processes were forked.
        own: returns what this process has counted until now.
    """

    def __init__(self, folder: str, own: Callable[[], Counts]):
        self._folder = Path(folder)
        self._own = own
        # Process ids are used again, and the counts of an earlier process must stay.
        self._file = self._folder / f"{os.getpid()}-{token_hex(4)}.json"
        self._written = b""
        self._lock = Lock()
        Thread(target=self._keep_written, name="counts", daemon=True).start()

    def write(self) -> None:
        """Rewrite the file of this process, if its counts have changed."""
        with self._lock:
            text = self._own().written()
            if text != self._written:
                _replace(self._file, text)
                self._written = text

    def all(self) -> Counts:
        """Return the counts of all processes, including those that have ended."""
        with suppress(OSError):  # there is no room for them now
            self.write()
        with _locked(self._folder):
            others = [file for file in self._folder.glob("*.json") if file != self._file]
            return total([self._own(), *(read(file.read_bytes()) for file in others)])

    def _keep_written(self) -> None:
        while True:
            with suppress(OSError):  # the folder is full or gone: the counts stay in memory
                self.write()
            sleep(MOMENT)


def tidy(folder: str, alive: Collection[int]) -> None:
    """Add up the files of processes that have ended, so that workers may come and go for years.

    Nothing is done while another process reads: the files are right as they are, and the process that makes
    workers must not wait for one.

    folder: path of the folder. alive: ids of the processes that live.
    """
    try:
        with _locked(Path(folder), alone=True):
            living = tuple(f"{process}-" for process in alive)
            files = [file for file in Path(folder).iterdir() if not file.name.startswith(living)]
            whole = [file for file in files if file.suffix == ".json"]  # not one that was being written
            ended = total(read(file.read_bytes()) for file in whole)
            _replace(Path(folder) / f"{ENDED}.json", Counts(ended.counted, {}).written())
            for file in files:
                if file.stem != ENDED:
                    file.unlink()
    except BlockingIOError:
        pass


def _replace(file: Path, text: bytes) -> None:
    """Write a file so that readers see all of the old one, or all of the new one."""
    new = file.with_suffix(".new")
    try:
        new.write_bytes(text)
        new.replace(file)
    except OSError:
        new.unlink(missing_ok=True)
        raise


@contextmanager
def _locked(folder: Path, alone: bool = False) -> Iterator[None]:
    """Hold a lock on the folder; alone: exclusively, or raise BlockingIOError at once."""
    from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock  # Windows has none, and nothing to share

    opened = os.open(folder, os.O_RDONLY)
    try:
        flock(opened, LOCK_EX | LOCK_NB if alone else LOCK_SH)
        yield
    finally:
        os.close(opened)
