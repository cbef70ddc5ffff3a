"""A process that forks shares no connection, no lock and no queue with its child."""

from __future__ import annotations

import gc
import os
import time
from math import inf
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest
from support.forks import ends_well, in_child

from deltawire_service.store.database import Database
from deltawire_service.store.errors import LockBusy
from deltawire_service.store.file_locks import FileLocks, shared_lock
from deltawire_service.store.forks import at_fork
from deltawire_service.store.slot_files import Layout, SlotFiles

INSERT = (
    "INSERT INTO idempotency_keys (owner, key, digest, model, answer) "
    "VALUES ('owner', ?, x'00', 'model', '{}')"
)


def insert(database: Database, key: str) -> None:
    with database.writing() as connection:
        connection.execute(INSERT, (key,))


def count(database: Database) -> int:
    with database.reading() as connection:
        return int(connection.execute("SELECT count(*) FROM idempotency_keys").fetchone()[0])


def test_a_child_has_locks_of_its_own_on_the_database(database: Database) -> None:
    insert(database, "parent")
    ready, proceed = os.pipe(), os.pipe()

    def read_long() -> None:
        with database.reading() as connection:
            assert connection.execute("SELECT count(*) FROM idempotency_keys").fetchone()[0] == 1
            os.write(ready[1], b".")
            os.read(proceed[0], 1)
            assert connection.execute("SELECT count(*) FROM idempotency_keys").fetchone()[0] == 1

    child = in_child(read_long)
    os.read(ready[0], 1)
    insert(database, "parent again")
    assert not database.checkpoint()  # with the locks of the parent, the reader would count for nothing
    os.write(proceed[1], b".")
    assert ends_well(child)
    assert database.checkpoint()


def test_parent_and_child_write_in_turns(database: Database) -> None:
    for turn in range(5):
        insert(database, f"parent {turn}")
        assert ends_well(in_child(lambda turn=turn: insert(database, f"child {turn}")))  # type: ignore[misc]
    assert count(database) == 10
    with database.reading() as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_a_fork_waits_for_the_transactions_of_other_threads(database: Database) -> None:
    begun = Event()

    def write_slowly() -> None:
        with database.writing() as connection:
            connection.execute(INSERT, ("slow",))
            begun.set()
            time.sleep(0.1)

    thread = Thread(target=write_slowly)
    thread.start()
    begun.wait()
    child = in_child(lambda: insert(database, "child"))
    assert ends_well(child)
    thread.join()
    assert count(database) == 2


def test_a_child_that_was_forked_inside_a_transaction_says_so(database: Database) -> None:
    def use() -> None:
        with pytest.raises(RuntimeError, match="inside a transaction"):
            count(database)

    with database.writing() as connection:
        connection.execute(INSERT, ("parent",))
        assert ends_well(in_child(use))
    assert count(database) == 1


def test_a_child_keeps_no_lock_of_its_parent(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    locks, proceed = FileLocks(), os.pipe()

    def find_it_held() -> None:
        os.read(proceed[0], 1)
        with pytest.raises(LockBusy), locks.exclusive(path, time.monotonic() + 0.02):
            pass

    with locks.exclusive(path, inf):
        child = in_child(find_it_held)
        grandchild = in_child(lambda: time.sleep(0.5))
        os.write(proceed[1], b".")
        assert ends_well(child)
        with pytest.raises(LockBusy), shared_lock(path):  # the end of the child has not freed it
            pass
    with locks.exclusive(path, time.monotonic()):
        pass
    assert ends_well(grandchild)


def test_a_slot_that_the_parent_reads_is_not_written_by_a_child(tmp_path: Path) -> None:
    layout, files = Layout({"w": (8,)}, np.dtype("float64")), SlotFiles()
    with files.free(tmp_path, layout, None) as slot:
        slot.arrays(writable=True)["w"][:] = 7
        slot.set_stamp()

    def write_another() -> None:
        with files.free(tmp_path, layout, None) as other:
            assert other.name != slot.name
            other.arrays(writable=True)["w"][:] = 8

    with files.shared(tmp_path, slot.name, layout) as read:
        assert ends_well(in_child(write_another))
        assert read and (read.arrays()["w"] == 7).all()


def test_hooks_do_not_keep_their_object(tmp_path: Path) -> None:
    calls = list[int]()

    class Part:
        def call(self) -> None:
            calls.append(1)

    part = Part()
    at_fork(before=part.call)
    assert ends_well(in_child(lambda: None)) and calls == [1]
    del part
    gc.collect()
    assert ends_well(in_child(lambda: None)) and calls == [1]
