"""The table of the models: one row each, with the newest version and the slot that has it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from sqlite3 import Connection


class RowChanged(RuntimeError):
    """A model changed while its lock was held: something writes to the database without locks."""


@dataclass(frozen=True)
class ModelRow:
    """A model.

    Attributes:
        id: random, never used again.
        owner: whoever made it; names are unique for each owner.
        name: its name.
        network: the spec of its network, as JSON.
        dtype: the dtype of its parameters.
        lineage: random, another one whenever equal versions may have other bits.
        version: the newest version.
        slot: the slot of that version.
        stamp: the stamp of that slot, when it has that version.
        floor: the earliest version that can be computed; it has a snapshot.
        pruned: the entries up to this version have no batch any more.
        batch_bytes: bytes of all batches that the model ever had.
        bytes: bytes that are kept now: slots, snapshots, batches.
        reserved: the newest version, or a later one: no version up to it is given again, also where a crash
            loses versions that were not synced.
        unlogged: the last version whose step was not durable, and has no batch.
    """

    id: str
    owner: str
    name: str
    network: str
    dtype: str
    lineage: str
    version: int
    slot: str
    stamp: bytes
    floor: int = 0
    pruned: int = 0
    batch_bytes: int = 0
    bytes: int = 0
    reserved: int = 0
    unlogged: int = 0


def insert(database: Connection, model: ModelRow) -> None:
    """Add a model. Raises sqlite3.IntegrityError where the owner has one of this name."""
    columns = [field.name for field in fields(ModelRow)]
    values = ", ".join(f":{column}" for column in columns)
    database.execute(f"INSERT INTO models ({', '.join(columns)}) VALUES ({values})", asdict(model))


def find(database: Connection, owner: str, name: str) -> ModelRow | None:
    """Return the model of this name, None where the owner has none.

    Args:
        database: a transaction.
        owner: whoever asks.
        name: the name of the model.
    """
    row = database.execute("SELECT * FROM models WHERE owner = ? AND name = ?", (owner, name)).fetchone()
    return None if row is None else ModelRow(**row)


def get(database: Connection, model_id: str) -> ModelRow | None:
    """Return the model with an id, None where there is none."""
    row = database.execute("SELECT * FROM models WHERE id = ?", (model_id,)).fetchone()
    return None if row is None else ModelRow(**row)


def page(database: Connection, owner: str, after: str, most: int, contains: str = "") -> list[ModelRow]:
    """Return the models of an owner, by name.

    Args:
        database: a transaction.
        owner: whoever asks.
        after: the name that the page follows; empty for the first page.
        most: number of models on a page.
        contains: a part of their names, in small or capital letters.
    """
    rows = database.execute(
        "SELECT * FROM models WHERE owner = ? AND name > ? AND instr(lower(name), lower(?)) "
        "ORDER BY name LIMIT ?",
        (owner, after, contains, most),
    )
    return [ModelRow(**row) for row in rows]


def every(database: Connection) -> list[ModelRow]:
    """Return all models, of all owners."""
    return [ModelRow(**row) for row in database.execute("SELECT * FROM models ORDER BY owner, name")]


def usage(database: Connection, owner: str) -> tuple[int, int]:
    """Return the number of an owner's models, and their bytes."""
    row = database.execute("SELECT count(*), coalesce(sum(bytes), 0) FROM models WHERE owner = ?", (owner,))
    number, size = row.fetchone()
    return number, size


def identifiers(database: Connection) -> frozenset[str]:
    """Return the ids of all models."""
    return frozenset(row["id"] for row in database.execute("SELECT id FROM models"))


def advance(database: Connection, before: ModelRow, after: ModelRow) -> None:
    """Store a model's newest version, its slot, its lineage, and how much of it is kept.

    Args:
        database: a transaction.
        before: the model as it was read.
        after: the model as it is now.

    Raises:
        RowChanged: the model is not as it was.
    """
    changed = database.execute(
        "UPDATE models SET lineage = ?, version = ?, slot = ?, stamp = ?, "
        "floor = ?, pruned = ?, batch_bytes = ?, bytes = ?, reserved = ?, unlogged = ? "
        "WHERE id = ? AND version = ? AND stamp = ?",
        (
            *(after.lineage, after.version, after.slot, after.stamp),
            *(after.floor, after.pruned, after.batch_bytes, after.bytes, after.reserved, after.unlogged),
            *(before.id, before.version, before.stamp),
        ),
    )
    if changed.rowcount != 1:
        raise RowChanged(f"model {before.id} is not as it was at version {before.version}")


def delete(database: Connection, model_id: str) -> None:
    """Remove a model with its ledger and the rows of its snapshots."""
    database.execute("DELETE FROM models WHERE id = ?", (model_id,))
