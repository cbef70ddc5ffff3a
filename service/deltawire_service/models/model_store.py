"""The parts that everything about models is made of, and how a model is found and locked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cached_property, lru_cache
from sqlite3 import Connection
from typing import Any

import numpy as np

from deltawire.errors import Refused
from deltawire.wire import Array
from deltawire_optimizers import Registry
from deltawire_plugins.shown import shown
from deltawire_service.datasets.dataset_store import DatasetStore
from deltawire_service.engine import Network, PluginError
from deltawire_service.faults import nearest
from deltawire_service.models.errors import ModelNotFound
from deltawire_service.models.numbers import Numbers, make_layout
from deltawire_service.models.update_rules import UpdateRule, read_rule
from deltawire_service.store.database import Database
from deltawire_service.store.errors import LockGone
from deltawire_service.store.file_locks import FileLocks
from deltawire_service.store.folders import ModelFolder, StoreFolder
from deltawire_service.store.limits import StoreLimits
from deltawire_service.store.observer import UNOBSERVED, Observer
from deltawire_service.store.quotas import check_disk, check_quota
from deltawire_service.store.readers import Readers
from deltawire_service.store.slot_files import Layout, SlotFiles
from deltawire_service.store.snapshots import read_snapshot
from deltawire_service.store.stored_answers import StoredAnswers
from deltawire_service.store.tables import models, snapshots
from deltawire_service.store.tables.models import ModelRow

CACHED = 128
"""Rules, layouts and folders that are kept."""

WRITERS = 4
"""Threads that write batches while steps are computed."""

DEFAULT_LIMITS = StoreLimits()

LISTED = 20
"""Names that a message about an unknown model chooses from."""

Check = Callable[[Connection, ModelRow], None]
"""Gets the row of a model in the transaction that has read it, and raises where it may not be used."""


def accept(transaction: Connection, row: ModelRow) -> None:
    """Accept every model."""


class ModelStore:
    """The models of a service. Shared between threads.

    Args:
        folder: the folder of the store.
        compile_network: makes the network of a spec, and keeps it.
        optimizers: the optimizers that are installed.
        engine_fingerprint: returns the fingerprint of this process.
        limits: how much is kept.
        observer: is told what the store does.
    """

    def __init__(
        self,
        folder: StoreFolder,
        compile_network: Callable[[Any], Network],
        optimizers: Registry,
        engine_fingerprint: Callable[[], str],
        limits: StoreLimits = DEFAULT_LIMITS,
        observer: Observer = UNOBSERVED,
    ):
        self.folder = folder
        self.observer = observer
        self.optimizers = optimizers
        self.limits = limits
        self.answers = StoredAnswers(limits)
        self.locks = FileLocks()
        self.database = Database(folder, self.locks, observer)
        self.datasets = DatasetStore(folder, self.database, self.answers, limits, observer)
        self.slots = SlotFiles()
        self.readers = Readers()
        # The pool starts its threads with its first task: after a server has made its worker processes.
        self.writers = ThreadPoolExecutor(WRITERS, "batches")
        self.compile_network = compile_network
        self._engine_fingerprint = engine_fingerprint
        self._read_rule = lru_cache(CACHED)(lambda text: read_rule(json.loads(text), optimizers))
        self._make_layout = lru_cache(CACHED)(self._layout)
        self._folder_of = lru_cache(CACHED)(folder.model)

    def prepare(self) -> None:
        """Make the folder and its tables, or bring them up to date, before the process forks.

        Raises:
            SchemaUnknown: a later version of deltawire wrote the database.
            StoreFull, StoreUnavailable: the disk cannot be used.
        """
        self.folder.prepare()
        self.database.prepare()

    def close(self) -> None:
        """Close the connections to the database that nobody uses. Others are opened when they are needed."""
        self.database.close()

    @cached_property
    def fingerprint(self) -> str:
        """The fingerprint of the steps of this process: that of the engine, and the optimizers."""
        distributions = sorted({self.optimizers.distribution(kind) for kind in self.optimizers})
        return hashlib.sha256(repr((self._engine_fingerprint(), distributions)).encode()).hexdigest()

    def find(self, owner: str, name: str, check: Check = accept) -> ModelRow:
        """Return the row of a model.

        Args:
            owner: whoever asks.
            name: the name of the model.
            check: raises where the model may not be used.

        Raises:
            ModelNotFound: the owner has no such model.
        """
        with self.database.reading() as transaction:
            row = models.find(transaction, owner, name)
            if row is None:
                known = [each.name for each in models.page(transaction, owner, "", LISTED)]
                raise ModelNotFound(f"there is no model {shown(name)}{nearest(name, known)}")
            check(transaction, row)
        return row

    @contextmanager
    def locked(self, owner: str, name: str, deadline: float, check: Check = accept) -> Iterator[ModelRow]:
        """Lock a model, so that nobody else changes it, and give its row.

        Args:
            owner: whoever asks.
            name: the name of the model.
            deadline: when to give up, as time.monotonic counts.
            check: raises where the model may not be used. It is called before anybody waits for the lock, and
                again once the lock is held.

        Raises:
            ModelNotFound: the owner has no such model, or has it no more.
            LockBusy: others changed the model until the deadline.
        """
        while True:
            model_id = self.find(owner, name, check).id
            try:
                with ExitStack() as held:
                    with self.observer.timing("lock"):
                        lock = self.locks.exclusive(self.folder_of(model_id).lock, deadline, patient=True)
                        held.enter_context(lock)
                    row = self.find(owner, name, check)
                    if row.id == model_id:  # the name may have been given to another model meanwhile
                        yield row
                        return
            except LockGone:
                if self.find(owner, name).id == model_id:
                    raise

    def check_room(self, owner: str, more_bytes: int, written_bytes: int, more_models: int = 0) -> None:
        """Check that an owner may have more, and that the disk has room for it.

        Args:
            owner: the owner.
            more_bytes: bytes that a change adds.
            written_bytes: bytes that are written for it, also for a while.
            more_models: models that it adds.

        Raises:
            QuotaExceeded, StoreFull, StoreUnavailable: nothing may be changed.
        """
        with self.database.reading() as transaction:
            check_quota(transaction, owner, self.limits, more_bytes, more_models)
        check_disk(self.folder.path, self.limits, written_bytes)

    def folder_of(self, model_id: str) -> ModelFolder:
        """Return the folder of a model."""
        return self._folder_of(model_id)

    def network_of(self, row: ModelRow) -> Network:
        """Return the network of a model. Raises Refused where a layer is not installed any more."""
        return self.compile_network(json.loads(row.network))

    def rule_of(self, optimizer: str) -> UpdateRule:
        """Return the rule of an entry, from its JSON. Raises Refused where it is not installed any more."""
        return self._read_rule(optimizer)

    def layout_of(self, row: ModelRow, optimizer: str) -> Layout:
        """Return the layout of a model's slots; optimizer: the JSON of the rule in any of its entries.

        Where a layer or the optimizer is not installed any more, it is that of the newest snapshot.

        Raises:
            StoreUnavailable: the snapshot is gone, or the disk fails.
        """
        try:
            return self._make_layout(row.network, row.dtype, optimizer)
        except (Refused, PluginError):
            return self._stored_layout(row)

    def _stored_layout(self, row: ModelRow) -> Layout:
        """Return the layout of the newest snapshot: the arrays are in a slot in the order of a snapshot."""
        with self.database.reading() as transaction:
            snapshot = snapshots.newest(transaction, row.id, row.version)
        if snapshot is None:
            raise ModelNotFound(f"model '{row.name}' was deleted")
        arrays = read_snapshot(self.folder_of(row.id).snapshots / snapshot.file)
        shapes = {name: array.shape for name, array in arrays.items()}
        return Layout(shapes, np.dtype(row.dtype), {name: array.dtype for name, array in arrays.items()})

    def constants_of(self, model_id: str) -> dict[str, Array]:
        """Return the inputs that a model keeps, by name: copies, for they stay as they are.

        Raises:
            ModelNotFound: the model was deleted.
            StoreUnavailable: its snapshot is gone, or the disk fails.
        """
        with self.database.reading() as transaction:
            kept = snapshots.every(transaction, model_id)
        if not kept:
            raise ModelNotFound("the model was deleted")
        arrays = read_snapshot(self.folder_of(model_id).snapshots / kept[-1].file)
        return {name: array.copy() for name, array in Numbers.split(arrays).constants.items()}

    def _layout(self, network: str, dtype: str, optimizer: str) -> Layout:
        return make_layout(
            self.compile_network(json.loads(network)), self._read_rule(optimizer).optimizer, dtype
        )
