"""Rows of snapshots."""

from __future__ import annotations

from dataclasses import replace
from sqlite3 import Connection, IntegrityError

import pytest

from deltawire_service.store.tables import entries, models, snapshots
from deltawire_service.store.tables.entries import Entry
from deltawire_service.store.tables.models import ModelRow
from deltawire_service.store.tables.snapshots import SnapshotRow


def test_the_newest_snapshot_up_to_a_version_is_found(transaction: Connection, model: ModelRow) -> None:
    models.insert(transaction, model)
    for version in range(6):
        entries.append(transaction, model.id, Entry(version, "step", version, "{}", "{}", "f", 0.0))
    first, second = SnapshotRow(0, "a", "id", 0.1, 3.5), SnapshotRow(4, "b", "id", 0.1, 3.5)
    for snapshot in (first, second):
        snapshots.insert(transaction, model.id, snapshot)
    newest = [snapshots.newest(transaction, model.id, version) for version in (0, 3, 4, 9)]
    assert newest == [first, first, second, second]
    snapshots.insert(transaction, model.id, replace(second, file="c"))
    assert snapshots.files(transaction, model.id) == {"a", "c"}
    models.delete(transaction, model.id)
    assert snapshots.newest(transaction, model.id, 9) is None


def test_a_snapshot_is_one_of_an_entry(transaction: Connection, model: ModelRow) -> None:
    models.insert(transaction, model)
    with pytest.raises(IntegrityError):
        snapshots.insert(transaction, model.id, SnapshotRow(0, "a", "id", 0.1, 3.5))
