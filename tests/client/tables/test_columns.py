"""The columns of a table get their roles, or are refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from support.tables import described

from deltawire import Refused
from deltawire.tables.columns import Column, assign_roles

TABLE = described(
    age={"dtype": "int64", "min": 0, "max": 90, "mean": 40.0, "std": 12.0},
    sex={"dtype": "int64", "categories": ["f", "m"], "max": 1, "distinct": 2},
    pixels={"shape": [2, 3]},
    grade={"dtype": "int64", "min": 0, "max": 4, "distinct": 5},
    price={"mean": 100.0, "std": 20.0},
)


def names(columns: tuple[Column, ...]) -> list[str]:
    return [column.name for column in columns]


def test_columns_have_roles_by_their_types() -> None:
    roles = assign_roles(TABLE, "price")
    assert (roles.target.name, roles.task) == ("price", "regression")
    assert names(roles.numbers) == ["age", "grade"]
    assert names(roles.arrays) == ["pixels"] and names(roles.categories) == ["sex"]


@pytest.mark.parametrize(
    ("target", "task", "expected"),
    [
        ("sex", None, "classification"),
        ("grade", None, "classification"),
        ("grade", "regression", "regression"),
        ("age", None, "regression"),
        ("age", "classification", "classification"),
        ("price", None, "regression"),
    ],
)
def test_the_task_follows_from_the_target(target: str, task: str | None, expected: str) -> None:
    assert assign_roles(TABLE, target, task).task == expected


def test_columns_are_left_out_and_integers_become_categories() -> None:
    roles = assign_roles(TABLE, "price", drop=["age", "pixels"], categorical=["grade"])
    assert not roles.numbers and not roles.arrays
    assert [(column.name, column.count) for column in roles.categories] == [("sex", 2), ("grade", 5)]


@pytest.mark.parametrize(
    ("options", "pointer", "detail"),
    [
        ({"target": "prise"}, "/target", "no column 'prise': did you mean 'price'?"),
        ({"target": "zzz"}, "/target", "it has 'age', 'sex', 'pixels', 'grade', 'price'"),
        ({"drop": ["colour"]}, "/drop", "no column 'colour'"),
        ({"drop": ["price"]}, "/drop", "column 'price' is the target"),
        ({"drop": ["age", "sex", "pixels", "grade"]}, "/columns", "no column to predict 'price' from"),
        ({"categorical": ["price"], "target": "sex"}, "/categorical", "expected whole numbers from 0"),
        ({"target": "pixels"}, "/target", "arrays of shape [2, 3]"),
        ({"target": "sex", "task": "regression"}, "/task", "'sex' has texts"),
        ({"task": "ranking"}, "/task", 'expected "classification" or "regression"'),
    ],
)
def test_what_cannot_be_is_refused_by_its_argument(
    options: dict[str, Any], pointer: str, detail: str
) -> None:
    with pytest.raises(Refused) as caught:
        assign_roles(TABLE, **{"target": "price", **options})
    assert caught.value.pointer == pointer and detail in str(caught.value)


def test_classes_are_not_negative() -> None:
    table = described(sign={"dtype": "int64", "min": -1, "max": 1, "distinct": 2}, x={})
    assert assign_roles(table, "sign").task == "regression"
    with pytest.raises(Refused, match="column 'sign' has -1"):
        assign_roles(table, "sign", "classification")


def test_missing_numbers_are_named_unless_their_columns_are_left_out() -> None:
    table = described(a={"non_finite": 12}, b={"non_finite": 1}, c={}, y={})
    with pytest.raises(Refused, match=r"in 'a' 12, 'b' 1: fill them in, or leave out the columns"):
        assign_roles(table, "y")
    assert names(assign_roles(table, "y", drop=["a", "b"]).numbers) == ["c"]
