"""The database: connections, transactions that last, and the checkpoints of its log.

A transaction is on disk when `writing` ends: the log is synced at every commit, unless the caller does not
need that. SQLite before 3.51.3 can damage the log when one process copies it back (a checkpoint) while
another one writes. So a lock file excludes both from each other, and SQLite makes no checkpoints by itself.
The lock also keeps SQLite from polling for its own, and it knows deadlines.

A log that was copied back keeps its length, and is written over. A sync takes half the time where the file
does not become longer.

SQLite must not be carried into a child: the child would count on locks that only its parent has. So a fork
waits until no thread is in a transaction, and closes all connections first.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from math import inf
from pathlib import Path
from threading import Condition, get_ident

from deltawire_service.store.errors import (
    FileMissing,
    OutcomeUnknown,
    StoreFull,
    StoreUnavailable,
    disk_errors,
)
from deltawire_service.store.file_locks import FileLocks
from deltawire_service.store.folders import StoreFolder
from deltawire_service.store.forks import at_fork
from deltawire_service.store.observer import UNOBSERVED, Observer
from deltawire_service.store.tables.schema import migrate

CHECKPOINT_BYTES = 8 * 2**20
"""How long the log may become before a writer copies it back."""

LOG_HEADER, FRAME_HEADER, LOG_BEGIN = struct.Struct(">8x I 4x 8s 8x"), struct.Struct(">8x 8s 8x"), 32
"""The size of a page and the salts of the log; the salts of a frame in it, which is a page behind a header;
and the first byte of all frames (https://www.sqlite.org/fileformat2.html#the_write_ahead_log)."""

OUTSIDERS_SECONDS = 5
"""How long to wait for programs that write to the database without our lock, such as a sqlite3 shell."""

DISK_ERRORS = frozenset(
    {
        *(sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CORRUPT),
        *(sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOMEM),
    }
)
"""Results of SQLite that are no mistakes in our statements."""


class Database:
    """The database of a store. Shared between threads; opened by each process for itself, when first used.

    Args:
        folder: the folder of the store.
        locks: the locks of this process.
        observer: is told how long transactions wait, and how long they take to end.
    """

    def __init__(self, folder: StoreFolder, locks: FileLocks, observer: Observer = UNOBSERVED):
        self._path = folder.database
        self._write_lock = folder.write_lock
        self._locks = locks
        self._observer = observer
        self._idle: list[sqlite3.Connection] = []
        self._users: list[int] = []
        self._unusable = False
        self._condition = Condition()
        at_fork(self._close_for_fork, self._end_fork, self._begin_in_child)

    def prepare(self) -> None:
        """Make the tables, or bring them up to date.

        Raises:
            SchemaUnknown: the database is newer than this program.
            StoreFull, StoreUnavailable: the disk cannot be used.
        """
        with self._locks.exclusive(self._write_lock, inf), _disk_errors():
            with closing(_connect(self._path)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("BEGIN IMMEDIATE")
                migrate(connection)
                connection.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Begin a transaction that sees one state of the database. It must end before anything is computed.

        Raises:
            StoreUnavailable: the disk cannot be used.
        """
        with self._connection() as connection, _disk_errors():
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def writing(self, deadline: float = inf, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """Begin a transaction that changes the database: nothing but SQL belongs into it.

        Args:
            deadline: when to give up waiting for other writers, as time.monotonic counts.
            durable: sync the log at the end. Without that, the system may lose the transaction when it
                crashes, until the next one that syncs.

        Raises:
            LockBusy: others wrote until the deadline.
            StoreFull, StoreUnavailable: the disk cannot be used; nothing was changed.
            OutcomeUnknown: the disk failed during the commit.
        """
        with ExitStack() as held:
            with self._observer.timing("writer"):
                held.enter_context(self._locks.exclusive(self._write_lock, deadline))
            connection = held.enter_context(self._connection())
            with _disk_errors():
                if self._log_is_long():
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
                if not durable:
                    connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute("BEGIN IMMEDIATE")
                yield connection
            try:
                with self._observer.timing("commit"):
                    connection.execute("COMMIT")
                if not durable:
                    connection.execute("PRAGMA synchronous = FULL")
            except sqlite3.Error as error:
                if _result(error) == sqlite3.SQLITE_FULL:  # the log ends before this transaction does
                    raise StoreFull() from error
                raise OutcomeUnknown() from error

    def checkpoint(self, deadline: float = inf) -> bool:
        """Copy the log back into the database, and return whether it was emptied: nobody was reading it.

        Only then is it sure that no transaction comes to light later whose commit seemed to fail.

        deadline: when to give up waiting for writers.

        Raises:
            LockBusy, StoreFull, StoreUnavailable: as for `writing`.
        """
        with self._locks.exclusive(self._write_lock, deadline), self._connection() as connection:
            with _disk_errors():
                return _checkpoint(connection)

    def copy_to(self, path: Path) -> None:
        """Copy the database, as it is at one moment, to a new file. Others may go on writing.

        Raises:
            StoreFull, StoreUnavailable: a disk cannot be used.
        """
        with self._connection() as connection, _disk_errors(), closing(sqlite3.connect(path)) as copy:
            connection.backup(copy)

    def _log_is_long(self) -> bool:
        """Return whether the log has CHECKPOINT_BYTES since it was last begun.

        The file itself may be longer: its other frames have earlier salts. Nothing but the log may be opened
        here: to close another file of the database would free the locks that SQLite has on it.
        """
        try:
            with disk_errors(), open(f"{self._path}-wal", "rb", buffering=0) as log:
                header = log.read(LOG_HEADER.size)
                if len(header) < LOG_HEADER.size:
                    return False
                page_bytes, salts = LOG_HEADER.unpack(header)
                frame_bytes = FRAME_HEADER.size + page_bytes
                log.seek(LOG_BEGIN + CHECKPOINT_BYTES // frame_bytes * frame_bytes)
                frame = log.read(FRAME_HEADER.size)
        except FileMissing:
            return False
        return len(frame) == FRAME_HEADER.size and FRAME_HEADER.unpack(frame) == (salts,)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._condition:
            while self._idle:
                self._idle.pop().close()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection. After any error it is closed, which undoes what was not committed."""
        with self._condition:
            if self._unusable:
                raise RuntimeError("this process was forked inside a transaction: it cannot use the store")
            connection = self._idle.pop() if self._idle else None
            self._users.append(get_ident())
        try:
            if connection is None:
                with _disk_errors():
                    connection = _connect(self._path)
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
        except BaseException:
            self._return(None)
            raise
        self._return(connection)

    def _return(self, connection: sqlite3.Connection | None) -> None:
        with self._condition:
            self._users.remove(get_ident())
            if connection is not None:
                self._idle.append(connection)
            self._condition.notify_all()

    def _close_for_fork(self) -> None:
        """Wait for the transactions of other threads, close all connections, and let nobody open new ones."""
        self._condition.acquire()
        self._condition.wait_for(lambda: all(user == get_ident() for user in self._users))
        self.close()

    def _end_fork(self) -> None:
        self._condition.release()

    def _begin_in_child(self) -> None:
        self._unusable = bool(self._users)
        self._condition.release()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=OUTSIDERS_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _checkpoint(connection: sqlite3.Connection) -> bool:
    """Copy the log back and cut it to nothing; return False where somebody reads it, without waiting."""
    connection.execute("PRAGMA busy_timeout = 0")
    (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    connection.execute(f"PRAGMA busy_timeout = {1000 * OUTSIDERS_SECONDS}")
    return not busy


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        result = _result(error)
        if result == sqlite3.SQLITE_FULL:
            raise StoreFull() from error
        if result in DISK_ERRORS:
            raise StoreUnavailable() from error
        raise


def _result(error: sqlite3.Error) -> int | None:
    """Return the result of SQLite, without its details; None where the error is not SQLite's."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
