"""Migrations: from every earlier version to this one, with what is in the tables."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from deltawire_service.store.segments import Stretch
from deltawire_service.store.tables import entries, idempotency_keys, models, snapshots
from deltawire_service.store.tables.idempotency_keys import RequestKey
from deltawire_service.store.tables.schema import MIGRATIONS, SchemaUnknown, migrate, version

SCHEMAS = Path(__file__).parent / "schemas"
"""Databases of every version: a model with small batches, a large one and a snapshot; another model."""


def tables(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT sql FROM sqlite_master ORDER BY name") if row[0]]


@pytest.mark.parametrize("earlier", range(len(MIGRATIONS)))
def test_each_earlier_version_becomes_this_one(earlier: int) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as new:
        migrate(new)
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as old:
            migrate(old, MIGRATIONS[:earlier])
            assert version(old) == earlier
            migrate(old)
            assert version(old) == len(MIGRATIONS)
            assert tables(old) == tables(new)
            migrate(old)  # again: nothing to do


def opened(number: int) -> sqlite3.Connection:
    """A database as deltawire wrote it when its schema had this version."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.executescript((SCHEMAS / f"{number}.sql").read_text())
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


@pytest.mark.parametrize("number", range(1, len(MIGRATIONS) + 1))
def test_what_an_earlier_version_has_written_is_kept(number: int) -> None:
    with closing(opened(number)) as connection:
        assert version(connection) == number
        connection.execute("BEGIN IMMEDIATE")
        migrate(connection)
        connection.execute("COMMIT")
        model, other = models.page(connection, "anna", "", 9)
        assert (model.name, model.version, other.name, other.version) == ("model", 4, "other", 0)
        ledger = [entries.get(connection, model.id, each) for each in range(5)]
        assert [entry.kind for entry in ledger if entry] == ["created", "step", "step", "step", "restored"]
        kept = [entry.batch for entry in ledger if entry and entry.batch]
        assert [type(batch) for batch in kept] == [bytes, bytes, Stretch]
        assert entries.last_stretch(connection, model.id) == kept[-1]
        # Earlier versions did not count the details of steps with rows of a dataset.
        lengths = [batch.size if isinstance(batch, Stretch) else len(batch) for batch in kept]
        assert model.batch_bytes == sum(lengths) and model.bytes >= model.batch_bytes
        taken = snapshots.every(connection, model.id)
        assert [(each.version, each.total_bytes) for each in taken] == [(0, 0), (4, sum(lengths))]
        answered = idempotency_keys.find(connection, RequestKey("anna", "1", b"model 1"))
        assert answered and answered.digest == b"model 1" and answered.model_id == model.id
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_later_version_is_refused() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
        with pytest.raises(SchemaUnknown, match="upgrade deltawire"):
            migrate(connection)
