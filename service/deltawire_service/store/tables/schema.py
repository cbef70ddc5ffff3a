"""The tables of the database, and how those of an earlier version become those of this one.

A migration is written once and never changed. The version of a database is its `user_version`: the number
of migrations that it has gone through.
"""

from __future__ import annotations

from sqlite3 import Connection

Migration = tuple[str, ...]

MIGRATIONS: tuple[Migration, ...] = (
    (
        # `slot` has the parameters and the state of the newest version, if its stamp is `stamp`.
        """CREATE TABLE models (
            id TEXT PRIMARY KEY,
            owner TEXT NOT NULL,
            name TEXT NOT NULL,
            network TEXT NOT NULL,
            dtype TEXT NOT NULL,
            lineage TEXT NOT NULL,
            version INTEGER NOT NULL,
            slot TEXT NOT NULL,
            stamp BLOB NOT NULL,
            UNIQUE (owner, name)
        )""",
        # A batch is in the row, or in a segment.
        """CREATE TABLE entries (
            model TEXT NOT NULL REFERENCES models (id) ON DELETE CASCADE,
            version INTEGER NOT NULL,
            kind TEXT NOT NULL,
            step INTEGER NOT NULL,
            optimizer TEXT NOT NULL,
            details TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            total_seconds REAL NOT NULL,
            batch BLOB,
            segment TEXT,
            begin INTEGER,
            size INTEGER,
            PRIMARY KEY (model, version)
        )""",
        """CREATE TABLE snapshots (
            model TEXT NOT NULL,
            version INTEGER NOT NULL,
            file TEXT NOT NULL,
            params_id TEXT NOT NULL,
            seconds REAL NOT NULL,
            total_seconds REAL NOT NULL,
            PRIMARY KEY (model, version),
            FOREIGN KEY (model, version) REFERENCES entries (model, version) ON DELETE CASCADE
        )""",
        # A key outlives its model, so it does not refer to the row.
        """CREATE TABLE idempotency_keys (
            owner TEXT NOT NULL,
            key TEXT NOT NULL,
            digest BLOB NOT NULL,
            model TEXT NOT NULL,
            answer TEXT NOT NULL,
            PRIMARY KEY (owner, key)
        ) WITHOUT ROWID""",
    ),
    (
        # `floor` is the earliest version that can be computed; the entries up to `pruned` have no batch any
        # more; `batch_bytes` counts all batches ever, also those that are gone; `bytes` is what is kept now.
        "ALTER TABLE models ADD COLUMN floor INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE models ADD COLUMN pruned INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE models ADD COLUMN batch_bytes INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE models ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0",
        # `total_bytes` is `batch_bytes` of the model at the version of the snapshot.
        "ALTER TABLE snapshots ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE snapshots ADD COLUMN total_bytes INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX entries_in_segments ON entries (model, version) WHERE segment IS NOT NULL",
        """UPDATE models SET batch_bytes = (
            SELECT coalesce(sum(coalesce(length(batch), size)), 0) FROM entries WHERE model = models.id
        )""",
        """UPDATE snapshots SET total_bytes = (
            SELECT coalesce(sum(coalesce(length(batch), size)), 0) FROM entries
            WHERE model = snapshots.model AND version <= snapshots.version
        )""",
        # How large the files of earlier snapshots are is not known here: the next ones are counted.
        "UPDATE models SET bytes = batch_bytes",
    ),
    (
        "CREATE INDEX models_of_owners ON models (owner, bytes)",
        # `number` counts the keys of an owner; `uptime` is that of the service when the key was stored.
        "ALTER TABLE idempotency_keys ADD COLUMN number INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE idempotency_keys ADD COLUMN uptime REAL NOT NULL DEFAULT 0",
        "CREATE INDEX keys_of_owners ON idempotency_keys (owner, number)",
        "CREATE TABLE uptime (boot BLOB NOT NULL, moment REAL NOT NULL, seconds REAL NOT NULL)",
        "INSERT INTO uptime VALUES (x'', 0, 0)",
    ),
    (
        # Steps up to below `reserved` may be committed without a sync; `unlogged` is the last step without
        # its batch.
        "ALTER TABLE models ADD COLUMN reserved INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE models ADD COLUMN unlogged INTEGER NOT NULL DEFAULT 0",
        "UPDATE models SET reserved = version",
    ),
    (
        # `columns` is JSON: the name, dtype, shape and statistics of each column, in their order.
        """CREATE TABLE datasets (
            id TEXT PRIMARY KEY,
            owner TEXT NOT NULL,
            name TEXT NOT NULL,
            dataset_id TEXT NOT NULL,
            rows INTEGER NOT NULL,
            bytes INTEGER NOT NULL,
            columns TEXT NOT NULL,
            UNIQUE (owner, name)
        )""",
        # The data of a step is a batch, or rows of a dataset, which stays as long as an entry refers to it.
        "ALTER TABLE entries ADD COLUMN dataset TEXT REFERENCES datasets (id)",
        "CREATE INDEX entries_of_datasets ON entries (dataset, model) WHERE dataset IS NOT NULL",
    ),
    (
        # A run does not refer to its datasets: they may be deleted once it has ended.
        """CREATE TABLE runs (
            id TEXT PRIMARY KEY,
            number INTEGER NOT NULL UNIQUE,
            owner TEXT NOT NULL,
            model TEXT NOT NULL REFERENCES models (id) ON DELETE CASCADE,
            dataset TEXT NOT NULL,
            validation_dataset TEXT,
            recipe TEXT NOT NULL,
            state TEXT NOT NULL,
            first_version INTEGER NOT NULL,
            total_steps INTEGER NOT NULL,
            attempts INTEGER NOT NULL,
            problem TEXT NOT NULL,
            steps INTEGER NOT NULL,
            version INTEGER NOT NULL,
            seconds REAL NOT NULL,
            validated INTEGER NOT NULL,
            best_loss REAL,
            best_version INTEGER,
            best_file TEXT NOT NULL,
            misses INTEGER NOT NULL
        )""",
        "CREATE INDEX runs_of_owners ON runs (owner, number)",
        "CREATE INDEX runs_of_models ON runs (model)",
        # A model learns in one run at a time.
        "CREATE UNIQUE INDEX open_runs ON runs (model) WHERE state IN ('queued', 'running', 'paused')",
        """CREATE TABLE validations (
            run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            version INTEGER NOT NULL,
            step INTEGER NOT NULL,
            loss REAL NOT NULL,
            PRIMARY KEY (run, version)
        ) WITHOUT ROWID""",
    ),
    ("ALTER TABLE runs ADD COLUMN hangs INTEGER NOT NULL DEFAULT 0",),
    ("ALTER TABLE datasets ADD COLUMN uploads INTEGER NOT NULL DEFAULT 1",),
)


class SchemaUnknown(Exception):
    """The database was written by a later version of deltawire."""


def version(connection: Connection) -> int:
    """Return the version of a database, 0 for an empty one."""
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    return int(number)


def migrate(connection: Connection, migrations: tuple[Migration, ...] = MIGRATIONS) -> None:
    """Bring the tables up to the version of this program, in a transaction that the caller has begun.

    Args:
        connection: the database.
        migrations: all migrations.

    Raises:
        SchemaUnknown: the database is newer than this program.
    """
    done = version(connection)
    if done > len(migrations):
        raise SchemaUnknown(
            f"the database has version {done}, this deltawire knows up to {len(migrations)}: "
            "upgrade deltawire, or use another folder"
        )
    for migration in migrations[done:]:
        for statement in migration:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(migrations)}")
