"""The start of a service that keeps models: its folder is made ready, before its processes fork."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from deltawire_service.models.maintenance.sweeps import sweep
from deltawire_service.models.model_store import ModelStore
from deltawire_service.store.database import Database
from deltawire_service.store.errors import StoreFull, StoreUnavailable
from deltawire_service.store.file_locks import FileLocks
from deltawire_service.store.folders import StoreFolder
from deltawire_service.store.tables.schema import SchemaUnknown


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
