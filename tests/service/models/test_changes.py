"""A change and its key are committed together; the answer is found by the key."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from sqlite3 import Connection
from typing import Any

import pytest
from support.models import OWNER, create

from deltawire_service.models.changes import Change, change_once, commit, find_answer
from deltawire_service.models.errors import ModelNotFound
from deltawire_service.models.model_store import ModelStore
from deltawire_service.store.errors import KeyReused
from deltawire_service.store.tables import entries, models
from deltawire_service.store.tables.idempotency_keys import RequestKey
from deltawire_service.store.tables.models import ModelRow, RowChanged

KEY = RequestKey(OWNER, "key", b"digest")


def test_a_change_that_cannot_be_made_leaves_no_key(store: ModelStore) -> None:
    create(store)
    row = store.find(OWNER, "model")
    stale = ModelRow(**{**vars(row), "version": 3})
    with pytest.raises(RowChanged):
        commit(store, Change(stale, stale), inf, KEY, {"version": 1})
    assert find_answer(store, KEY, "model") is None
    commit(store, Change(row, row), inf, KEY, {"loss": 0.1})
    assert find_answer(store, KEY, "model") == {"loss": 0.1, "replayed": True}
    assert find_answer(store, None, "model") is None
    with pytest.raises(KeyReused):
        find_answer(store, RequestKey(OWNER, "key", b"other"), "model")


def test_the_answer_is_looked_up_again_under_the_lock(store: ModelStore) -> None:
    create(store)
    row = store.find(OWNER, "model")
    made = list[int]()

    def change(row: ModelRow) -> dict[str, Any]:
        made.append(row.version)
        commit(store, Change(row, row), inf, KEY, {"loss": 0.1})
        return {"loss": 0.1}

    twin = change_once(store, OWNER, "model", inf, None, lambda _: change(row))
    assert change_once(store, OWNER, "model", inf, KEY, change) == twin | {"replayed": True}
    assert made == [0]
    with pytest.raises(ModelNotFound):
        change_once(store, OWNER, "none", inf, None, change)


def test_a_change_may_have_several_entries_and_change_another_table(store: ModelStore) -> None:
    create(store)
    row = store.find(OWNER, "model")
    with store.database.reading() as transaction:
        (created,) = entries.page(transaction, row.id, -1, 9)
    added = [replace(created, version=version, kind="step", step=version) for version in (1, 2, 3)]
    change = Change(row, replace(row, version=3), added)

    def fail(transaction: Connection) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        commit(store, change, inf, also=fail)
    assert store.find(OWNER, "model") == row
    seen = list[int]()
    commit(store, change, inf, also=lambda transaction: seen.append(models.every(transaction)[0].version))
    assert seen == [3]
    with store.database.reading() as transaction:
        assert entries.page(transaction, row.id, 0, 9) == added
