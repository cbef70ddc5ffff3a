"""Answers to requests with an Idempotency-Key: stored with each change, and removed when they are old."""

from __future__ import annotations

from sqlite3 import Connection
from time import monotonic

from deltawire_service.store.database import Database
from deltawire_service.store.limits import StoreLimits
from deltawire_service.store.slot_files import boot_id
from deltawire_service.store.tables import idempotency_keys, uptime
from deltawire_service.store.tables.idempotency_keys import RequestKey
from deltawire_service.store.tables.uptime import Moment

PRUNED = 2
"""Answers that are removed with each one that is stored, at most."""

PORTION = 256
"""Answers that are removed at once otherwise: other writers get their turn between two portions."""


class StoredAnswers:
    """The answers of a store. Shared between threads.

    Args:
        limits: how many are kept, and for how long.
    """

    def __init__(self, limits: StoreLimits):
        self._limits = limits
        self._started = monotonic()

    def insert(self, transaction: Connection, key: RequestKey, model_id: str, answer: str) -> None:
        """Store the answer to a request, and remove some answers that are too old.

        Args:
            transaction: that of the change which was asked for.
            key: the key of the request.
            model_id: the model that is changed.
            answer: the answer, as JSON.
        """
        now = self._uptime(transaction)
        idempotency_keys.insert(transaction, key, model_id, answer, now)
        self._prune(transaction, key.owner, now, PRUNED)

    def prune(self, database: Database) -> None:
        """Remove all answers that are too old. Raises StoreFull or StoreUnavailable."""
        with database.reading() as transaction:
            owners = idempotency_keys.owners(transaction)
        for owner in owners:
            removed = PORTION
            while removed == PORTION:
                with database.writing() as transaction:
                    removed = self._prune(transaction, owner, self._uptime(transaction), PORTION)

    def _prune(self, transaction: Connection, owner: str, now: float, most: int) -> int:
        since = now - self._limits.key_seconds
        return idempotency_keys.prune(transaction, owner, self._limits.keys_per_owner, since, most)

    def _uptime(self, transaction: Connection) -> float:
        return uptime.count(transaction, Moment(boot_id(), self._started, monotonic()))
