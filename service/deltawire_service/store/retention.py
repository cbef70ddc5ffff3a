"""Retention: how much of a model's past is kept.

A version can be computed from a snapshot up to it and the batches after that. So the past that is kept begins
at a snapshot, the model's *floor*. It moves when a new snapshot makes the past too large. Then the snapshots
before it go at once, the batches a few at each commit, and their files with the next sweep.
"""

from __future__ import annotations

from dataclasses import replace
from sqlite3 import Connection

from deltawire_service.store.limits import StoreLimits
from deltawire_service.store.tables import entries, snapshots
from deltawire_service.store.tables.models import ModelRow
from deltawire_service.store.tables.snapshots import SnapshotRow

PORTION = 8
"""Batches, and entries, that a commit removes at most, for each entry that it adds."""

SLOTS = 2
"""Slots of a model that take turns, each about as large as a snapshot."""


def move_floor(database: Connection, row: ModelRow, limits: StoreLimits) -> ModelRow:
    """Remove the snapshots that are too old, and return the row with its floor and its bytes.

    Args:
        database: a transaction.
        row: the model, with a new snapshot in the table.
        limits: how much is kept.
    """
    kept = snapshots.every(database, row.id)
    floor = _choose_floor(row, kept, limits)
    snapshots.delete_before(database, row.id, floor.version)
    kept = [snapshot for snapshot in kept if snapshot.version >= floor.version]
    history = sum(snapshot.bytes for snapshot in kept) + row.batch_bytes - floor.total_bytes
    return replace(row, floor=floor.version, bytes=SLOTS * kept[-1].bytes + history)


def prune(database: Connection, row: ModelRow, limits: StoreLimits, most: int = PORTION) -> ModelRow:
    """Remove batches up to the floor, and entries that are too old; return the row.

    Args:
        database: a transaction.
        row: the model.
        limits: how much is kept.
        most: batches, and entries, that are removed now.
    """
    pruned = min(row.floor, row.pruned + most)
    if pruned > row.pruned:
        entries.drop_batches(database, row.id, row.pruned, pruned)
    last = min(row.floor - 1, row.version - limits.ledger_entries)
    if last >= 0:
        entries.delete_up_to(database, row.id, last, most)
    return replace(row, pruned=pruned)


def _choose_floor(row: ModelRow, kept: list[SnapshotRow], limits: StoreLimits) -> SnapshotRow:
    """Return the earliest snapshot from which on everything fits; the newest one where nothing does.

    Both bounds count: the bytes of snapshots and batches, and the entries of the ledger.
    """
    floor, size = kept[-1], 0
    for snapshot in reversed(kept):
        size += snapshot.bytes
        if size + row.batch_bytes - snapshot.total_bytes > limits.history_bytes:
            break
        if row.version - snapshot.version > limits.ledger_entries:
            break
        floor = snapshot
    return floor
