"""The caretaker of a worker: it recovers all models at the start, and sweeps the store now and then."""

from __future__ import annotations

from threading import Event, Thread

from structlog.typing import FilteringBoundLogger

from deltawire_service.models.maintenance.recovery import recover_all
from deltawire_service.models.maintenance.sweeps import sweep
from deltawire_service.models.model_store import ModelStore

SWEEP_SECONDS = 3600.0


class Caretaker(Thread):
    """A thread for the care of all models, which several processes may have at once.

    It is a daemon: when it hangs in a plugin's layer, its process ends all the same.

    Args:
        store: the models.
        log: gets a line for whatever fails.
        sweep_seconds: how long it waits between two sweeps.
    """

    def __init__(self, store: ModelStore, log: FilteringBoundLogger, sweep_seconds: float = SWEEP_SECONDS):
        super().__init__(name="caretaker", daemon=True)
        self._store = store
        self._log = log
        self._sweep_seconds = sweep_seconds
        self._recovered = Event()
        self._stopped = Event()

    def is_recovering(self) -> bool:
        """Return whether some models are perhaps not sound yet."""
        return not self._recovered.is_set()

    def stop(self) -> None:
        """Have the thread end before its next sweep."""
        self._stopped.set()

    def run(self) -> None:
        """Recover all models, then sweep until the end."""
        try:
            recover_all(self._store, self._log)
        finally:
            self._recovered.set()
        while not self._stopped.wait(self._sweep_seconds):
            try:
                sweep(self._store)
            except Exception as error:  # the next sweep may be better
                self._log.error("not swept", exc_info=error)
