"""The start of a service that keeps models: its folder is made ready, then every model is made sound."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from logging import Logger
from math import inf

from deltawire_service.models.errors import ModelNotFound
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.newest import read_newest, recover
from deltawire_service.models.sweeps import sweep
from deltawire_service.store.database import Database
from deltawire_service.store.errors import StoreFull, StoreUnavailable
from deltawire_service.store.file_locks import FileLocks
from deltawire_service.store.folders import StoreFolder
from deltawire_service.store.schema import SchemaUnknown
from deltawire_service.store.tables import models
from deltawire_service.store.tables.models import ModelRow


class StoreUnusable(RuntimeError):
    """The folder of the models cannot be used, so the service must not start.

    gunicorn prints the message of a RuntimeError, and ends.
    """


def prepare_folder(folder: StoreFolder) -> None:
    """Make a folder ready to keep models in, with its tables.

    Raises:
        StoreUnusable: the folder is read-only, full, no folder, or written by a later version.
    """
    with _usable(folder):
        folder.prepare()
        Database(folder, FileLocks()).prepare()


def prepare(store: ModelStore) -> None:
    """Make the folder ready before the process forks, and remove what dead processes have left behind.

    No connection to the database stays open, because a child must not use one of its parent.

    Raises:
        StoreUnusable: as for `prepare_folder`.
    """
    prepare_folder(store.folder)
    with _usable(store.folder), closing(store):
        sweep(store)


@contextmanager
def _usable(folder: StoreFolder) -> Iterator[None]:
    try:
        yield
    except (SchemaUnknown, StoreFull, StoreUnavailable) as error:
        reason = error.__cause__ or error
        raise StoreUnusable(f"models cannot be kept in {folder.path}: {reason}") from error


def recover_all(store: ModelStore, log: Logger) -> None:
    """Compute the newest version again of every model whose slot does not have it, such as after a reboot.

    A model that cannot be recovered is logged, and does not keep others from it. Each request for it tries
    again, and is answered with the reason.

    Args:
        store: the models.
        log: gets a line for each model that cannot be recovered.
    """
    try:
        with store.database.reading() as transaction:
            known = models.identifiers(transaction)
    except StoreUnavailable:
        log.exception("the models cannot be looked at")
        return
    for model_id in sorted(known):
        try:
            _recover(store, model_id)
        except Exception:  # a plugin's layer may raise anything
            log.exception("model %s cannot be recovered", model_id)


def _recover(store: ModelStore, model_id: str) -> None:
    with store.database.reading() as transaction:
        row = models.get(transaction, model_id)
    if row is None or _is_sound(store, row):
        return
    try:
        with store.locked(row.owner, row.name, inf) as row:
            if not _is_sound(store, row):  # another worker may have recovered it meanwhile
                recover(store, row, inf)
    except ModelNotFound:  # it was deleted meanwhile
        return


def _is_sound(store: ModelStore, row: ModelRow) -> bool:
    with read_newest(store, row) as newest:
        return newest is not None
