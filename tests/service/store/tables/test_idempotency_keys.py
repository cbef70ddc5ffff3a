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
    idempotency_keys.insert(transaction, KEY, model.id, "{}")
    with pytest.raises(IntegrityError):
        idempotency_keys.insert(transaction, replace(KEY, digest=b"other"), model.id, "{}")
    assert idempotency_keys.find(transaction, replace(KEY, owner="ben")) is None
    models.delete(transaction, model.id)
    assert idempotency_keys.find(transaction, KEY) == Answered(b"digest", model.id, "{}")
