"""The numbers of any version, computed again from the newest snapshot before it and the entries after that.

A created, restored or rebased version has a snapshot of its own. So the entries after a snapshot are steps,
and changes of the rule, which leave the numbers alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from time import monotonic, sleep
from typing import Any, NamedTuple

from deltawire.wire import Array
from deltawire_optimizers import Step
from deltawire_service.datasets.columns import Columns
from deltawire_service.datasets.errors import DatasetNotFound
from deltawire_service.datasets.rows import RowsReference, input_dtypes
from deltawire_service.engine import Network, current_deadline
from deltawire_service.faults import ServiceError
from deltawire_service.models import batches
from deltawire_service.models.computation import (
    DATA,
    AnswerArrays,
    GradientsResult,
    StepWork,
    compute_gradients,
)
from deltawire_service.models.errors import (
    ModelNotFound,
    VersionExpired,
    VersionNotFound,
    VersionNotReproducible,
)
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.numbers import Numbers
from deltawire_service.models.update_rules import to_json
from deltawire_service.store.errors import StoreUnavailable
from deltawire_service.store.snapshots import load_snapshot
from deltawire_service.store.tables import entries, models, snapshots
from deltawire_service.store.tables.entries import Entry
from deltawire_service.store.tables.models import ModelRow
from deltawire_service.store.tables.snapshots import SnapshotRow

PAGE = 8
"""Entries that are read at once: each may have a batch of 1 MiB."""

PAUSE = 0.05
"""Seconds before a step of a replay asks again for its turn to compute."""

OPEN_DATASETS = 4
"""Datasets that stay open through a replay: their descriptions may be large."""

SKIPPING = ("lost", "rebased")
"""Kinds of entries before which versions may be missing."""


class _DataGone(RuntimeError):
    """The data of an entry is gone: it has expired, or its step was not durable."""


class Origin(NamedTuple):
    """A version and the snapshot that its numbers follow from."""

    entry: Entry
    """The entry of the version, without its batch."""
    snapshot: SnapshotRow


def find_origin(store: ModelStore, row: ModelRow, version: int) -> Origin:
    """Return the entry of a version, and the newest snapshot up to it.

    Args:
        store: the models.
        row: the model.
        version: the version.

    Raises:
        ModelNotFound: the model was deleted.
        VersionNotFound: it has no such version.
        VersionExpired: what it takes to compute the version is not kept any more, or the version was lost.
    """
    with store.database.reading() as transaction:
        current = models.get(transaction, row.id)
        page = entries.page(transaction, row.id, version - 1, 1)
        snapshot = snapshots.newest(transaction, row.id, version)
    if current is None:
        raise ModelNotFound(f"model '{row.name}' was deleted")
    if 0 <= version < current.floor:
        detail = (
            f"version {version} of model '{row.name}' is not kept any more: the earliest is {current.floor}"
        )
        raise VersionExpired(detail)
    if version >= 0 and page and page[0].version > version and page[0].kind in SKIPPING:
        raise VersionExpired(_explain_gap(row, version, page[0]))
    if not page or page[0].version != version or snapshot is None:
        versions = f"{current.floor} to {current.version}"
        raise VersionNotFound(f"model '{row.name}' has the versions {versions}, not {version}")
    return Origin(page[0], snapshot)


def _explain_gap(row: ModelRow, version: int, following: Entry) -> str:
    """Say why a model has no such version, though it has later ones; following: the entry after the gap."""
    why = (
        "was lost when the system crashed, or never given" if following.kind == "lost" else "was never given"
    )
    before = json.loads(following.details)["from"]
    return (
        f"version {version} of model '{row.name}' {why}: the model went on from version {before} as version "
        f"{following.version}, at the same step; ask for one of them"
    )


def replay(store: ModelStore, row: ModelRow, origin: Origin, numbers: Numbers) -> bool:
    """Compute the numbers of a version.

    Args:
        store: the models.
        row: the model.
        origin: the version and its snapshot.
        numbers: where the numbers are written.

    Returns:
        True when they are exact: all steps were computed in the way that this process computes, and have the
        same loss and the same norm of gradients again.

    Raises:
        VersionExpired, ModelNotFound: it was removed meanwhile.
        StoreUnavailable: the disk fails.
        Refused, PluginError, DeadlineExceeded: as for a step.
    """
    try:
        with store.observer.timing("replay"):
            return _replay(store, row, origin, numbers)
    except StoreUnavailable:
        find_origin(store, row, origin.entry.version)  # it may have expired meanwhile
        raise
    except _DataGone as error:
        version = find_origin(store, row, origin.entry.version).entry.version
        detail = f"version {version} of model '{row.name}' follows from steps that were not durable"
        raise VersionExpired(f"{detail}: their batches are not kept") from error


def _replay(store: ModelStore, row: ModelRow, origin: Origin, numbers: Numbers) -> bool:
    path = store.folder_of(row.id).snapshots / origin.snapshot.file
    load_snapshot(path, numbers.joined())
    # The bounds of a layer may be newer than a step that was accepted.
    network, fingerprint, exact = store.network_of(row).without_bounds(), store.fingerprint, True

    @lru_cache(OPEN_DATASETS)
    def open_dataset(dataset: str) -> Columns:
        return store.datasets.open(store.datasets.get(dataset))

    for entry in _read_entries(store, row, origin.snapshot.version, origin.entry.version):
        if entry.kind == "step":
            same = _take_step(store, row, network, entry, numbers, open_dataset)
            exact = exact and same and entry.fingerprint == fingerprint
    return exact


def _read_entries(store: ModelStore, row: ModelRow, after: int, last: int) -> Iterator[Entry]:
    """Yield the entries of all versions after one, up to another one, with their batches.

    Raises:
        _DataGone: an entry is gone.
        StoreUnavailable: the disk fails.
    """
    while after < last:
        with store.database.reading() as transaction:
            page = list(entries.every(transaction, row.id, after, min(PAGE, last - after)))
        if not page or page[-1].version != after + len(page):
            raise _DataGone(f"the ledger of model {row.id} has a gap after entry {after}")
        yield from page
        after += len(page)


def replay_exactly(store: ModelStore, row: ModelRow, origin: Origin, numbers: Numbers) -> None:
    """Compute the numbers of a version, and refuse those that are not exact.

    Args:
        store: the models.
        row: the model.
        origin: the version and its snapshot.
        numbers: where the numbers are written.

    Raises:
        VersionNotReproducible: the version was computed in another way than this process computes.
        VersionExpired, ModelNotFound, StoreUnavailable: as for `replay`.
        Refused, PluginError, DeadlineExceeded: as for a step.
    """
    if not replay(store, row, origin, numbers):
        version = origin.entry.version
        raise VersionNotReproducible(
            f"version {version} of model '{row.name}' was computed with other libraries or another processor"
        )


def _take_step(
    store: ModelStore,
    row: ModelRow,
    network: Network,
    entry: Entry,
    numbers: Numbers,
    open_dataset: Callable[[str], Columns],
) -> bool:
    """Take the step of an entry in place, and return whether its loss and norm are those of the entry."""
    details = json.loads(entry.details)
    # The rule in force, or the one that was asked for this step only.
    rule = store.rule_of(to_json(details["rule"]) if "rule" in details else entry.optimizer)
    arrays = _read_data(store, row, network, entry, details, open_dataset)
    wanted = AnswerArrays(**details.get("wanted", {}))
    work = StepWork(network.with_noise(details.get("noise_seed")), details["reduction"], arrays, wanted)
    loss, gradients, _ = _compute_patiently(work, numbers)
    norm = rule.apply(numbers, gradients, Step(entry.step, details["learning_rate"]), numbers)
    return bool(loss == details["loss"] and norm == details["gradient_norm"])


def _read_data(
    store: ModelStore,
    row: ModelRow,
    network: Network,
    entry: Entry,
    details: Mapping[str, Any],
    open_dataset: Callable[[str], Columns],
) -> Mapping[str, Array]:
    """Return the arrays that a step has computed with, as its entry keeps them or refers to them."""
    if not entry.has_data:
        raise _DataGone(f"entry {entry.version} of model {row.id} has no data")
    arrays = {} if entry.batch is None else batches.read(store.folder_of(row.id), entry.batch)
    if entry.dataset is None:
        return arrays
    try:
        columns = open_dataset(entry.dataset)
    except DatasetNotFound as error:  # the entry was pruned meanwhile, and then the dataset was deleted
        raise _DataGone(f"the dataset of entry {entry.version} of model {row.id} is deleted") from error
    reference = RowsReference.recorded(entry.dataset, details, arrays)
    gathered = reference.gather(columns, input_dtypes(network, row.dtype))
    return {f"{DATA}{name}": array for name, array in gathered.items()}


def _compute_patiently(work: StepWork, numbers: Numbers) -> GradientsResult:
    """Compute the gradients of a step; wait for other computations until the deadline of the request, if any.

    A replay that gave up at one of its steps would begin again with the first.
    """
    while True:
        try:
            return compute_gradients(work, numbers)
        except ServiceError as error:
            if error.code != "overloaded" or monotonic() >= current_deadline():
                raise
            sleep(PAUSE)
