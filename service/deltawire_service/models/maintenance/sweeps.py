"""Sweeps: remove what processes that died have left behind, the files and folders that no row names.

A commit that seemed to fail may still come to light after a crash, as long as the log has its pages. So files
are removed only while the log is empty, and while a lock keeps others from making new ones.
"""

from __future__ import annotations

import os
from time import monotonic

from deltawire_service.models.model_store import ModelStore
from deltawire_service.store.errors import LockBusy, LockGone, disk_errors
from deltawire_service.store.file_locks import shared_lock
from deltawire_service.store.folders import remove_unnamed
from deltawire_service.store.retention import prune
from deltawire_service.store.tables import datasets, entries, models, runs, snapshots

PORTION = 256
"""Batches that are removed at once: other writers get their turn between two portions."""


def sweep(store: ModelStore) -> None:
    """Remove what no row names, except where others are at work now.

    Raises:
        StoreFull, StoreUnavailable: the disk cannot be used.
    """
    try:
        with (
            store.locks.exclusive(store.folder.making_lock, monotonic()),
            shared_lock(store.folder.removal_lock),
        ):
            known = _remove_folders(store)
    except LockBusy:  # something is being made, or files are copied: another sweep will find what is left
        return
    store.answers.prune(store.database)
    for model_id in known:
        try:
            with store.locks.exclusive(store.folder_of(model_id).lock, monotonic()):
                _prune(store, model_id)
                remove_files(store, model_id)
        except (LockBusy, LockGone):  # the model is being changed, or was deleted
            continue


def _remove_folders(store: ModelStore) -> frozenset[str]:
    """Remove folders of models and datasets that are not there, and return the ids of all models."""
    empty = store.database.checkpoint()
    with store.database.reading() as transaction:
        known, tables = models.identifiers(transaction), datasets.identifiers(transaction)
    with disk_errors():
        unknown = set(os.listdir(store.folder.models)) - known
        unnamed = set(os.listdir(store.folder.datasets)) - tables
    for model_id in unknown if empty else ():
        store.folder.remove_model(model_id)
    for dataset in unnamed if empty else ():
        store.folder.remove_dataset(dataset)
    return known


def remove_files(store: ModelStore, model_id: str) -> None:
    """Remove the files of a model that no row names, unless they are copied now.

    The caller holds the model's lock.

    Raises:
        StoreFull, StoreUnavailable: the disk cannot be used.
    """
    try:
        with shared_lock(store.folder.removal_lock):
            _remove_files(store, model_id)
    except LockBusy:  # another sweep will find them
        return


def _remove_files(store: ModelStore, model_id: str) -> None:
    if not store.database.checkpoint():
        return
    with store.database.reading() as transaction:
        snapshot_files = snapshots.files(transaction, model_id) | runs.files(transaction, model_id)
        segment_files = entries.segments(transaction, model_id)
        row = models.get(transaction, model_id)
    if row is None:  # it was deleted before its lock was taken
        return
    folder = store.folder_of(model_id)
    remove_unnamed(folder.snapshots, snapshot_files)
    remove_unnamed(folder.segments, segment_files)
    store.slots.remove_surplus(folder.slots, row.slot)


def _prune(store: ModelStore, model_id: str) -> None:
    """Remove the batches that the commits of the model have left for later: it may not be changed again."""
    with store.database.reading() as transaction:
        row = models.get(transaction, model_id)
    while row is not None and row.pruned < row.floor:
        with store.database.writing() as transaction:
            pruned = prune(transaction, row, store.limits, PORTION)
            models.advance(transaction, row, pruned)
        row = pruned
