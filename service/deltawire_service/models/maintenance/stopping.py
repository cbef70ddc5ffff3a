"""The end of a service that keeps models: a snapshot of each, so that the next start replays nothing."""

from __future__ import annotations

from time import monotonic

from structlog.typing import FilteringBoundLogger

from deltawire.errors import Refused
from deltawire_service.faults import ServiceError
from deltawire_service.models.changes import Change, commit
from deltawire_service.models.errors import ModelNotFound
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.newest import read_newest, take_snapshot
from deltawire_service.store.errors import LockBusy
from deltawire_service.store.tables import models


def snapshot_changed(store: ModelStore, log: FilteringBoundLogger, until: float) -> int:
    """Take a snapshot of every model that has changed since its last one.

    A model is left out where its snapshot would end too late, or where others are at work on it. One that
    fails is logged, and does not stop the others. The next start replays the steps of all these.

    Args:
        store: the models.
        log: gets a line for every model that fails.
        until: when to end, as time.monotonic counts.

    Returns:
        The number of snapshots.

    Raises:
        StoreUnavailable: the database cannot be read.
    """
    with store.database.reading() as transaction:
        known = models.identifiers(transaction)
    taken = 0
    for model_id in sorted(known):
        try:
            taken += _snapshot(store, model_id, until)
        except (LockBusy, ModelNotFound):
            continue
        except (ServiceError, Refused) as error:  # a full disk, or a layer that is not installed any more
            log.error("no snapshot", model=model_id, exc_info=error)
    return taken


def _snapshot(store: ModelStore, model_id: str, until: float) -> bool:
    with store.database.reading() as transaction:
        row = models.get(transaction, model_id)
    if row is None:
        return False
    with store.locked(row.owner, row.name, monotonic()) as row, read_newest(store, row) as newest:
        if newest is None or newest.snapshot.version == row.version:
            return False
        if monotonic() + newest.snapshot.seconds > until:
            return False
        snapshot = take_snapshot(store, row, newest.entry, newest.numbers)
        commit(store, Change(row, row, snapshot=snapshot), until)
    return True
