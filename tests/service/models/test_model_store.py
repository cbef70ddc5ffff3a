"""Models are found by owner and name, and locked by the id that the name has then."""

from __future__ import annotations

from math import inf
from sqlite3 import Connection
from threading import Event, Thread

import pytest
from support.models import ADAM, OWNER, SPEC, create, open_store

from deltawire_service.models import creations
from deltawire_service.models.alterations import delete
from deltawire_service.models.creations import CreateRequest
from deltawire_service.models.errors import ModelNotFound
from deltawire_service.models.model_store import ModelStore
from deltawire_service.store.file_locks import try_lock
from deltawire_service.store.tables.models import ModelRow


def test_the_fingerprint_is_that_of_the_engine_and_of_the_optimizers(store: ModelStore) -> None:
    same, other = open_store(store.folder.path), open_store(store.folder.path, "another engine")
    assert store.fingerprint == same.fingerprint != other.fingerprint


def wait_for(store: ModelStore, found: list[str], asked: Event) -> Thread:
    """A thread that waits for the lock of the model."""

    def wait() -> None:
        asked.set()
        try:
            with store.locked(OWNER, "model", inf) as row:
                found.append(row.id)
        except ModelNotFound:
            found.append("")

    thread = Thread(target=wait)
    thread.start()
    return thread


@pytest.mark.parametrize("successor", [True, False])
def test_who_waits_for_a_model_that_is_deleted_gets_its_successor_or_none(
    store: ModelStore, successor: bool
) -> None:
    create(store)
    found, asked = list[str](), Event()
    with store.locked(OWNER, "model", inf) as row:
        thread = wait_for(store, found, asked)
        asked.wait()
        with store.database.writing() as transaction:
            transaction.execute("DELETE FROM models")
        store.folder.remove_model(row.id)
        if successor:
            creations.create(store, OWNER, "model", CreateRequest(SPEC, ADAM), inf)
    thread.join()
    assert found == [store.find(OWNER, "model").id if successor else ""]


def test_a_model_is_checked_before_its_lock_and_under_it(store: ModelStore) -> None:
    create(store)
    lock, busy = store.folder_of(store.find(OWNER, "model").id).lock, list[bool]()

    def check(transaction: Connection, row: ModelRow) -> None:
        with open(lock) as file:
            busy.append(not try_lock(file.fileno()))
        if len(busy) == 4:
            raise ZeroDivisionError

    with store.locked(OWNER, "model", inf, check):
        assert busy == [False, True]
    with pytest.raises(ZeroDivisionError), store.locked(OWNER, "model", inf, check):
        raise AssertionError("a model that may not be used was given")
    assert busy == [False, True, False, True]
    with store.locked(OWNER, "model", inf):
        pass


def test_a_message_about_an_unknown_name_knows_only_those_of_the_owner(store: ModelStore) -> None:
    create(store, "digits")
    with pytest.raises(ModelNotFound, match="did you mean 'digits'"):
        store.find(OWNER, "digit")
    with pytest.raises(ModelNotFound, match="there are none"):
        delete(store, "ben", "digit", inf)
