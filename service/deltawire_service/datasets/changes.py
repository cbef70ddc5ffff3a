"""Datasets that are made and deleted: whole or not at all, and once for each Idempotency-Key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from sqlite3 import Connection
from typing import Any

import orjson

from deltawire_plugins.shown import shown
from deltawire_service.datasets.column_file import Written, file_bytes, write_columns
from deltawire_service.datasets.dataset_store import DatasetStore
from deltawire_service.datasets.errors import DatasetExists, DatasetInUse
from deltawire_service.datasets.table import CheckTable, Column, Table, check_table, describe
from deltawire_service.store.errors import AnswerExpired, LockBusy, OutcomeUnknown, StoreUnavailable
from deltawire_service.store.file_locks import shared_lock
from deltawire_service.store.folders import new_id
from deltawire_service.store.names import check_name
from deltawire_service.store.quotas import check_disk, check_quota
from deltawire_service.store.stored_answers import read_answer
from deltawire_service.store.tables import datasets, entries, idempotency_keys, models, runs
from deltawire_service.store.tables.datasets import DatasetRow
from deltawire_service.store.tables.idempotency_keys import RequestKey

Answer = dict[str, Any]


def put(
    store: DatasetStore,
    owner: str,
    name: str,
    read: Callable[[CheckTable], Table],
    deadline: float,
    key: RequestKey | None = None,
) -> Answer:
    """Make a dataset of a table. A caller looks for an answer before anything else, with `find_put_answer`.

    Args:
        store: the datasets.
        owner: whoever makes it.
        name: its name.
        read: reads the table. It has the columns checked as soon as it knows them.
        deadline: when to give up waiting for others, as time.monotonic counts.
        key: the key of the request: with it, a request that comes again is answered as it was the first time.

    Returns:
        The description of the dataset; `unchanged` when the owner has had the same one before.

    Raises:
        Refused: the name or the table does not fit; nothing was made.
        DatasetExists, KeyReused: nothing was made.
        AnswerExpired: an earlier request with the key made the dataset, which is deleted.
        QuotaExceeded, LockBusy, StoreFull, StoreUnavailable, DeadlineExceeded: nothing was made.
        OutcomeUnknown: the dataset may have been made; with a key, ask again.
    """
    check_name(name)
    table = read(partial(_check, store, owner, name))
    dataset = new_id()
    with shared_lock(store.folder.making_lock, deadline):
        path = store.folder.make_dataset(dataset)
        try:
            written = write_columns(path, table)
            row = DatasetRow(dataset, owner, name, written.dataset_id, table.rows, written.bytes)
            answer = _commit(store, row, _describe_columns(table, written), deadline, key)
        except OutcomeUnknown:
            raise  # the row may still come to light, after a crash
        except BaseException:
            store.folder.remove_dataset(dataset)
            raise
        if answer["unchanged"] or answer["replayed"]:
            store.folder.remove_dataset(dataset)
    return answer


def delete(
    store: DatasetStore,
    owner: str,
    name: str,
    deadline: float,
    key: RequestKey | None = None,
    most_uploads: int | None = None,
) -> Answer:
    """Delete a dataset that no ledger needs. A caller looks for an answer first, with `find_deletion_answer`.

    Args:
        store: the datasets.
        owner: whoever asks.
        name: the name of the dataset.
        deadline: when to give up waiting for other writers, as time.monotonic counts.
        key: the key of the request.
        most_uploads: it is deleted only if no more requests than that have uploaded it; None for any number.

    Raises:
        DatasetNotFound, DatasetInUse, KeyReused, LockBusy, StoreFull, StoreUnavailable: nothing was changed.
        OutcomeUnknown: it may have been deleted; with a key, ask again.
    """
    with store.database.writing(deadline) as transaction:
        if key and (answer := _find_stored(store, transaction, key, name)):
            return answer
        row = store.find_in(transaction, owner, name)
        if most_uploads is not None and row.uploads > most_uploads:
            raise DatasetInUse(f"{row.uploads} requests have uploaded dataset '{name}', so it stays")
        if (user := entries.find_user_of(transaction, row.id)) is not None:
            model = models.get(transaction, user)
            what = f"model {shown(model.name)}" if model else "a model"
            raise DatasetInUse(f"the ledger of {what} needs dataset '{name}' to compute its versions again")
        if run := runs.find_user_of(transaction, row.id):
            raise DatasetInUse(f"run {run.id}, which is {run.state}, needs dataset '{name}'")
        datasets.delete(transaction, row.id)
        answer = {"name": name, "dataset_id": row.dataset_id, "replayed": False}
        if key:
            store.answers.insert(transaction, key, row.id, orjson.dumps(answer).decode())
    store.observer.on_dataset("deleted")
    # A sweep removes the file where files are copied now, or the disk fails: the dataset is deleted.
    with suppress(LockBusy, StoreUnavailable), shared_lock(store.folder.removal_lock):
        store.folder.remove_dataset(row.id)
    return answer


def describe_dataset(row: DatasetRow, columns: str) -> Answer:
    """Return the description of a dataset with those of its columns, which come as JSON."""
    return {**summarize(row), "columns": orjson.loads(columns)}


def summarize(row: DatasetRow) -> Answer:
    """Return the description of a dataset without its columns."""
    return {"name": row.name, "dataset_id": row.dataset_id, "rows": row.rows, "bytes": row.bytes}


def find_deletion_answer(store: DatasetStore, key: RequestKey, name: str) -> Answer | None:
    """Return the answer that a request to delete a dataset got before; None where it is new.

    Args:
        store: the datasets.
        key: the key of the request.
        name: the name of the dataset in its path.

    Raises:
        KeyReused: the key came with another request, or the name means another dataset by now.
    """
    with store.database.reading() as transaction:
        return _find_stored(store, transaction, key, name)


def find_put_answer(store: DatasetStore, key: RequestKey, name: str) -> Answer | None:
    """Return the answer that a request for a dataset got before; None where it is new.

    Args:
        store: the datasets.
        key: the key of the request.
        name: the name of the dataset in its path.

    Raises:
        KeyReused: the key came with another request, or the name means another dataset by now.
        AnswerExpired: the dataset is deleted.
    """
    with store.database.reading() as transaction:
        return _find_put_answer(store, transaction, key, name)


def _find_put_answer(
    store: DatasetStore, transaction: Connection, key: RequestKey, name: str
) -> Answer | None:
    """Describe the dataset again. Its description may be large, so it is not stored with the key."""
    answer = _find_stored(store, transaction, key, name)
    if answer is None:
        return None
    row = datasets.find(transaction, key.owner, name)
    columns = datasets.columns(transaction, row.id) if row else None
    if row is None or columns is None:
        raise AnswerExpired(f"this request made dataset '{name}', which is deleted")
    return {**describe_dataset(row, columns), **answer}


def _find_stored(store: DatasetStore, transaction: Connection, key: RequestKey, name: str) -> Answer | None:
    answered = idempotency_keys.find(transaction, key)
    if answered is None:
        return None
    answer = read_answer(key, answered, datasets.find(transaction, key.owner, name), "dataset")
    store.observer.on_replayed_answer()
    return answer


def _check(store: DatasetStore, owner: str, name: str, columns: Sequence[Column], rows: int) -> None:
    """Check that columns may be a dataset, and that there is room for it."""
    check_table(columns, rows)
    size = file_bytes(columns, rows)
    with store.database.reading() as transaction:
        if datasets.find(transaction, owner, name) is None:
            check_quota(transaction, owner, store.limits, size, more_datasets=1)
    check_disk(store.folder.path, store.limits, size)


def _describe_columns(table: Table, written: Written) -> str:
    """Return the descriptions of the columns of a table, as JSON."""
    pairs = zip(table.columns, written.statistics, strict=True)
    return orjson.dumps([describe(column, statistics) for column, statistics in pairs]).decode()


def _commit(
    store: DatasetStore, row: DatasetRow, columns: str, deadline: float, key: RequestKey | None
) -> Answer:
    """Commit the row of a new dataset; or return the answer that there is without it."""
    with store.database.writing(deadline) as transaction:
        if key and (answer := _find_put_answer(store, transaction, key, row.name)):
            return answer
        present = datasets.find(transaction, row.owner, row.name)
        if present and present.dataset_id != row.dataset_id:
            raise DatasetExists(f"there is a dataset '{row.name}' with other numbers: delete it first")
        if not present:
            check_quota(transaction, row.owner, store.limits, row.bytes, more_datasets=1)
            datasets.insert(transaction, row, columns)
        kept = present or row
        if present:
            datasets.count_upload(transaction, present.id)
            # The columns of this table may have had other gaps, which are NaN among numbers.
            columns = datasets.columns(transaction, present.id) or columns
        answer = {"unchanged": bool(present), "replayed": False}
        if key:
            store.answers.insert(transaction, key, kept.id, orjson.dumps(answer).decode())
    if not present:
        store.observer.on_dataset("created")
    return {**describe_dataset(kept, columns), **answer}
