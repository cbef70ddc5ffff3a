"""The table of the datasets: one row each, with the description of its columns.

The description may have many texts of categories. It is read on its own, where it is needed.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from sqlite3 import Connection


@dataclass(frozen=True)
class DatasetRow:
    """A dataset, which never changes, without the description of its columns.

    Attributes:
        id: random, never used again.
        owner: whoever made it; names are unique for each owner.
        name: its name.
        dataset_id: the SHA-256 of its file, in hex: equal datasets have equal ones.
        rows: number of its rows.
        bytes: the length of its file.
        uploads: number of requests that have uploaded it: others have found it there.
    """

    id: str
    owner: str
    name: str
    dataset_id: str
    rows: int
    bytes: int
    uploads: int = 1


NAMES = ", ".join(field.name for field in fields(DatasetRow))


def insert(database: Connection, dataset: DatasetRow, columns: str) -> None:
    """Add a dataset. Raises sqlite3.IntegrityError where the owner has one of this name.

    Args:
        database: a transaction.
        dataset: the dataset.
        columns: the descriptions of its columns in their order, as JSON.
    """
    values = (*astuple(dataset), columns)
    places = ", ".join("?" * len(values))
    database.execute(f"INSERT INTO datasets ({NAMES}, columns) VALUES ({places})", values)


def find(database: Connection, owner: str, name: str) -> DatasetRow | None:
    """Return the dataset of this name, None where the owner has none.

    Args:
        database: a transaction.
        owner: whoever asks.
        name: the name of the dataset.
    """
    row = database.execute(
        f"SELECT {NAMES} FROM datasets WHERE owner = ? AND name = ?", (owner, name)
    ).fetchone()
    return None if row is None else DatasetRow(**row)


def get(database: Connection, dataset: str) -> DatasetRow | None:
    """Return the dataset with an id, None where there is none."""
    row = database.execute(f"SELECT {NAMES} FROM datasets WHERE id = ?", (dataset,)).fetchone()
    return None if row is None else DatasetRow(**row)


def exists(database: Connection, dataset: str) -> bool:
    """Return whether there is a dataset with an id."""
    return database.execute("SELECT 1 FROM datasets WHERE id = ?", (dataset,)).fetchone() is not None


def columns(database: Connection, dataset: str) -> str | None:
    """Return the descriptions of a dataset's columns as JSON, None where there is no such dataset."""
    row = database.execute("SELECT columns FROM datasets WHERE id = ?", (dataset,)).fetchone()
    return None if row is None else str(row["columns"])


def page(database: Connection, owner: str, after: str, most: int) -> list[DatasetRow]:
    """Return the datasets of an owner, by name.

    Args:
        database: a transaction.
        owner: whoever asks.
        after: the name that the page follows; empty for the first page.
        most: number of datasets on a page.
    """
    rows = database.execute(
        f"SELECT {NAMES} FROM datasets WHERE owner = ? AND name > ? ORDER BY name LIMIT ?",
        (owner, after, most),
    )
    return [DatasetRow(**row) for row in rows]


def every(database: Connection) -> list[DatasetRow]:
    """Return all datasets, of all owners."""
    return [
        DatasetRow(**row) for row in database.execute(f"SELECT {NAMES} FROM datasets ORDER BY owner, name")
    ]


def usage(database: Connection, owner: str) -> tuple[int, int]:
    """Return the number of an owner's datasets, and their bytes."""
    row = database.execute("SELECT count(*), coalesce(sum(bytes), 0) FROM datasets WHERE owner = ?", (owner,))
    number, size = row.fetchone()
    return number, size


def identifiers(database: Connection) -> frozenset[str]:
    """Return the ids of all datasets."""
    return frozenset(row["id"] for row in database.execute("SELECT id FROM datasets"))


def count_upload(database: Connection, dataset: str) -> None:
    """Count one more request that has uploaded a dataset."""
    database.execute("UPDATE datasets SET uploads = uploads + 1 WHERE id = ?", (dataset,))


def delete(database: Connection, dataset: str) -> None:
    """Remove a dataset. Raises sqlite3.IntegrityError where an entry refers to it."""
    database.execute("DELETE FROM datasets WHERE id = ?", (dataset,))
