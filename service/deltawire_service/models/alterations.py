"""Changes of a model other than steps: back to an earlier version, other hyperparameters, deletion."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from deltawire_service.models.changes import Answer, Change, change_once, commit, store_answer
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.newest import change_newest, take_snapshot
from deltawire_service.models.numbers import Numbers
from deltawire_service.models.replay import find_origin, replay_exactly
from deltawire_service.models.steps import check_version
from deltawire_service.models.update_rules import change_rule, to_json
from deltawire_service.store.errors import LockBusy, StoreUnavailable
from deltawire_service.store.file_locks import shared_lock
from deltawire_service.store.tables import models
from deltawire_service.store.tables.idempotency_keys import RequestKey
from deltawire_service.store.tables.models import ModelRow


def restore(
    store: ModelStore,
    owner: str,
    name: str,
    version: int,
    deadline: float,
    if_version: int | None = None,
    key: RequestKey | None = None,
) -> Answer:
    """Bring a model back to an earlier version: its parameters, its optimizer with its state, its step.

    It is a new version; the history stays. Its numbers are in a snapshot of its own.

    Args:
        store: the models.
        owner: whoever asks.
        name: the name of the model.
        version: the earlier version.
        deadline: when to give up, as time.monotonic counts.
        if_version: the version that is changed; None for any.
        key: the key of the request.

    Raises:
        ModelNotFound, VersionChanged, KeyReused: nothing was changed.
        VersionNotFound, VersionNotReproducible, LockBusy, StoreFull, StoreUnavailable: nothing was changed.
        OutcomeUnknown: it may have been changed; with a key, ask again.
    """

    def change(row: ModelRow) -> Answer:
        check_version(row, if_version)
        earlier = find_origin(store, row, version)
        layout = store.layout_of(row, earlier.entry.optimizer)
        store.check_room(row.owner, layout.bytes, layout.bytes)
        with store.slots.free(store.folder_of(row.id).slots, layout, taken=row.slot) as slot:
            numbers = Numbers.split(slot.arrays(writable=True))
            replay_exactly(store, row, earlier, numbers)
            after = replace(row, version=row.version + 1, slot=slot.name, stamp=slot.set_stamp())
            entry = replace(
                earlier.entry,
                version=after.version,
                kind="restored",
                details=to_json({"from": version}),
                fingerprint=store.fingerprint,
            )
            snapshot = take_snapshot(store, row, entry, numbers)
            answer = _answer(after.version, entry.step) | {"params_id": snapshot.params_id}
            commit(store, Change(row, after, [entry], snapshot), deadline, key, answer)
        return answer

    return change_once(store, owner, name, deadline, key, change)


def change_optimizer(
    store: ModelStore,
    owner: str,
    name: str,
    changes: Mapping[str, Any],
    deadline: float,
    if_version: int | None = None,
    key: RequestKey | None = None,
) -> Answer:
    """Change the hyperparameters of a model from the next step on.

    Args:
        store: the models.
        owner: whoever asks.
        name: the name of the model.
        changes: JSON of its optimizer, without what stays as it is.
        deadline: when to give up, as time.monotonic counts.
        if_version: the version that is changed; None for any.
        key: the key of the request.

    Raises:
        ModelNotFound, VersionChanged, KeyReused, Refused: nothing was changed.
        LockBusy, StoreFull, StoreUnavailable: nothing was changed.
        OutcomeUnknown: it may have been changed; with a key, ask again.
    """

    def change(row: ModelRow) -> Answer:
        check_version(row, if_version)
        with change_newest(store, row, deadline) as newest:
            check_version(newest.row, if_version)
            store.check_room(row.owner, 0, 0)
            rule = change_rule(store.rule_of(newest.entry.optimizer), changes, store.optimizers)
            after = replace(newest.row, version=newest.row.version + 1)
            entry = replace(
                newest.entry,
                version=after.version,
                kind="hyperparameters",
                optimizer=to_json(rule.document),
                details="{}",
            )
            answer = _answer(after.version, entry.step)
            commit(store, Change(newest.row, after, [entry]), deadline, key, answer)
        return answer

    return change_once(store, owner, name, deadline, key, change)


def delete(
    store: ModelStore, owner: str, name: str, deadline: float, key: RequestKey | None = None
) -> Answer:
    """Delete a model with its ledger and its files.

    Args:
        store: the models.
        owner: whoever asks.
        name: the name of the model.
        deadline: when to give up, as time.monotonic counts.
        key: the key of the request.

    Raises:
        ModelNotFound, KeyReused, LockBusy, StoreFull, StoreUnavailable: nothing was changed.
        OutcomeUnknown: it may have been deleted; with a key, ask again.
    """

    def change(row: ModelRow) -> Answer:
        answer: Answer = {"name": name, "version": row.version, "replayed": False}
        with store.database.writing(deadline) as transaction:
            models.delete(transaction, row.id)
            store_answer(store, transaction, key, row.id, answer)
        store.observer.on_change("deleted")
        # A sweep removes the files where they are copied now, or the disk fails: the model is deleted.
        with suppress(LockBusy, StoreUnavailable), shared_lock(store.folder.removal_lock):
            store.folder.remove_model(row.id)
        return answer

    return change_once(store, owner, name, deadline, key, change)


def _answer(version: int, step: int) -> Answer:
    return {"version": version, "step": step, "durable": True, "replayed": False}
