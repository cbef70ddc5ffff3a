"""Versions: the numbers of any version for readers, the ledger, and the description of a model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from time import monotonic
from typing import Any, NamedTuple

from deltawire.errors import Refused
from deltawire_service.engine import PluginError
from deltawire_service.models.errors import ModelNotFound
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.newest import is_sound, read_newest, recover
from deltawire_service.models.numbers import PARAMS, Numbers
from deltawire_service.models.replay import find_origin, replay_exactly
from deltawire_service.store.errors import LockBusy, StoreUnavailable
from deltawire_service.store.folders import new_id
from deltawire_service.store.quotas import check_disk
from deltawire_service.store.slot_files import Layout
from deltawire_service.store.tables import entries, models
from deltawire_service.store.tables.entries import Entry
from deltawire_service.store.tables.models import ModelRow


class Version(NamedTuple):
    """A version of a model, and its numbers, read-only."""

    row: ModelRow
    entry: Entry
    numbers: Numbers


@contextmanager
def open_version(
    store: ModelStore, owner: str, name: str, deadline: float, version: int | None = None
) -> Iterator[Version]:
    """Give a version of a model, and keep its numbers as they are until the end.

    Args:
        store: the models.
        owner: whoever asks.
        name: the name of the model.
        deadline: when to give up, as time.monotonic counts.
        version: the version; None for the newest.

    Raises:
        ModelNotFound, VersionNotFound: there is none.
        VersionExpired: what it takes to compute the version is not kept any more.
        VersionNotReproducible: the version was computed in another way than this process computes.
        LockBusy: others made newer versions until the deadline, or slow readers hold too many.
        StoreFull, StoreUnavailable: the disk fails, or has no room beside that of the next step.
    """
    row = store.find(owner, name)
    while version in (None, row.version):  # others may make newer versions meanwhile
        with (
            store.readers.holding(store.folder_of(row.id).path, row.slot) as surplus,
            read_newest(store, row) as newest,
        ):
            if newest is not None:
                if surplus:
                    _check_room(store, newest.layout)
                yield Version(newest.row, newest.entry, newest.numbers)
                return
        before, row = row, store.find(owner, name)
        if row.stamp == before.stamp:  # nobody wrote a newer version: the slot is not sound
            with store.locked(owner, name, deadline) as row:
                # Whoever wrote the version may only have held its slot still.
                if row.stamp == before.stamp and not is_sound(store, row):
                    row = recover(store, row, deadline)
            if monotonic() > deadline:
                raise LockBusy
    with reproduce(store, row, version) as reproduced:
        yield reproduced


@contextmanager
def reproduce(store: ModelStore, row: ModelRow, version: int) -> Iterator[Version]:
    """Compute a version again, in a slot that nobody else sees, and keep its numbers until the end.

    Args:
        store: the models.
        row: the model.
        version: the version.

    Raises:
        VersionNotFound, VersionExpired, VersionNotReproducible: as for `open_version`.
        LockBusy, StoreFull, StoreUnavailable: as for `open_version`.
    """
    origin = find_origin(store, row, version)
    layout = store.layout_of(row, origin.entry.optimizer)
    with store.readers.holding(store.folder_of(row.id).path, new_id()):
        _check_room(store, layout)
        with store.slots.scratch(store.folder.path, layout) as slot:
            replay_exactly(store, row, origin, Numbers.split(slot.arrays(writable=True)))
            yield Version(row, origin.entry, Numbers.split(slot.arrays()))


def _check_room(store: ModelStore, layout: Layout) -> None:
    """Check that the disk has room for a file of a reader, and then for the slot of a step."""
    check_disk(store.folder.path, store.limits, 2 * layout.bytes)


def describe(store: ModelStore, owner: str, name: str) -> dict[str, Any]:
    """Return the description of a model, as JSON.

    Args:
        store: the models.
        owner: whoever asks.
        name: the name of the model.

    Raises:
        ModelNotFound: there is none.
    """
    row = store.find(owner, name)
    entry = find_origin(store, row, row.version).entry
    parameters = [
        {"name": key.removeprefix(PARAMS), "shape": place.shape, "numbers": prod(place.shape)}
        for key, place in store.layout_of(row, entry.optimizer).places.items()
        if key.startswith(PARAMS)
    ]
    return {
        **_description(store, row, entry),
        "network": json.loads(row.network),
        "parameters": parameters,
    }


def list_models(
    store: ModelStore, owner: str, after: str, most: int, contains: str = ""
) -> list[dict[str, Any]]:
    """Return the descriptions of the models of an owner, by name, also of those that cannot be used now.

    Args:
        store: the models.
        owner: whoever asks.
        after: the name that the page follows; empty for the first page.
        most: number of models on a page.
        contains: a part of their names, in small or capital letters.
    """
    with store.database.reading() as transaction:  # one, so that no model is deleted meanwhile
        rows = models.page(transaction, owner, after, most, contains)
        newest = [entries.page(transaction, row.id, row.version - 1, 1) for row in rows]
    return [
        _description(store, row, entry) for row, found in zip(rows, newest, strict=True) for entry in found
    ]


def read_ledger(store: ModelStore, owner: str, name: str, after: int, most: int) -> list[dict[str, Any]]:
    """Return entries of the ledger of a model, as JSON.

    Args:
        store: the models.
        owner: whoever asks.
        name: the name of the model.
        after: the version that the page follows; −1 for the first page.
        most: number of entries on a page.

    Raises:
        ModelNotFound: there is no such model.
    """
    row = store.find(owner, name)
    with store.database.reading() as transaction:
        page = entries.page(transaction, row.id, after, most)
    return [
        {"version": entry.version, "kind": entry.kind, "step": entry.step, **_details(entry)}
        for entry in page
    ]


def _details(entry: Entry) -> Mapping[str, Any]:
    details: dict[str, Any] = json.loads(entry.details)
    return details


def _description(store: ModelStore, row: ModelRow, entry: Entry) -> dict[str, Any]:
    """Describe a model, also one that takes a layer or an optimizer that is not installed any more.

    Args:
        store: the models.
        row: the model.
        entry: the entry of its newest version.
    """
    network_id, unusable = None, None
    try:
        network_id = store.network_of(row).id
        store.rule_of(entry.optimizer)
    except (Refused, PluginError) as error:
        unusable = "; ".join(fault.detail for fault in error.faults)
    return {
        "name": row.name,
        "network_id": network_id,
        "unusable": unusable,
        "dtype": row.dtype,
        "lineage": row.lineage,
        "version": entry.version,
        "earliest_version": row.floor,
        "durable": row.reserved == row.version,
        "step": entry.step,
        "loss": _details(entry).get("loss"),
        "optimizer": json.loads(entry.optimizer),
        "bytes": _layout_bytes(store, row, entry),
    }


def _layout_bytes(store: ModelStore, row: ModelRow, entry: Entry) -> int | None:
    """Return the bytes of a slot of a model; None where only its snapshot tells them, and cannot be read."""
    try:
        return store.layout_of(row, entry.optimizer).bytes
    except (ModelNotFound, StoreUnavailable):
        return None
