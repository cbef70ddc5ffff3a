"""Rows of ledgers."""

from __future__ import annotations

from dataclasses import replace
from sqlite3 import Connection, IntegrityError

import pytest

from deltawire_service.models.update_rules import to_json
from deltawire_service.store.segments import Stretch
from deltawire_service.store.tables import datasets, entries, models
from deltawire_service.store.tables.datasets import DatasetRow
from deltawire_service.store.tables.entries import Entry, StepMetrics
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


def test_metrics_of_steps_are_exact_and_leave_out_other_entries(
    transaction: Connection, model: ModelRow
) -> None:
    models.insert(transaction, model)
    written = [
        StepMetrics(1, 1, 0.1 + 0.2, 5e-324, 1e-3),
        StepMetrics(2, 2, None, 1.7976931348623157e308, 1 / 3),
        StepMetrics(4, 4, 9007199254740993.0, 0.0, 1.0),
    ]
    for each in written:
        details = to_json(vars(each) | {"run": "r"})
        entries.append(
            transaction, model.id, replace(ENTRY, version=each.version, step=each.step, details=details)
        )
    entries.append(transaction, model.id, replace(ENTRY, version=3, kind="restored"))
    assert entries.step_metrics(transaction, model.id, 0, 9, 9) == written
    assert entries.step_metrics(transaction, model.id, 1, 9, 1) == written[1:2]
    assert entries.step_metrics(transaction, model.id, 1, 3, 9) == written[1:2]


def test_columns_go_with_the_dataset_that_has_them(transaction: Connection, model: ModelRow) -> None:
    models.insert(transaction, model)
    datasets.insert(transaction, DatasetRow("d", "anna", "table", "", 3, 0), "[]")
    numbers = {"loss": 0.1 + 0.2, "rows": {"start": 0, "stop": 3}}
    details = to_json(numbers | {"columns": {"x": "x"}})
    for version, dataset in enumerate(("d", None, "d")):
        entries.append(
            transaction, model.id, replace(ENTRY, version=version, details=details, dataset=dataset)
        )
    entries.drop_batches(transaction, model.id, -1, 1)
    kept = [entry.details for entry in entries.every(transaction, model.id)]
    assert kept == [to_json(numbers), details, details]


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
