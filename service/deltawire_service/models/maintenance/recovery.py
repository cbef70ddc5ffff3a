"""Recovery: every model is made sound before the service is ready, so that no request waits for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from structlog.typing import FilteringBoundLogger

from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.newest import is_sound, recover
from deltawire_service.store.errors import LockGone, StoreUnavailable
from deltawire_service.store.tables import models


@dataclass
class Recovered:
    """The models of a store, as they were found.

    Attributes:
        sound: number of models whose newest version was in its slot.
        recovered: ids of models whose newest version was computed again.
        failed: ids of models that could not be made sound, with the reason; requests to them fail like this.
    """

    sound: int = 0
    recovered: list[str] = field(default_factory=list)
    failed: dict[str, Exception] = field(default_factory=dict)


def recover_all(store: ModelStore, log: FilteringBoundLogger, deadline: float = inf) -> Recovered:
    """Compute the newest version again of every model whose slot does not have it.

    A model that cannot be made sound is logged, and does not stop the others. So is a database that cannot be
    read: then requests are answered with the reason. Several processes may do this
    at once: each model is recovered by one of them.

    Args:
        store: the models.
        log: gets a line for every model that was not sound.
        deadline: when to stop waiting for models that others change, as time.monotonic counts.
    """
    result = Recovered()
    try:
        with store.database.reading() as transaction:
            rows = models.every(transaction)
    except StoreUnavailable as error:
        log.error("models not looked at", exc_info=error)
        return result
    for row in rows:
        try:
            if not is_sound(store, row) and _recover(store, row.id, deadline):
                result.recovered.append(row.id)
                log.info("recovered", model=row.id)
            else:
                result.sound += 1
        except Exception as error:  # a damaged file or a plugin's layer may raise anything
            result.failed[row.id] = error
            log.error("not recovered", model=row.id, exc_info=error)
    return result


def _recover(store: ModelStore, model_id: str, deadline: float) -> bool:
    """Make a model sound under its lock, and return whether it was not."""
    try:
        with store.locks.exclusive(store.folder_of(model_id).lock, deadline):
            with store.database.reading() as transaction:
                row = models.get(transaction, model_id)
            if row is None or is_sound(store, row):
                return False
            recover(store, row, deadline)
            return True
    except LockGone:
        with store.database.reading() as transaction:
            if models.get(transaction, model_id) is None:
                return False  # it was deleted meanwhile
        raise
