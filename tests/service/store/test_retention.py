"""The past of a model that is kept begins at a snapshot, and everything from there on fits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deltawire_service.store.database import Database
from deltawire_service.store.limits import StoreLimits
from deltawire_service.store.retention import PORTION, move_floor, prune
from deltawire_service.store.tables import entries, models, snapshots
from deltawire_service.store.tables.entries import Entry
from deltawire_service.store.tables.models import ModelRow
from deltawire_service.store.tables.snapshots import SnapshotRow

STEPS, BATCH, EVERY, SNAPSHOT = 60, 10, 10, 50


@pytest.fixture
def row(database: Database) -> ModelRow:
    """A model of 60 steps with batches of 10 bytes, and a snapshot of 50 bytes at every tenth version."""
    row = ModelRow("1a", "anna", "m", "{}", "float32", "2b", STEPS, "slot", b"", batch_bytes=STEPS * BATCH)
    with database.writing() as transaction:
        models.insert(transaction, row)
        for version in range(STEPS + 1):
            batch = bytes(BATCH) if version else None
            entries.append(transaction, row.id, Entry(version, "step", version, "{}", "{}", "f", 0.0, batch))
        for version in range(0, STEPS + 1, EVERY):
            snapshot = SnapshotRow(version, f"{version}", "id", 0.1, 0.0, SNAPSHOT, version * BATCH)
            snapshots.insert(transaction, row.id, snapshot)
    return row


def versions_with(database: Database, condition: str) -> list[int]:
    with database.reading() as transaction:
        return [each[0] for each in transaction.execute(f"SELECT version FROM entries WHERE {condition}")]


@pytest.mark.parametrize(
    "history, floor, size",
    [
        (10**6, 0, 7 * SNAPSHOT + 600),
        (950, 0, 950),  # just fits
        (949, 10, 800),
        (600, 30, 500),
        (200, 50, 200),
        (100, 60, 50),
        (0, 60, 50),  # the newest snapshot is kept in any case
    ],
)
def test_the_floor_is_the_earliest_snapshot_from_which_everything_fits(
    database: Database, row: ModelRow, history: int, floor: int, size: int
) -> None:
    with database.writing() as transaction:
        moved = move_floor(transaction, row, StoreLimits(history_bytes=history))
        kept = [each.version for each in snapshots.every(transaction, row.id)]
    assert moved == replace(row, floor=floor, bytes=2 * SNAPSHOT + size)
    assert kept == list(range(floor, STEPS + 1, EVERY))


@pytest.mark.parametrize("most, floor", [(60, 0), (59, 10), (25, 40), (10, 50), (9, 60), (1, 60)])
def test_the_floor_is_no_more_versions_back_than_the_ledger_has_entries(
    database: Database, row: ModelRow, most: int, floor: int
) -> None:
    with database.writing() as transaction:
        assert move_floor(transaction, row, StoreLimits(ledger_entries=most)).floor == floor


def test_batches_go_in_portions_and_the_ledger_stays(database: Database, row: ModelRow) -> None:
    limits, row = StoreLimits(), replace(row, floor=20)
    for pruned in (PORTION, 2 * PORTION, 20, 20):
        with database.writing() as transaction:
            row = prune(transaction, row, limits)
        assert row.pruned == pruned
        assert versions_with(database, "batch IS NOT NULL") == list(range(pruned + 1, STEPS + 1))
    assert versions_with(database, "true") == list(range(STEPS + 1))


def test_entries_go_in_portions_but_none_that_a_version_needs(database: Database, row: ModelRow) -> None:
    row = replace(row, floor=20, pruned=20)
    for limit, first in ((50, PORTION), (50, 11), (50, 11), (5, 11 + PORTION), (5, 20), (5, 20)):
        with database.writing() as transaction:
            snapshots.delete_before(transaction, row.id, row.floor)
            prune(transaction, row, StoreLimits(ledger_entries=limit))
        assert versions_with(database, "true") == list(range(first, STEPS + 1))
