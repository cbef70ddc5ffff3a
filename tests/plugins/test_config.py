"""Fields of configs: they take JSON as it is written, and nothing that only resembles it."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest
from marshmallow import Schema, ValidationError, fields, validate

from deltawire_plugins import config

FIELDS: dict[str, fields.Field[Any]] = {
    "integer": config.Integer(),
    "number": config.Number(),
    "numbers": config.Numbers(2, each=validate.Range(max=1)),
    "constant": config.Constant("a", load_default=1.0),
    "flag": config.Flag(),
    "names": config.Names(most=2),
    "integers": config.Integers(most=2),
}


def load(kind: str, value: Any) -> Any:
    return Schema.from_dict({"key": FIELDS[kind]})().load({"key": value})["key"]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("integer", 0, 0),
        ("integer", -(2**70), -(2**70)),
        ("number", 3, 3.0),
        ("number", -0.5, -0.5),
        ("numbers", [1, 0.5], [1.0, 0.5]),
        ("numbers", (1, 0.5), [1.0, 0.5]),
        ("constant", 3, 3.0),
        ("constant", [1, 0.5], (1.0, 0.5)),
        ("flag", False, False),
        ("names", ["*.weight", "a"], ["*.weight", "a"]),
        ("names", [], []),
        ("names", ["x" * 256], ["x" * 256]),
        ("integers", [1, -2], [1, -2]),
        ("integers", [], []),
    ],
)
def test_what_is_written_is_read(kind: str, value: Any, expected: Any) -> None:
    loaded = load(kind, value)
    assert loaded == expected and type(loaded) is type(expected)


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        *(("integer", value, "expected a whole number, got") for value in (4.0, "4", True, [4], {})),
        *(("numbers", value, "expected 2 numbers, got") for value in ([1.0], [0.1] * 3, 0.5, "12", {})),
        *(
            ("constant", value, "expected a number or a list of numbers")
            for value in ("1", True, [], [nan], [[1]])
        ),
        *(("number", value, "expected a number, got") for value in ("0.5", True, inf, -inf, nan, [1])),
        *(("flag", value, "expected true or false, got") for value in (0, 1, "true", [], 1.0)),
        *(("names", value, "expected a list of names, got") for value in ("a", [1], ["a", None], {})),
        *(("names", value, "expected at most 2 names") for value in (["a", "b", "c"], ["x" * 257])),
        ("integers", [1, 2, 3], "expected at most 2 whole numbers, got 3"),
        ("integers", [1, 2.0], "expected a whole number, got 2.0"),
        ("integers", 1, "Not a valid list"),
    ],
)
def test_what_resembles_it_is_refused(kind: str, value: Any, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        load(kind, value)
    assert message in str(caught.value.messages)


def test_a_message_is_short() -> None:
    with pytest.raises(ValidationError) as caught:
        load("flag", "x" * 10_000)
    assert len(str(caught.value.messages)) < 120


def test_a_long_list_is_refused_before_its_items_are_read() -> None:
    with pytest.raises(ValidationError, match="got 1000000"):
        FIELDS["integers"].deserialize([None] * 10**6)
