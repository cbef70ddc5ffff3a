"""The process that takes runs: `python -m deltawire_service.training`.

    python -m deltawire_service.training [--parent PID] [--metrics FOLDER] [--memory DESCRIPTOR]

The service starts it, and `deltawire trainer` becomes it. Settings come from the environment. It ends at
SIGTERM or SIGINT, after the commit of what it has computed; and when its parent, if named, has ended.
"""

from __future__ import annotations

import argparse
import os
import signal
from contextlib import suppress
from pathlib import Path
from types import FrameType

from deltawire_service.admission.memory_shares import TRAINER, MemoryShares
from deltawire_service.observability.logs import make_log
from deltawire_service.observability.metrics import Metrics
from deltawire_service.settings import Settings
from deltawire_service.store.folders import StoreFolder
from deltawire_service.training.guard import Guard
from deltawire_service.training.starting import make_store
from deltawire_service.training.trainer import Trainer
from deltawire_service.training.watchdog import Watchdog

NICENESS = 19
"""How much this process gives way to those that answer requests, where the system has no SCHED_IDLE."""

PROCESSOR_PATIENCE = 4
"""How many times as much of a processor a step may take as a request has seconds."""

PATIENCE = 360
"""How many times as long it may take: busy workers leave this process a 340th of a processor."""


class Stop:
    """Whether the process is to end: after a signal, or the end of its parent.

    Args:
        parent: the id of the process that started this one; None for any.
    """

    def __init__(self, parent: int | None):
        self._parent = parent
        self._signalled = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._handle)
        # Whoever started this process may have held its signals back.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT))

    def __call__(self) -> bool:
        return self._signalled or self._parent not in (None, os.getppid())

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._signalled = True


def give_way() -> None:
    """Let every other process go first: one that wakes up takes the processor from this one at once."""
    os.nice(NICENESS)
    if hasattr(os, "SCHED_IDLE"):
        with suppress(PermissionError):  # in a container that forbids it, the niceness is left
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deltawire_service.training")
    parser.add_argument("--parent", type=int, help="end when this process, which started it, has ended")
    parser.add_argument("--metrics", help="a folder in which the service shares its counts")
    parser.add_argument("--memory", type=int, help="a page in which the service shares what it holds")
    given = parser.parse_args()
    stop = Stop(given.parent)
    give_way()
    settings = Settings.from_environment()
    log = make_log(settings.log_level)
    metrics = Metrics(lambda: 0)
    if given.metrics:
        metrics.share(given.metrics)
    seconds = settings.deadline_seconds + settings.hang_seconds
    watchdog = Watchdog(
        PATIENCE * seconds,
        PROCESSOR_PATIENCE * settings.trainer_threads * seconds,
        StoreFolder(Path(settings.data_dir)).hang_report,
    )
    memory = None if given.memory is None else MemoryShares(given.memory).share(TRAINER)
    guard = Guard(watchdog, memory)
    store = make_store(settings, metrics, guard)
    try:
        Trainer(store, log, stop, guard).work()
    finally:
        store.close()
        metrics.leave()


if __name__ == "__main__":
    main()
