"""The process that takes runs: `python -m deltawire_service.training`.

    python -m deltawire_service.training [--parent PID] [--metrics FOLDER]

The service starts it, and `deltawire trainer` becomes it. Settings come from the environment. It ends at
SIGTERM or SIGINT, after the commit of what it has computed; and when its parent, if named, has ended.
"""

from __future__ import annotations

import argparse
import os
import signal
from types import FrameType

from deltawire_service.observability.logs import make_log
from deltawire_service.observability.metrics import Metrics
from deltawire_service.settings import Settings
from deltawire_service.training.starting import make_store
from deltawire_service.training.trainer import Trainer
from deltawire_service.training.watchdog import Watchdog

NICENESS = 10
"""How much this process gives way to those that answer requests."""

PATIENCE = 10
"""How much longer a step may take here than in a request, for busy workers leave this process little time."""


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


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deltawire_service.training")
    parser.add_argument("--parent", type=int, help="end when this process, which started it, has ended")
    parser.add_argument("--metrics", help="a folder in which the service shares its counts")
    given = parser.parse_args()
    stop = Stop(given.parent)
    os.nice(NICENESS)
    settings = Settings.from_environment()
    log = make_log(settings.log_level)
    metrics = Metrics(lambda: 0)
    if given.metrics:
        metrics.share(given.metrics)
    store = make_store(settings, metrics)
    try:
        longest = PATIENCE * (settings.deadline_seconds + settings.hang_seconds)
        Trainer(store, log, stop, Watchdog(longest)).work()
    finally:
        store.close()
        metrics.leave()


if __name__ == "__main__":
    main()
