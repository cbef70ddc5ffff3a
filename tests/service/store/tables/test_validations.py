"""Rows of validations."""

from __future__ import annotations

from sqlite3 import Connection

from deltawire_service.store.tables import models, runs, validations
from deltawire_service.store.tables.models import ModelRow
from deltawire_service.store.tables.runs import Progress, RunRow
from deltawire_service.store.tables.validations import Validation


def test_validations_are_listed_in_order_and_go_with_their_run(
    transaction: Connection, model: ModelRow
) -> None:
    models.insert(transaction, model)
    runs.insert(
        transaction,
        RunRow("r1", 0, "anna", "1a", "d1", None, "{}", runs.QUEUED, 0, 10, 0, 0, "", Progress()),
    )
    added = [Validation(version, version + 1, 1 / (version + 3)) for version in (4, 2, 9)]
    for validation in added:
        validations.insert(transaction, "r1", validation)
    assert validations.page(transaction, "r1", -1, 99, 9) == [added[1], added[0], added[2]]
    assert validations.page(transaction, "r1", 2, 4, 9) == [added[0]]
    assert validations.page(transaction, "r1", -1, 99, 2) == [added[1], added[0]]
    models.delete(transaction, "1a")
    assert validations.page(transaction, "r1", -1, 99, 9) == []
