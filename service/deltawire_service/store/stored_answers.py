"""Answers to requests with an Idempotency-Key: stored with each change, and removed when they are old."""

from __future__ import annotations

import json
from sqlite3 import Connection
from time import monotonic
from typing import Any, Protocol

from deltawire_service.store.database import Database
from deltawire_service.store.errors import KeyReused
from deltawire_service.store.limits import StoreLimits
from deltawire_service.store.slot_files import boot_id
from deltawire_service.store.tables import idempotency_keys, uptime
from deltawire_service.store.tables.idempotency_keys import Answered, RequestKey
from deltawire_service.store.tables.uptime import Moment

PRUNED = 2
"""Answers that are removed with each one that is stored, at most."""

PORTION = 256
"""Answers that are removed at once otherwise: other writers get their turn between two portions."""


ANOTHER_REQUEST = "this Idempotency-Key came before with another request: use a new key for each"


class Named(Protocol):
    """A model or a dataset."""

    @property
    def id(self) -> str:
        """Its id, which is never used again."""

    @property
    def name(self) -> str:
        """Its name, which another one may have later."""


def read_answer(
    key: RequestKey, answered: Answered, present: Named | None, kind: str = "model"
) -> dict[str, Any]:
    """Return a stored answer, marked as replayed.

    Args:
        key: the key of the request that comes now.
        answered: the request that came with this key before.
        present: what the name of the request means now.
        kind: the word for it.

    Raises:
        KeyReused: the requests differ, or the name means another one by now.
    """
    if answered.digest != key.digest:
        raise KeyReused(ANOTHER_REQUEST)
    if present is not None and present.id != answered.model_id:
        raise KeyReused(f"this request was answered for an earlier {kind} '{present.name}', which is deleted")
    answer: dict[str, Any] = json.loads(answered.answer)
    return answer | {"replayed": True}


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
