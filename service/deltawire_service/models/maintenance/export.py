"""Exports: copies of all models and datasets, while others go on; and a new store made from such a copy.

An export is a folder like that of a store, without slots and locks. Each model is in it at one version that
has a snapshot. So another machine has the same parameters, whatever it computes with.

A model of which no snapshot can be taken, such as one whose layer is not installed any more, is exported with
the steps since its last one. They are computed again where it is imported. A dataset whose file is gone is
left out, and so is a model whose files, or whose datasets, are gone. None stops the export of the others.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from time import monotonic

from deltawire.errors import Refused
from deltawire_service.engine import PluginError
from deltawire_service.faults import ServiceError
from deltawire_service.models.changes import Change, commit
from deltawire_service.models.errors import ModelNotFound
from deltawire_service.models.maintenance.store_check import check_dataset, check_files
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.newest import change_newest, take_snapshot
from deltawire_service.store.database import Database
from deltawire_service.store.errors import disk_errors
from deltawire_service.store.file_locks import FileLocks
from deltawire_service.store.folders import ModelFolder, StoreFolder, copy_file, new_id, sync_folder
from deltawire_service.store.tables import datasets, entries, idempotency_keys, models, runs, snapshots
from deltawire_service.store.tables.datasets import DatasetRow
from deltawire_service.store.tables.models import ModelRow

PATIENCE = 30.0
"""Seconds to wait for those who remove files."""


class FolderTaken(Exception):
    """There is something already where an export, or a new store, is to be made."""


class ExportDamaged(Exception):
    """An export cannot be used: its message says what is wrong."""


@dataclass
class Exported:
    """The models and datasets of an export.

    Attributes:
        count: number of models in it.
        unfinished: models in it whose newest version has no snapshot, in sentences that say why.
        left_out: models and datasets that are not in it, in sentences that say why.
    """

    count: int = 0
    unfinished: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def export_store(store: ModelStore, path: Path) -> Exported:
    """Copy all models into a new folder. Steps may go on meanwhile.

    Args:
        store: the models.
        path: the folder, which is made.

    Raises:
        FolderTaken: it is there already.
        StoreFull, StoreUnavailable, OutcomeUnknown: a disk cannot be used; the folder is not made.
        LockBusy: another export is being made.
    """
    exported, uncut = Exported(), set[str]()
    with _new_folder(path) as draft, store.locks.exclusive(store.folder.removal_lock, monotonic() + PATIENCE):
        with store.database.reading() as transaction:
            known = models.every(transaction)
        for row in known:
            try:
                _take_snapshot(store, row.owner, row.name)
            except (Refused, PluginError, ServiceError) as error:
                exported.unfinished.append(_sentence(row, error.faults[0].detail))
                uncut.add(row.id)
        folder = StoreFolder(draft)
        store.database.copy_to(folder.database)
        with _opened(folder.database) as copy:
            gone = _gone_datasets(copy, store.folder)
            for row in models.every(copy):
                if reason := _find_gap(copy, store.folder, row.id, gone):
                    exported.left_out.append(_sentence(row, reason))
                    models.delete(copy, row.id)
                    continue
                _end(copy, row, row.version if row.id in uncut else snapshots.every(copy, row.id)[-1].version)
                _copy_files(copy, store.folder, folder, row.id)
                exported.count += 1
            for dataset in gone.values():
                exported.left_out.append(f"dataset '{dataset.name}' of '{dataset.owner}': its file is gone")
                datasets.delete(copy, dataset.id)
            _copy_datasets(copy, store.folder, folder)
    return exported


def import_store(path: Path, folder: StoreFolder) -> int:
    """Make a store from an export, and return the number of its models.

    The models have the same versions and the same parameters, and new lineages: from here on, equal versions
    of them may have other parameters than those on the machine that they come from.

    Args:
        path: the export.
        folder: the folder of the new store, which is made.

    Raises:
        FolderTaken: it is there already.
        ExportDamaged: the export is not complete.
        SchemaUnknown: a later version of deltawire made the export.
        StoreFull, StoreUnavailable: a disk cannot be used; the folder is not made.
    """
    source = StoreFolder(path)
    if not source.database.is_file():
        raise ExportDamaged(f"{path} is no export: it has no {source.database.name}")
    if source.write_lock.exists():
        raise ExportDamaged(f"{path} is a store, and no export: export it first")
    with _new_folder(folder.path) as draft:
        made = StoreFolder(draft)
        with disk_errors():
            copy_file(source.database, made.database)
        made.prepare()
        Database(made, FileLocks()).prepare()
        with _opened(made.database) as copy:
            rows = models.every(copy)
            problems = [problem for row in rows for problem in check_files(copy, source, row)]
            problems += [found for row in datasets.every(copy) for found in check_dataset(source, row)]
            if problems:
                raise ExportDamaged("\n".join(problems))
            for row in rows:
                made.make_model(row.id)
                _copy_files(copy, source, made, row.id)
                copy.execute("UPDATE models SET lineage = ? WHERE id = ?", (new_id(), row.id))
            _copy_datasets(copy, source, made)
    return len(rows)


@contextmanager
def _new_folder(path: Path) -> Iterator[Path]:
    """Give a folder to fill, which gets its name at the end; nothing is left of it after an error."""
    if path.exists():
        raise FolderTaken(f"{path} is there already: name a new folder")
    draft = path.with_name(f"{path.name}.{new_id()}")
    folder = StoreFolder(draft)
    with disk_errors():
        for part in (folder.models, folder.datasets):
            part.mkdir(parents=True, mode=0o700)
    try:
        yield draft
        with disk_errors():
            sync_folder(draft)
            draft.rename(path)
            sync_folder(path.parent)
    except BaseException:
        folder.remove()
        raise


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the database of a copy, in one transaction. It is one file at the end, without a log."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")


def _take_snapshot(store: ModelStore, owner: str, name: str) -> None:
    """Take a snapshot of the newest version of a model, unless there is one."""
    try:
        with store.locked(owner, name, inf) as row, change_newest(store, row, inf) as newest:
            if newest.snapshot.version < newest.row.version:
                snapshot = take_snapshot(store, newest.row, newest.entry, newest.numbers)
                commit(store, Change(newest.row, newest.row, snapshot=snapshot), inf)
    except ModelNotFound:  # it was deleted meanwhile
        return


def _sentence(row: ModelRow, reason: str) -> str:
    return f"model '{row.name}' of '{row.owner}': {reason}"


def _end(copy: sqlite3.Connection, row: ModelRow, version: int) -> None:
    """Let a model end at a version, usually its newest snapshot: later ones must be computed again."""
    runs.cut(copy, row.id, version)  # they may have come farther than this version
    entries.delete_after(copy, row.id, version)
    idempotency_keys.delete_after(copy, row.id, version)
    copy.execute(
        "UPDATE models SET version = ?, reserved = ?, slot = 'none', stamp = x'' WHERE id = ?",
        (version, version, row.id),
    )


def _files(copy: sqlite3.Connection, folder: ModelFolder, model_id: str) -> list[Path]:
    """Return the paths, in a model's folder, of all files that its rows name."""
    kept = [folder.snapshots / name for name in sorted(snapshots.files(copy, model_id))]
    return kept + [folder.segments / name for name in sorted(entries.segments(copy, model_id))]


def _gone_datasets(copy: sqlite3.Connection, source: StoreFolder) -> dict[str, DatasetRow]:
    """Return the datasets by id whose files are not there."""
    return {row.id: row for row in datasets.every(copy) if not source.dataset(row.id).exists()}


def _find_gap(
    copy: sqlite3.Connection, source: StoreFolder, model_id: str, gone: Mapping[str, DatasetRow]
) -> str:
    """Say which files of a model, or of its datasets, are gone; return an empty text where all are there."""
    files = [path.name for path in _files(copy, source.model(model_id), model_id) if not path.exists()]
    if files:
        return f"its files {', '.join(files)} are gone"
    names = sorted(f"'{gone[each].name}'" for each in entries.datasets(copy, model_id) & gone.keys())
    return f"it needs dataset {', '.join(names)}, whose file is gone" if names else ""


def _copy_files(copy: sqlite3.Connection, source: StoreFolder, target: StoreFolder, model_id: str) -> None:
    """Copy the files that the rows of a model name, for good."""
    here = target.model(model_id)
    originals, duplicates = (_files(copy, each.model(model_id), model_id) for each in (source, target))
    with disk_errors():
        for folder in (here.snapshots, here.segments):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for original, duplicate in zip(originals, duplicates, strict=True):
            copy_file(original, duplicate)
        for folder in (here.snapshots, here.segments, here.path, target.models):
            sync_folder(folder)


def _copy_datasets(copy: sqlite3.Connection, source: StoreFolder, target: StoreFolder) -> None:
    """Copy the files of all datasets, for good."""
    with disk_errors():
        for dataset in datasets.identifiers(copy):
            path = target.make_dataset(dataset)
            copy_file(source.dataset(dataset), path)
            sync_folder(path.parent)
