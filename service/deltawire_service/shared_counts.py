"""The folder in which worker processes count together: made, read, tidied and removed.

prometheus-client keeps a file for each process and kind of metric there, and adds them up when it is asked.
It looks for the folder in an environment variable while it is imported, so nothing here imports it early.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
ENDED = "ended"
"""In place of a process's number: the counts of all that have ended."""


def make_folder(within: str | None) -> str:
    """A private folder for the children of this process, removed when it ends. within: None for $TMPDIR."""
    folder, maker = mkdtemp(prefix="deltawire-metrics-", dir=within), os.getpid()

    def remove() -> None:
        if os.getpid() == maker:  # not where a forked worker ends
            rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder


def collected(own: CollectorRegistry) -> CollectorRegistry:
    """The counts of all processes; where none are shared, this one's."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        return own
    from prometheus_client import CollectorRegistry, Metric
    from prometheus_client.multiprocess import MultiProcessCollector

    class Read:
        """Metrics as they were while the folder was locked."""

        def __init__(self, metrics: list[Metric]):
            self._metrics = metrics

        def collect(self) -> Iterator[Metric]:
            return iter(self._metrics)

    with _locked(folder):
        collector = MultiProcessCollector(None, folder)  # type: ignore[no-untyped-call]
        metrics = list(collector.collect())  # type: ignore[no-untyped-call]
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Read(metrics))
    return registry


def tidy(folder: str, alive: Collection[int]) -> None:
    """Add the files of processes that have ended to one, so that workers may come and go for years.

    What a gauge says of a process ends with it. When somebody is reading, nothing is done: the files are as
    right where they are, and there is a next time. The process that makes workers must not wait for one.
    """
    from prometheus_client.mmap_dict import MmapedDict

    try:
        with _locked(folder, alone=True):
            for file in list(Path(folder).glob("*_*.db")):
                kind, _, process = file.stem.rpartition("_")
                if process == ENDED or int(process) in alive:
                    continue
                if not kind.startswith("gauge"):
                    whole = MmapedDict(f"{folder}/{kind}_{ENDED}.db")  # type: ignore[no-untyped-call]
                    for key, value, _, _ in MmapedDict.read_all_values_from_file(str(file)):  # type: ignore[no-untyped-call]
                        before, _ = whole.read_value(key)  # type: ignore[no-untyped-call]
                        whole.write_value(key, before + value, 0.0)  # type: ignore[no-untyped-call]
                    whole.close()  # type: ignore[no-untyped-call]
                file.unlink()
    except BlockingIOError:
        pass


@contextmanager
def _locked(folder: str, alone: bool = False) -> Iterator[None]:
    """alone: or not at all, BlockingIOError then."""
    from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock  # Windows has none, and nothing to share

    opened = os.open(folder, os.O_RDONLY)
    try:
        flock(opened, LOCK_EX | LOCK_NB if alone else LOCK_SH)
        yield
    finally:
        os.close(opened)
