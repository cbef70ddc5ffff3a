"""Rows of ledgers."""

from __future__ import annotations

from dataclasses import replace
from sqlite3 import Connection, IntegrityError

import pytest

from deltawire_service.store.segments import Stretch
from deltawire_service.store.tables import entries, models
from deltawire_service.store.tables.entries import Entry
from deltawire_service.store.tables.models import ModelRow

ENTRY = Entry(1, "step", 1, '{"kind": "sgd"}', "{}", "f", 0.5, b"batch")


def test_an_entry_is_read_as_it_was_written_and_its_batch_is_in_one_place(
    transaction: Connection, model: ModelRow
) -> None:
    models.insert(transaction, model)
    large = replace(ENTRY, version=2, batch=Stretch("segment", 3, 4))
    for entry in (ENTRY, large, replace(ENTRY, version=3, batch=None)):
        entries.append(transaction, model.id, entry)
        assert entries.get(transaction, model.id, entry.version) == entry
    assert entries.get(transaction, model.id, 4) is None
    assert entries.last_stretch(transaction, model.id) == large.batch
    assert entries.segments(transaction, model.id) == {"segment"}
    with pytest.raises(IntegrityError):
        entries.append(transaction, model.id, ENTRY)


def test_the_details_of_a_step_with_rows_of_a_dataset_count_as_its_batch() -> None:
    details = '{"rows": {"start": 0}}'
    assert ENTRY.batch_bytes == 5
    assert replace(ENTRY, batch=None, details=details, dataset="d").batch_bytes == len(details)
    assert replace(ENTRY, details=details, dataset="d").batch_bytes == 5 + len(details)
    assert replace(ENTRY, batch=Stretch("s", 3, 4), details=details, dataset="d").batch_bytes == (
        4 + len(details)
    )


def test_pages_leave_out_the_batches(transaction: Connection, model: ModelRow) -> None:
    models.insert(transaction, model)
    for version in range(5):
        entries.append(transaction, model.id, replace(ENTRY, version=version))
    pages = [entries.page(transaction, model.id, after, 3) for after in (-1, 2, 4)]
    assert [[entry.version for entry in page] for page in pages] == [[0, 1, 2], [3, 4], []]
    assert pages[0][1] == replace(ENTRY, batch=None)


def test_entries_are_read_with_their_batches_from_any_version_on(
    transaction: Connection, model: ModelRow
) -> None:
    models.insert(transaction, model)
    written = [replace(ENTRY, version=version) for version in range(5)]
    for entry in written:
        entries.append(transaction, model.id, entry)
    assert list(entries.every(transaction, model.id)) == written
    assert list(entries.every(transaction, model.id, 1, 2)) == written[2:4]


def test_a_ledger_goes_with_its_model(transaction: Connection, model: ModelRow) -> None:
    models.insert(transaction, model)
    entries.append(transaction, model.id, ENTRY)
    models.delete(transaction, model.id)
    assert entries.get(transaction, model.id, 1) is None
    assert entries.last_stretch(transaction, model.id) is None
