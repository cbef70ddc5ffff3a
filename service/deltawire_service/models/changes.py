"""How a change of a model is committed, with the answer to the request that asked for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from sqlite3 import Connection
from typing import Any

import orjson

from deltawire_service.datasets.errors import DatasetNotFound
from deltawire_service.models.errors import ModelInRun, ModelNotFound
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.update_rules import to_json
from deltawire_service.store.errors import KeyReused
from deltawire_service.store.retention import PORTION, move_floor, prune
from deltawire_service.store.stored_answers import ANOTHER_REQUEST, read_answer
from deltawire_service.store.tables import datasets, entries, idempotency_keys, models, runs, snapshots
from deltawire_service.store.tables.entries import Entry
from deltawire_service.store.tables.idempotency_keys import RequestKey
from deltawire_service.store.tables.models import ModelRow
from deltawire_service.store.tables.snapshots import SnapshotRow

Answer = dict[str, Any]

RESERVED = 1000
"""Versions that are committed without a sync, after one that reserves them."""


@dataclass(frozen=True)
class Change:
    """A change of a model, whole or not at all.

    Attributes:
        before: the model as it is.
        after: the model as it becomes.
        entries: the new entries of its ledger, in order.
        snapshot: a new snapshot, whose file is complete.
    """

    before: ModelRow
    after: ModelRow
    entries: Sequence[Entry] = ()
    snapshot: SnapshotRow | None = None


def commit(
    store: ModelStore,
    change: Change,
    deadline: float,
    key: RequestKey | None = None,
    answer: Mapping[str, Any] | None = None,
    durable: bool = True,
    also: Callable[[Connection], None] | None = None,
) -> ModelRow:
    """Commit a change, for good, and return the row of the model. The caller holds the lock of the model.

    A change that need not be durable is synced all the same where its version is not reserved: it reserves
    the next ones.

    Args:
        store: the models.
        change: the change.
        deadline: when to give up waiting for other writers, as time.monotonic counts.
        key: the key of the request that asked for the change.
        answer: the answer to that request.
        durable: the system must not lose the change when it crashes.
        also: changes other tables in the same transaction. Where it raises, nothing is changed.

    Raises:
        KeyReused: a request about another model has used the key meanwhile; nothing was changed.
        DatasetNotFound: the dataset of the entry was deleted; nothing was changed.
        LockBusy, StoreFull, StoreUnavailable, OutcomeUnknown: as for `Database.writing`.
    """
    row, reserved = change.after, change.before.reserved
    synced = durable or row.version >= reserved
    if synced:
        reserved = row.version if durable else row.version + RESERVED
    with store.database.writing(deadline, synced) as transaction:
        row = replace(row, reserved=reserved)
        for dataset in {entry.dataset for entry in change.entries if entry.dataset}:
            if not datasets.exists(transaction, dataset):
                raise DatasetNotFound("the dataset was deleted; nothing was changed")
        for entry in change.entries:
            entries.append(transaction, row.id, entry)
        more = sum(entry.batch_bytes for entry in change.entries)
        row = replace(row, batch_bytes=row.batch_bytes + more, bytes=row.bytes + more)
        if change.snapshot:
            snapshots.insert(transaction, row.id, change.snapshot)
            row = move_floor(transaction, row, store.limits)
        row = prune(transaction, row, store.limits, PORTION * max(1, len(change.entries)))
        models.advance(transaction, change.before, row)
        store_answer(store, transaction, key, row.id, answer)
        if also:
            also(transaction)
    for entry in change.entries:
        store.observer.on_change(entry.kind)
    return row


def store_answer(
    store: ModelStore,
    transaction: Connection,
    key: RequestKey | None,
    model_id: str,
    answer: Mapping[str, Any] | None,
) -> None:
    """Store the answer to the request of a change, in the transaction of the change.

    Args:
        store: the models.
        transaction: the transaction.
        key: the key of the request; None where it has none.
        model_id: the model that is changed.
        answer: the answer.

    Raises:
        KeyReused: a request about another model has used the key meanwhile.
    """
    if key is None:
        return
    if idempotency_keys.find(transaction, key):
        raise KeyReused(ANOTHER_REQUEST)
    store.answers.insert(transaction, key, model_id, to_json(answer))


def change_once(
    store: ModelStore,
    owner: str,
    name: str,
    deadline: float,
    key: RequestKey | None,
    change: Callable[[ModelRow], Answer],
) -> Answer:
    """Change a model under its lock, unless the request was answered meanwhile: then return that answer.

    A caller looks for an answer before anything else, with `find_answer`.

    Args:
        store: the models.
        owner: whoever asks.
        name: the name of the model.
        deadline: when to give up waiting for the lock, as time.monotonic counts.
        key: the key of the request.
        change: gets the row of the model, commits a change with the key, and returns the answer.

    Raises:
        ModelNotFound: there is no such model.
        ModelInRun: the model learns in a run that has not ended.
        KeyReused: the key came with another request, or the name means another model by now.
        LockBusy: others changed the model until the deadline.
    """
    try:
        with store.locked(owner, name, deadline, check_no_run) as row:
            return find_answer(store, key, name) or change(row)
    except (ModelNotFound, ModelInRun):  # perhaps this very request has deleted it, or begun the run
        if answer := find_answer(store, key, name):
            return answer
        raise


def check_no_run(transaction: Connection, row: ModelRow) -> None:
    """Raise ModelInRun where a model learns in a run that has not ended, paused or not.

    The trainer keeps the lock of the model while it computes, so nobody should wait for that.
    """
    run = runs.open_run(transaction, row.id)
    if run:
        way_out = "resume or cancel it" if run.state == runs.PAUSED else "cancel it, or wait for its end"
        detail = f"model '{row.name}' learns in run {run.id}, which is {run.state}: {way_out}"
        raise ModelInRun(detail)


def find_answer(store: ModelStore, key: RequestKey | None, name: str) -> Answer | None:
    """Return the answer that a request got before; None where it is new, or comes without a key.

    Args:
        store: the models.
        key: the key of the request.
        name: the name of the model in its path, if any.

    Raises:
        KeyReused: the key came with another request, or the name means another model by now.
    """
    if key is None:
        return None
    with store.database.reading() as transaction:
        answered = idempotency_keys.find(transaction, key)
        if answered is None:
            return None
        made = orjson.loads(answered.answer).get("name", name)  # a fork makes another one than it names
        row = models.find(transaction, key.owner, made)
    answer = read_answer(key, answered, row)
    store.observer.on_replayed_answer()
    return answer
