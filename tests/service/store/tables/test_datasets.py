"""Rows of datasets are read without the descriptions of their columns, which may be large."""

from __future__ import annotations

from sqlite3 import Connection

from deltawire_service.store.tables import datasets
from deltawire_service.store.tables.datasets import DatasetRow

DATASET = DatasetRow("id", "anna", "d", "sha", 20, 160)


def test_descriptions_of_columns_are_read_where_they_are_asked_for(transaction: Connection) -> None:
    datasets.insert(transaction, DATASET, "[1]")
    statements = list[str]()
    transaction.set_trace_callback(statements.append)
    assert datasets.find(transaction, "anna", "d") == datasets.get(transaction, "id") == DATASET
    assert datasets.page(transaction, "anna", "", 9) == datasets.every(transaction) == [DATASET]
    assert datasets.exists(transaction, "id") and datasets.usage(transaction, "anna") == (1, 160)
    assert len(statements) == 6 and not any("*" in each or "columns" in each for each in statements[:5])
    assert datasets.columns(transaction, "id") == "[1]"


def test_a_dataset_that_is_deleted_is_not_found(transaction: Connection) -> None:
    datasets.insert(transaction, DATASET, "[]")
    datasets.delete(transaction, "id")
    assert not datasets.exists(transaction, "id")
    assert datasets.get(transaction, "id") is datasets.columns(transaction, "id") is None
