"""Rows of models."""

from __future__ import annotations

from dataclasses import replace
from sqlite3 import Connection, IntegrityError

import pytest

from deltawire_service.store.tables import models
from deltawire_service.store.tables.models import ModelRow, RowChanged


def test_names_are_unique_for_each_owner(transaction: Connection, model: ModelRow) -> None:
    models.insert(transaction, model)
    with pytest.raises(IntegrityError):
        models.insert(transaction, replace(model, id="other"))
    models.insert(transaction, replace(model, id="other", owner="ben"))
    assert models.find(transaction, "anna", "digits") == model
    assert models.find(transaction, "carl", "digits") is None
    assert models.identifiers(transaction) == {"1a", "other"}


def test_pages_are_by_name_and_of_one_owner(transaction: Connection, model: ModelRow) -> None:
    for number in range(5):
        models.insert(transaction, replace(model, id=str(number), name=f"m{number}"))
    models.insert(transaction, replace(model, id="other", owner="ben", name="m9"))
    assert [each.name for each in models.page(transaction, "anna", "", 3)] == ["m0", "m1", "m2"]
    assert [each.name for each in models.page(transaction, "anna", "m2", 3)] == ["m3", "m4"]


def test_models_are_found_by_a_part_of_their_names(transaction: Connection, model: ModelRow) -> None:
    for name in ("first_net", "Network", "other", "net%"):
        models.insert(transaction, replace(model, id=name, name=name))
    found = [each.name for each in models.page(transaction, "anna", "", 9, "NET")]
    assert found == ["Network", "first_net", "net%"]
    assert [each.name for each in models.page(transaction, "anna", "Network", 1, "net")] == ["first_net"]
    assert [each.name for each in models.page(transaction, "anna", "", 9, "%")] == ["net%"]


def test_a_model_that_has_changed_meanwhile_is_left_alone(transaction: Connection, model: ModelRow) -> None:
    models.insert(transaction, model)
    after = replace(model, version=1, slot="other", stamp=b"new")
    models.advance(transaction, model, after)
    with pytest.raises(RowChanged):
        models.advance(transaction, model, after)
    assert models.find(transaction, "anna", "digits") == after
    models.delete(transaction, model.id)
    with pytest.raises(RowChanged):
        models.advance(transaction, after, model)
