"""Migrations: from every earlier version to this one, with what is in the tables."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from deltawire_service.store.schema import MIGRATIONS, SchemaUnknown, migrate, version


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


def test_a_later_version_is_refused() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
        with pytest.raises(SchemaUnknown, match="upgrade deltawire"):
            migrate(connection)
