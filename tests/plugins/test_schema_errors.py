"""Errors of schemas say what was expected and what came, for every field and validator of marshmallow."""

from __future__ import annotations

from enum import Enum
from typing import Any

import pytest
from marshmallow import Schema, ValidationError, fields, validate

from deltawire_plugins.schema_errors import expectation, schema_errors


class Color(Enum):
    red = 1
    blue = 2


class Inner(Schema):
    size = fields.Integer(required=True)


class Shown(Inner):
    expected = 'an object such as {"size": 3}'


class Own(fields.List[int]):
    expected = "a list of sizes"

    def __init__(self) -> None:
        super().__init__(fields.Integer())


@pytest.mark.parametrize(
    "field, value, message",
    [
        (fields.Integer(), "x", "expected a whole number, got 'x'"),
        (fields.Integer(), None, "expected a whole number, got null"),
        (fields.Integer(allow_none=True), [], "expected a whole number or null, got []"),
        (fields.Float(), "x", "expected a number, got 'x'"),
        (fields.Float(), "nan", "expected a number, got 'nan'"),
        (fields.Boolean(), "x", "expected true or false, got 'x'"),
        (fields.String(), 1, "expected a string, got 1"),
        (fields.String(), b"\xff", "expected a string, got b'\\xff'"),
        (fields.List(fields.Integer()), 1, "expected a list of whole numbers, got 1"),
        (fields.Tuple([fields.Integer()]), 1, "expected a list, got 1"),
        (fields.Dict(), [], "expected an object, got []"),
        (fields.Nested(Inner), 1, "expected an object, got 1"),
        (fields.Nested(Shown), 1, 'expected an object such as {"size": 3}, got 1'),
        (fields.Nested(Shown), None, 'expected an object such as {"size": 3}, got null'),
        (Own(), None, "expected a list of sizes, got null"),
        (
            fields.List(fields.Integer(), validate=validate.Length(1)),
            [],
            "expected a list of whole numbers, not empty, got []",
        ),
        (fields.Nested(Inner, many=True), 1, "expected a list of objects, got 1"),
        (fields.UUID(), "x", "expected a UUID, got 'x'"),
        (fields.Url(), "x", "expected a URL, got 'x'"),
        (fields.Email(), "x", "expected an email address, got 'x'"),
        (fields.IPv4(), "x", "expected an IP address, got 'x'"),
        (fields.Date(), "x", "expected a date, as in 2024-12-31, got 'x'"),
        (fields.DateTime(), "x", "expected a date and a time, as in 2024-12-31T12:30:00, got 'x'"),
        (fields.Time(), "x", "expected a time, as in 12:30:00, got 'x'"),
        (fields.TimeDelta(), "x", "expected a number of seconds, got 'x'"),
        (fields.Enum(Color), "green", "expected 'red' or 'blue', got 'green'"),
        (fields.Integer(validate=validate.Range(1)), 0, "expected a whole number of at least 1, got 0"),
        (
            fields.Float(validate=validate.Range(0, 1, min_inclusive=False, max_inclusive=False)),
            1,
            "expected a number above 0 and below 1, got 1",
        ),
        (fields.String(validate=validate.OneOf(["a", "b"])), "c", "expected 'a' or 'b', got 'c'"),
        (fields.Integer(validate=validate.Equal(1)), 2, "expected 1, got 2"),
        (
            fields.String(validate=validate.Length(2, 3)),
            "x",
            "expected a string of length at least 2 and at most 3, got 'x'",
        ),
        (fields.String(validate=validate.Length(equal=2)), "x", "expected a string of length 2, got 'x'"),
        (
            fields.String(validate=validate.Regexp("[a]+")),
            "b",
            "expected a string that matches '[a]+', got 'b'",
        ),
        (fields.String(validate=validate.NoneOf(["a"])), "a", "expected a string without 'a', got 'a'"),
        (fields.Integer(required=True), ..., "the field is missing: expected a whole number"),
    ],
)
def test_a_message_says_what_was_expected_and_what_came(
    field: fields.Field[Any], value: Any, message: str
) -> None:
    schema = Schema.from_dict({"f": field})()
    with pytest.raises(ValidationError) as caught:
        schema.load({} if value is ... else {"f": value})
    (error,) = schema_errors(caught.value, schema)
    assert error.path == ("f",)
    assert error.message == message


def test_a_message_of_an_author_is_kept() -> None:
    def even(value: int) -> None:
        if value % 2:
            raise ValidationError("odd sizes have no middle")

    schema = Schema.from_dict({"f": fields.Integer(validate=even)})()
    with pytest.raises(ValidationError) as caught:
        schema.load({"f": 3})
    assert [error.message for error in schema_errors(caught.value, schema)] == ["odd sizes have no middle"]


def test_a_document_that_is_no_object_is_said_so() -> None:
    with pytest.raises(ValidationError) as caught:
        Inner().load([])
    (error,) = schema_errors(caught.value, Inner())
    assert (error.path, error.message) == ((), "expected an object, got []")


def test_the_words_of_a_validator_that_nobody_knows_are_left_out() -> None:
    assert expectation(fields.Integer(validate=lambda value: None)) == "a whole number"
