"""Rows of keys."""

from __future__ import annotations

from dataclasses import replace
from sqlite3 import Connection, IntegrityError

import pytest

from deltawire_service.store.tables import idempotency_keys, models
from deltawire_service.store.tables.idempotency_keys import Answered, RequestKey
from deltawire_service.store.tables.models import ModelRow

KEY = RequestKey("anna", "key", b"digest")


def test_a_key_is_used_once_by_each_owner_and_outlives_its_model(
    transaction: Connection, model: ModelRow
) -> None:
    models.insert(transaction, model)
    idempotency_keys.insert(transaction, KEY, model.id, "{}", 0.0)
    with pytest.raises(IntegrityError):
        idempotency_keys.insert(transaction, replace(KEY, digest=b"other"), model.id, "{}", 0.0)
    assert idempotency_keys.find(transaction, replace(KEY, owner="ben")) is None
    models.delete(transaction, model.id)
    assert idempotency_keys.find(transaction, KEY) == Answered(b"digest", model.id, "{}")


def keys_of(transaction: Connection, owner: str) -> list[int]:
    rows = transaction.execute("SELECT key FROM idempotency_keys WHERE owner = ? ORDER BY number", (owner,))
    return [int(row["key"]) for row in rows]


@pytest.mark.parametrize(
    "keep, since, most, kept",
    [(9, 0.0, 9, 0), (4, 0.0, 9, 2), (4, 0.0, 1, 1), (9, 3.0, 9, 3), (9, 99.0, 2, 2)],
)
def test_the_oldest_keys_of_an_owner_are_removed(
    transaction: Connection, keep: int, since: float, most: int, kept: int
) -> None:
    for number in range(6):
        for owner in ("anna", "ben"):
            key = RequestKey(owner, str(number), b"digest")
            idempotency_keys.insert(transaction, key, "1a", "{}", float(number))
    assert idempotency_keys.prune(transaction, "anna", keep, since, most) == kept
    assert keys_of(transaction, "anna") == list(range(kept, 6))
    assert keys_of(transaction, "ben") == list(range(6))
    assert sorted(idempotency_keys.owners(transaction)) == ["anna", "ben"]
