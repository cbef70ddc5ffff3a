"""Metrics of runs, for Prometheus: they are counted in the store when they are asked for.

All processes of a service see the same store, so these numbers are not added up over processes.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from deltawire_service.store.database import Database
from deltawire_service.store.errors import LockBusy, LockGone, StoreUnavailable
from deltawire_service.store.file_locks import shared_lock
from deltawire_service.store.folders import StoreFolder
from deltawire_service.store.tables import runs


class RunMetrics:
    """The runs of a store, and whether a process takes them.

    Args:
        folder: the folder of the store; None where the service keeps nothing: then no metric has a number.
        database: its database.
    """

    def __init__(self, folder: StoreFolder | None = None, database: Database | None = None):
        self._folder = folder
        self._database = database

    def collect(self) -> Iterator[Metric]:
        """Return the metrics for prometheus-client; without numbers while the disk cannot be read."""
        counted = GaugeMetricFamily("deltawire_runs", "Runs that are kept", labels=("state",))
        for state, count in self._count_runs().items():
            counted.add_metric([state], count)
        yield counted
        trainers = GaugeMetricFamily("deltawire_trainers", "Processes that take runs", labels=())
        if (alive := self._has_trainer()) is not None:
            trainers.add_metric([], alive)
        yield trainers

    def _count_runs(self) -> dict[str, int]:
        if self._database is None:
            return {}
        try:
            with self._database.reading() as transaction:
                return runs.count_by_state(transaction)
        except StoreUnavailable:  # the metrics of the disk's failures are asked for, too
            return {}

    def _has_trainer(self) -> bool | None:
        """Return whether a process has the lease; None where that cannot be known."""
        if self._folder is None:
            return None
        try:
            with shared_lock(self._folder.trainer_lock):
                return False
        except LockBusy:
            return True
        except (LockGone, StoreUnavailable):
            return None
