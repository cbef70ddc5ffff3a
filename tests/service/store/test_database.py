"""Transactions are whole or not at all, also where a process dies or the disk fails."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from deltawire_service.store import database as module
from deltawire_service.store.database import Database
from deltawire_service.store.errors import LockBusy, OutcomeUnknown, StoreFull, StoreUnavailable
from deltawire_service.store.file_locks import FileLocks
from deltawire_service.store.folders import StoreFolder

COUNT = "SELECT count(*) FROM idempotency_keys"
INSERT = (
    "INSERT INTO idempotency_keys (owner, key, digest, model, answer) "
    "VALUES ('owner', ?, x'00', 'model', '{}')"
)


def count(database: Database) -> int:
    with database.reading() as connection:
        return int(connection.execute(COUNT).fetchone()[0])


def insert(database: Database, key: object) -> None:
    with database.writing() as connection:
        connection.execute(INSERT, (str(key),))


def test_a_commit_is_kept_and_an_error_undoes_all(database: Database) -> None:
    insert(database, 1)
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        connection.execute(INSERT, ("2",))
        raise ZeroDivisionError
    with pytest.raises(sqlite3.IntegrityError):
        insert(database, 1)
    insert(database, 3)
    assert count(database) == 2


def test_every_connection_syncs_its_commits_and_makes_no_checkpoints(database: Database) -> None:
    with database.reading() as connection:
        values = [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "wal_autocheckpoint", "foreign_keys")
        ]
    assert values == ["wal", 2, 0, 1]


def test_a_reader_sees_one_state_while_others_write(database: Database) -> None:
    with database.reading() as connection:
        before = connection.execute(COUNT).fetchone()[0]
        insert(database, 1)
        assert connection.execute(COUNT).fetchone()[0] == before
    assert count(database) == before + 1


def test_threads_write_one_after_the_other(database: Database) -> None:
    threads = [Thread(target=lambda n=n: [insert(database, (n, k)) for k in range(20)]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(database) == 160


def test_a_writer_gives_up_at_its_deadline(folder: StoreFolder, database: Database) -> None:
    with FileLocks().exclusive(folder.write_lock, time.monotonic() + 1):
        began = time.monotonic()
        with pytest.raises(LockBusy), database.writing(began + 0.05):
            pass
        assert 0.05 <= time.monotonic() - began < 1


def pages(folder: StoreFolder) -> int:
    """Return the pages that were copied back into the database."""
    return folder.database.stat().st_size // 4096


def log_length(folder: StoreFolder) -> int:
    return Path(f"{folder.database}-wal").stat().st_size


def insert_many(database: Database, keys: range) -> None:
    for key in keys:
        insert(database, f"{key}{'x' * 1000}")


def test_a_long_log_is_copied_back_and_written_over(
    folder: StoreFolder, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHECKPOINT_BYTES", 100_000)
    lengths, copied = list[int](), list[int]()
    for key in range(100):
        insert_many(database, range(key, key + 1))
        lengths.append(log_length(folder))
        copied.append(pages(folder))
    assert lengths == sorted(lengths) and lengths[-1] < 150_000
    assert copied == sorted(copied) and len(set(copied)) > 3
    assert count(database) == 100
    assert database.checkpoint() and log_length(folder) == 0


def test_a_reader_makes_the_log_longer_for_a_while(
    folder: StoreFolder, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHECKPOINT_BYTES", 100_000)
    with database.reading() as connection:
        connection.execute(COUNT)
        insert_many(database, range(60))
        longest = log_length(folder)
        assert longest > 200_000 and connection.execute(COUNT).fetchone()[0] == 0
    insert_many(database, range(60, 260))
    assert log_length(folder) == longest
    assert count(database) == 260


def test_a_writer_frees_no_lock_of_a_reader(folder: StoreFolder, database: Database) -> None:
    """A process loses its locks on a file when it closes any descriptor of it, by POSIX."""
    insert(database, 1)
    with database.reading() as connection:
        connection.execute(COUNT)
        insert(database, 2)
        code = "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone())"
        command = [sys.executable, "-c", code, str(folder.database), "PRAGMA wal_checkpoint(TRUNCATE)"]
        answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        assert answer[0] == "1", "another process copied the log back under a reader"


def test_a_commit_that_need_not_last_leaves_the_next_one_synced(database: Database) -> None:
    with database.writing(durable=False) as connection:
        connection.execute(INSERT, ("1",))
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 1
    with pytest.raises(ZeroDivisionError), database.writing(durable=False):
        raise ZeroDivisionError
    with database.writing() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2


def test_a_checkpoint_does_not_wait_for_readers(database: Database) -> None:
    insert(database, 1)
    with database.reading() as connection:
        connection.execute(COUNT)
        insert(database, 2)
        began = time.monotonic()
        assert not database.checkpoint()
        assert time.monotonic() - began < 1
        assert connection.execute(COUNT).fetchone()[0] == 1
    assert database.checkpoint()


def make_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("made for a test")
    error.sqlite_errorcode = code
    return error


class Failing:
    """A connection one of whose statements fails."""

    def __init__(self, connection: sqlite3.Connection, statement: str, code: int):
        self._connection, self._statement, self._code = connection, statement, code

    def execute(self, sql: str, *arguments: object) -> sqlite3.Cursor:
        if sql.startswith(self._statement):
            raise make_error(self._code)
        return self._connection.execute(sql, *arguments)  # type: ignore[arg-type]

    def close(self) -> None:
        self._connection.close()


@pytest.mark.parametrize(
    "statement, code, expected",
    [
        ("BEGIN", sqlite3.SQLITE_READONLY, StoreUnavailable),
        ("INSERT", sqlite3.SQLITE_FULL, StoreFull),
        ("INSERT", sqlite3.SQLITE_IOERR | 3 << 8, StoreUnavailable),
        ("INSERT", sqlite3.SQLITE_ERROR, sqlite3.OperationalError),
        ("COMMIT", sqlite3.SQLITE_FULL, StoreFull),
        ("COMMIT", sqlite3.SQLITE_IOERR | 4 << 8, OutcomeUnknown),
    ],
)
def test_errors_of_the_disk_have_codes_and_the_next_transaction_works(
    folder: StoreFolder, monkeypatch: pytest.MonkeyPatch, statement: str, code: int, expected: type[Exception]
) -> None:
    connect: Callable[[Path], sqlite3.Connection] = vars(module)["_connect"]
    database = Database(folder, FileLocks())
    database.prepare()
    monkeypatch.setattr(module, "_connect", lambda path: Failing(connect(path), statement, code))
    with pytest.raises(expected):
        insert(database, 1)
    monkeypatch.undo()
    insert(database, 1)
    assert count(database) == 1
    database.close()


def test_a_log_that_cannot_be_read_makes_the_store_unavailable(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert(database, 1)

    def fail(*arguments: object, **options: object) -> None:
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr(module, "open", fail, raising=False)
    with pytest.raises(StoreUnavailable):
        insert(database, 2)
    monkeypatch.undo()
    insert(database, 2)
    assert count(database) == 2


def test_a_folder_that_is_moved_away_is_said_and_found_again(folder: StoreFolder, database: Database) -> None:
    insert(database, 1)
    away = folder.path.with_name("away")
    folder.path.rename(away)
    with pytest.raises(StoreUnavailable):
        insert(database, 2)
    away.rename(folder.path)
    insert(database, 2)
    assert count(database) == 2


WRITER = """
import sys
from pathlib import Path
from deltawire_service.store import database as module
from deltawire_service.store.file_locks import FileLocks
from deltawire_service.store.folders import StoreFolder
module.CHECKPOINT_BYTES = 60_000  # so the log is often written over
database = module.Database(StoreFolder(Path(sys.argv[1])), FileLocks())
COLUMNS = "owner, key, digest, model, answer"
INSERT = f"INSERT INTO idempotency_keys ({COLUMNS}) VALUES (?, ?, x'00', 'm', '{{}}')"
for number in range(1_000_000):
    with database.writing() as connection:
        for half in "ab":
            values = (sys.argv[2], f"{number}{half}")
            connection.execute(INSERT, values)
    print(number, flush=True)
"""


def test_killed_processes_lose_nothing_that_they_acknowledged(
    folder: StoreFolder, database: Database
) -> None:
    acknowledged = dict[str, int]()
    for turn in range(4):
        writers = {
            f"{turn}.{n}": subprocess.Popen(
                [sys.executable, "-c", WRITER, str(folder.path), f"{turn}.{n}"],
                stdout=subprocess.PIPE,
                text=True,
            )
            for n in range(2)
        }
        for writer in writers.values():
            assert writer.stdout and writer.stdout.readline()
        time.sleep(0.05)
        database.checkpoint()
        for name, writer in writers.items():
            os.kill(writer.pid, signal.SIGKILL)
            output, _ = writer.communicate()
            acknowledged[name] = len(output.split()) + 1
    copy = StoreFolder(folder.path / "copy")
    copy.prepare()
    # As after a crash of the system, too: the index of the log is gone, and is made again from the log.
    with closing(sqlite3.connect(folder.database)) as other:
        other.execute(COUNT)  # who closes the last connection removes the log
        database.close()
        for ending in ("", "-wal"):
            shutil.copy(f"{folder.database}{ending}", f"{copy.database}{ending}")
    for each in (database, Database(copy, FileLocks())):
        with each.reading() as connection:
            for name, most in acknowledged.items():
                (kept,) = connection.execute(f"{COUNT} WHERE owner = ?", (name,)).fetchone()
                assert kept % 2 == 0 and most <= kept // 2 <= most + 1
            assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
