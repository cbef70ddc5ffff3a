"""A transaction in an empty database, and a model."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from deltawire_service.store.tables.models import ModelRow
from deltawire_service.store.tables.schema import migrate


@pytest.fixture
def transaction() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    migrate(connection)
    yield connection
    connection.close()


@pytest.fixture
def model() -> ModelRow:
    return ModelRow("1a", "anna", "digits", "{}", "float32", "2b", 0, "slot", b"stamp")
