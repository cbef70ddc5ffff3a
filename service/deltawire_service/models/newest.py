"""The newest version of a model: its slot made sound where it is not, and snapshots of it taken in time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic
from typing import NamedTuple

from deltawire_service.models.changes import Change, commit
from deltawire_service.models.errors import ModelNotFound, VersionExpired
from deltawire_service.models.maintenance.sweeps import remove_files
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.numbers import Numbers
from deltawire_service.models.replay import Origin, find_origin, replay
from deltawire_service.models.update_rules import to_json
from deltawire_service.networks.published import params_id
from deltawire_service.store.folders import new_id
from deltawire_service.store.quotas import check_disk
from deltawire_service.store.slot_files import Layout, is_of_this_boot
from deltawire_service.store.snapshots import write_snapshot
from deltawire_service.store.tables import entries
from deltawire_service.store.tables.entries import Entry
from deltawire_service.store.tables.models import ModelRow
from deltawire_service.store.tables.snapshots import SnapshotRow

REPLAY_SECONDS = 1.0
REPLAY_SNAPSHOTS = 10
"""A replay may take as long as the longer of both: so many seconds, or the time of so many snapshots."""


class Newest(NamedTuple):
    """The newest version of a model. Its numbers are views of its slot, and read-only."""

    row: ModelRow
    entry: Entry
    snapshot: SnapshotRow
    """The last one."""
    layout: Layout
    numbers: Numbers


@contextmanager
def read_newest(store: ModelStore, row: ModelRow) -> Iterator[Newest | None]:
    """Give the version of a row, and keep others from writing its slot; None where the slot has it no more.

    The caller needs no lock.

    Raises:
        StoreUnavailable: the disk fails.
    """
    try:
        entry, snapshot = find_origin(store, row, row.version)
    except (ModelNotFound, VersionExpired):  # the model was deleted meanwhile, or others made newer versions
        yield None
        return
    layout = store.layout_of(row, entry.optimizer)
    with store.slots.shared(store.folder_of(row.id).slots, row.slot, layout) as slot:
        if slot is None or slot.stamp != row.stamp or not is_of_this_boot(row.stamp):
            yield None
        else:
            numbers = Numbers.split(slot.arrays())
            yield Newest(row, entry, snapshot, layout, numbers)


def is_sound(store: ModelStore, row: ModelRow) -> bool:
    """Return whether the slot of a model has its newest version. Raises StoreUnavailable."""
    stamp = store.slots.stamp(store.folder_of(row.id).slots, row.slot)
    return stamp == row.stamp and is_of_this_boot(row.stamp)


@contextmanager
def change_newest(
    store: ModelStore, row: ModelRow, deadline: float, durable: bool = True
) -> Iterator[Newest]:
    """Give the newest version to somebody who is about to change the model, and who holds its lock.

    Where the slot does not have it, its numbers are computed again first. A snapshot is taken where a replay
    of this version would take too long, or could not be exact any more after the next step.

    Args:
        store: the models.
        row: the model, locked.
        deadline: when to give up, as time.monotonic counts.
        durable: the change will be durable, and so must be all before it.

    Raises:
        StoreFull, StoreUnavailable, LockBusy, OutcomeUnknown: as for any change; none was made.
    """
    with read_newest(store, row) as found:
        if found is not None:
            row = _snapshot_in_time(store, found, deadline, durable)
            yield Newest(row, *found[1:])
            return
    row = recover(store, row, deadline)
    with read_newest(store, row) as found:
        if found is None:
            raise RuntimeError(f"the slot of model {row.id} changed while its lock was held")
        yield found


def recover(store: ModelStore, row: ModelRow, deadline: float) -> ModelRow:
    """Compute the newest version again, and return the row with the slot that has it then.

    Where that cannot give the same bits, the ledger says so in an entry `rebased`. Where steps are lost that
    were not durable, it says so in an entry `lost`; their versions are not given again.

    Args:
        store: the models.
        row: the model, locked.
        deadline: when to give up, as time.monotonic counts.

    Raises:
        StoreFull, StoreUnavailable, LockBusy, OutcomeUnknown: as for any change; none was made.
    """
    origin = find_origin(store, row, _last_kept(store, row))
    lost = origin.entry.version < row.version or (
        row.reserved > row.version and not is_of_this_boot(row.stamp)
    )
    layout = store.layout_of(row, origin.entry.optimizer)
    with store.slots.free(store.folder_of(row.id).slots, layout, None) as slot:
        numbers = Numbers.split(slot.arrays(writable=True))
        exact = replay(store, row, origin, numbers)
        change = Change(row, replace(row, slot=slot.name, stamp=slot.set_stamp()))
        if lost or not exact:
            change = _rebase(store, change, origin, numbers, "lost" if lost else "rebased")
        return commit(store, change, deadline)


def _last_kept(store: ModelStore, row: ModelRow) -> int:
    """Return the newest version with all batches since the last snapshot."""
    snapshot = find_origin(store, row, row.version).snapshot
    if row.unlogged <= snapshot.version:
        return row.version
    with store.database.reading() as transaction:
        unlogged = entries.first_without_batch(transaction, row.id, snapshot.version)
    return row.version if unlogged is None else unlogged - 1


def _rebase(store: ModelStore, change: Change, origin: Origin, numbers: Numbers, kind: str) -> Change:
    """Return a change to a new version and a new lineage, after all versions that were ever answered."""
    row = change.before
    after = replace(change.after, version=max(row.version, row.reserved) + 1, lineage=new_id())
    entry = replace(
        origin.entry,
        version=after.version,
        kind=kind,
        details=to_json({"from": origin.entry.version}),
        fingerprint=store.fingerprint,
    )
    return Change(row, after, [entry], take_snapshot(store, row, entry, numbers))


def take_snapshot(store: ModelStore, row: ModelRow, entry: Entry, numbers: Numbers) -> SnapshotRow:
    """Write a snapshot to a file, for good, and return its row, which is to be committed.

    Args:
        store: the models.
        row: the model.
        entry: the entry of the version, which adds no batch to those of the row.
        numbers: its numbers.

    Raises:
        StoreFull, StoreUnavailable: it cannot be written.
    """
    check_disk(store.folder.path, store.limits, numbers.nbytes)
    began = monotonic()
    with store.observer.timing("snapshot"):
        file, size = write_snapshot(store.folder_of(row.id).snapshots, numbers.joined())
    seconds = monotonic() - began
    return SnapshotRow(
        *(entry.version, file, params_id(numbers.params), seconds),
        *(entry.total_seconds, size, row.batch_bytes),
    )


def _snapshot_in_time(store: ModelStore, newest: Newest, deadline: float, durable: bool) -> ModelRow:
    """Take a snapshot if one is due, and return the row of the model."""
    row, entry, last = newest.row, newest.entry, newest.snapshot
    too_long = entry.total_seconds - last.total_seconds > max(REPLAY_SECONDS, REPLAY_SNAPSHOTS * last.seconds)
    too_large = row.batch_bytes - last.total_bytes > max(store.limits.unsaved_bytes, last.bytes)
    too_many = row.version - last.version > store.limits.ledger_entries  # the floor moves with a snapshot
    unlogged = durable and last.version < row.unlogged
    other = entry.fingerprint != store.fingerprint
    if last.version < row.version and (too_long or too_large or too_many or unlogged or other):
        snapshot = take_snapshot(store, row, entry, newest.numbers)
        row = commit(store, Change(row, row, snapshot=snapshot), deadline)
        remove_files(store, row.id)
    return row
