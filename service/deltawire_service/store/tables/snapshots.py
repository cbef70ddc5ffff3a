"""The table of the snapshots: which versions of a model are in files."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from sqlite3 import Connection

COLUMNS = "version, file, params_id, seconds, total_seconds, bytes, total_bytes"


@dataclass(frozen=True)
class SnapshotRow:
    """A snapshot.

    Attributes:
        version: the version that it has.
        file: the name of its file.
        params_id: the SHA-256 of the parameters.
        seconds: how long it took to write.
        total_seconds: how long all steps up to its version took to compute.
        bytes: the length of the file.
        total_bytes: bytes of all batches up to its version, also of those that are gone.
    """

    version: int
    file: str
    params_id: str
    seconds: float
    total_seconds: float
    bytes: int
    total_bytes: int


def insert(database: Connection, model_id: str, snapshot: SnapshotRow) -> None:
    """Add a snapshot, in the place of another one of the same version.

    Args:
        database: a transaction.
        model_id: the model.
        snapshot: the snapshot.
    """
    database.execute(
        "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (model_id, *astuple(snapshot)),
    )


def newest(database: Connection, model_id: str, version: int) -> SnapshotRow | None:
    """Return the newest snapshot up to a version; None where there is none.

    Args:
        database: a transaction.
        model_id: the model.
        version: the version.
    """
    row = database.execute(
        f"SELECT {COLUMNS} FROM snapshots WHERE model = ? AND version <= ? ORDER BY version DESC LIMIT 1",
        (model_id, version),
    ).fetchone()
    return None if row is None else SnapshotRow(*row)


def every(database: Connection, model_id: str) -> list[SnapshotRow]:
    """Return all snapshots of a model, the earliest first."""
    rows = database.execute(f"SELECT {COLUMNS} FROM snapshots WHERE model = ? ORDER BY version", (model_id,))
    return [SnapshotRow(*row) for row in rows]


def delete_before(database: Connection, model_id: str, version: int) -> None:
    """Remove the rows of the snapshots before a version.

    Args:
        database: a transaction.
        model_id: the model.
        version: the version.
    """
    database.execute("DELETE FROM snapshots WHERE model = ? AND version < ?", (model_id, version))


def files(database: Connection, model_id: str) -> frozenset[str]:
    """Return the names of all snapshots of a model."""
    rows = database.execute("SELECT file FROM snapshots WHERE model = ?", (model_id,))
    return frozenset(row["file"] for row in rows)
