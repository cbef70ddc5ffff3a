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
    first, second = SnapshotRow(0, "a", "id", 0.1, 3.5, 7, 0), SnapshotRow(4, "b", "id", 0.1, 3.5, 7, 0)
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
        snapshots.insert(transaction, model.id, SnapshotRow(0, "a", "id", 0.1, 3.5, 7, 0))


def test_snapshots_before_a_version_are_removed(transaction: Connection, model: ModelRow) -> None:
    models.insert(transaction, model)
    rows = [SnapshotRow(version, str(version), "id", 0.1, 3.5, 7, version) for version in (0, 2, 4)]
    for row in reversed(rows):
        entries.append(transaction, model.id, Entry(row.version, "step", 0, "{}", "{}", "f", 0.0))
        snapshots.insert(transaction, model.id, row)
    assert snapshots.every(transaction, model.id) == rows
    snapshots.delete_before(transaction, model.id, 2)
    assert snapshots.every(transaction, model.id) == rows[1:]
