"""Checks of a store: every row has its files, every snapshot its numbers, every ledger its entries."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from deltawire.errors import Refused
from deltawire_service.datasets.column_file import digest
from deltawire_service.faults import ServiceError
from deltawire_service.models.errors import VersionExpired
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.newest import read_newest
from deltawire_service.models.numbers import Numbers
from deltawire_service.models.replay import SKIPPING
from deltawire_service.models.versions import reproduce
from deltawire_service.networks.published import params_id
from deltawire_service.store.folders import StoreFolder
from deltawire_service.store.segments import Stretch
from deltawire_service.store.snapshots import read_snapshot
from deltawire_service.store.tables import datasets, entries, models, snapshots
from deltawire_service.store.tables.datasets import DatasetRow
from deltawire_service.store.tables.models import ModelRow


def check_store(store: ModelStore, replay: bool = False) -> list[str]:
    """Return everything that is wrong with a store, in sentences; an empty list where it is sound.

    Run it while no service uses the folder: what a service removes meanwhile would be missed.

    Args:
        store: the models.
        replay: compute each newest version again from its last snapshot too, and compare the parameters.

    Raises:
        StoreUnavailable: the database cannot be read.
    """
    with store.database.reading() as transaction:
        problems = [
            f"the database is damaged: {row[0]}"
            for row in transaction.execute("PRAGMA integrity_check")
            if row[0] != "ok"
        ]
        problems += [
            f"a row of the table {row[0]} refers to none of {row[2]}"
            for row in transaction.execute("PRAGMA foreign_key_check")
        ]
        rows = models.every(transaction)
        for row in rows:
            problems += check_files(transaction, store.folder, row)
        tables = datasets.every(transaction)
    for table in tables:
        problems += check_dataset(store.folder, table)
    for row in rows if replay else ():
        problems += _check_replay(store, row)
    return problems


def check_files(database: sqlite3.Connection, folder: StoreFolder, row: ModelRow) -> list[str]:
    """Return what is wrong with the ledger and the files of one model, in sentences.

    Args:
        database: a transaction.
        folder: the folder that has the files.
        row: the model.
    """
    problems = [*_check_snapshots(database, folder, row), *_check_ledger(database, folder, row)]
    return [f"model '{row.name}' of '{row.owner}' ({row.id}): {problem}" for problem in problems]


def check_dataset(folder: StoreFolder, row: DatasetRow) -> list[str]:
    """Return what is wrong with the file of a dataset, in sentences.

    Args:
        folder: the folder that has the files.
        row: the dataset.
    """
    place = f"dataset '{row.name}' of '{row.owner}' ({row.id})"
    try:
        found = digest(folder.dataset(row.id))
    except (ServiceError, ValueError) as error:
        return [f"{place}: the file cannot be read: {error.__cause__ or error}"]
    return [] if found == row.dataset_id else [f"{place}: the file has other numbers than were written"]


def _check_snapshots(database: sqlite3.Connection, folder: StoreFolder, row: ModelRow) -> Iterator[str]:
    taken = snapshots.every(database, row.id)
    if not taken or taken[0].version > row.floor:
        yield f"there is no snapshot of version {row.floor}, the earliest that is kept"
    for snapshot in taken:
        try:
            numbers = Numbers.split(read_snapshot(folder.model(row.id).snapshots / snapshot.file))
        except (ServiceError, Refused, ValueError) as error:
            yield f"the snapshot of version {snapshot.version} cannot be read: {error.__cause__ or error}"
            continue
        if params_id(numbers.params) != snapshot.params_id:
            yield f"the snapshot of version {snapshot.version} has other parameters than were written"


def _check_ledger(database: sqlite3.Connection, folder: StoreFolder, row: ModelRow) -> Iterator[str]:
    sizes = {
        path.name: path.stat().st_size
        for path in folder.model(row.id).segments.glob("*")  # none where there is no such folder
    }
    expected: int | None = None
    for entry in entries.every(database, row.id):
        skips = entry.kind in SKIPPING  # no version up to those reserved is given again
        if expected is not None and (entry.version < expected or entry.version > expected and not skips):
            yield f"the ledger goes on with version {entry.version}, not {expected}"
        expected = entry.version + 1
        if isinstance(entry.batch, Stretch) and sizes.get(entry.batch.segment, 0) < entry.batch.end:
            yield f"the batch of version {entry.version} is not in its segment"
        kept = entry.kind == "step" and entry.version > max(row.floor, row.unlogged)
        if kept and not entry.has_data:
            yield f"the step to version {entry.version} has no batch"
    if expected != row.version + 1:
        yield f"the ledger ends before version {expected}, the model is at version {row.version}"


def _check_replay(store: ModelStore, row: ModelRow) -> list[str]:
    """Compare the newest version in the slot with the one that is computed from its last snapshot."""
    place = f"model '{row.name}' of '{row.owner}' ({row.id})"
    try:
        with read_newest(store, row) as newest, reproduce(store, row, row.version) as computed:
            if newest and params_id(newest.numbers.params) != params_id(computed.numbers.params):
                return [f"{place}: version {row.version} is computed with other parameters than it has"]
    except VersionExpired:  # it follows from steps that are not durable, or its ledger has a gap: see above
        return []
    except (ServiceError, Refused) as error:
        return [f"{place}: version {row.version} cannot be computed: {error}"]
    return []
