"""Errors of marshmallow schemas in words of ours: what was expected, and what came.

marshmallow's own sentences name neither. A message that an author wrote is kept as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from marshmallow import Schema, ValidationError, fields, validate

from deltawire_plugins.shown import shown

Step = str | int
SchemaOrField = Schema | fields.Field[Any] | None

ABSENT = object()
"""The value of a field that is not there, or of a document that an error does not carry."""

UNKNOWN = Schema().error_messages["unknown"]
REQUIRED = fields.Field.default_error_messages["required"]


class SchemaError(NamedTuple):
    """One thing wrong in a document."""

    path: tuple[Any, ...]
    """Keys and places from the document down to the value."""
    problem: str
    """`unknown` for a field that the schema does not have, `missing`, or `invalid`."""
    message: str
    """The sentence; an author's own message keeps its class and attributes."""
    known: Sequence[str] = ()
    """For an unknown field, the fields that the schema has."""
    expected: str = ""
    """For an unknown field, the object that the schema reads, in words."""


def schema_errors(error: ValidationError, schema: Schema) -> Iterator[SchemaError]:
    """Walk the tree of an error's messages along the tree of schemas and fields.

    Args:
        error: the error.
        schema: the schema that raised it.
    """
    document = ABSENT if error.data is None else error.data
    yield from _walk(error.normalized_messages(), schema, (), document)  # type: ignore[no-untyped-call]


def _walk(messages: Any, schema: SchemaOrField, path: tuple[Any, ...], value: Any) -> Iterator[SchemaError]:
    if isinstance(messages, list):
        for message in messages:
            problem = "missing" if message == REQUIRED else "invalid"
            yield SchemaError(path, problem, describe(message, schema, value))
        return
    if isinstance(schema, fields.Nested):
        schema = schema.schema
    for key, inner in messages.items():
        if key == "_schema":
            yield from _walk(inner, schema, path, value)
        elif isinstance(schema, Schema) and inner == [UNKNOWN]:
            message, known = f"unknown field {shown(key)}", sorted(schema.fields)
            yield SchemaError((*path, key), "unknown", message, known, expectation(schema))
        elif isinstance(schema, Schema):
            yield from _walk(inner, schema.fields.get(key), (*path, key), _item(value, key))
        elif isinstance(schema, fields.Dict) and isinstance(inner, dict):
            for part, below in inner.items():  # messages about a key, and about its value
                one, item = (
                    (schema.key_field, key) if part == "key" else (schema.value_field, _item(value, key))
                )
                yield from _walk(below, one, (*path, key), item)
        else:
            one = schema.inner if isinstance(schema, fields.List) else None
            yield from _walk(inner, one, (*path, key), _item(value, key))


def _item(value: Any, key: Any) -> Any:
    try:
        return value[key]
    except (LookupError, TypeError):
        return ABSENT


def describe(message: str, schema: SchemaOrField, value: Any = ABSENT) -> str:
    """Return a message of marshmallow in words of ours, and a message of someone else as it is.

    Args:
        message: the message.
        schema: the field that it is about, or the schema of a document.
        value: the value that came.
    """
    if not DEFAULTS.fullmatch(message):
        return message
    expected = expectation(schema)
    if message == REQUIRED:
        return f"the field is missing: expected {expected}"
    return f"expected {expected}" + ("" if value is ABSENT else f", got {shown(value)}")


def _default_texts() -> Iterator[str]:
    """Yield the templates of marshmallow's own messages."""
    for kind in vars(fields).values():
        if isinstance(kind, type) and issubclass(kind, fields.Field):
            yield from map(str, kind.default_error_messages.values())
    for kind in vars(validate).values():
        if isinstance(kind, type) and issubclass(kind, validate.Validator):
            named = vars(kind).items()
            yield from (text for name, text in named if "message" in name and isinstance(text, str))
    yield from Schema().error_messages.values()


def _pattern(template: str) -> str:
    """Return a pattern for a template: any text in place of `{…}`."""
    return ".*".join(map(re.escape, re.split(r"\{+.*?\}+", template)))


DEFAULTS = re.compile("|".join(sorted({*map(_pattern, _default_texts())})), re.DOTALL)
"""Every message that marshmallow writes by itself."""

NOUNS: Mapping[type[fields.Field[Any]], tuple[str, str]] = {
    fields.Nested: ("an object", "objects"),
    fields.Mapping: ("an object", "objects"),
    fields.List: ("a list", "lists"),
    fields.Tuple: ("a list", "lists"),
    fields.Integer: ("a whole number", "whole numbers"),
    fields.Number: ("a number", "numbers"),
    fields.Boolean: ("true or false", "true or false"),
    fields.UUID: ("a UUID", "UUIDs"),
    fields.Url: ("a URL", "URLs"),
    fields.Email: ("an email address", "email addresses"),
    fields.IP: ("an IP address", "IP addresses"),
    fields.IPInterface: ("an IP interface", "IP interfaces"),
    fields.TimeDelta: ("a number of seconds", "numbers of seconds"),
    fields.Time: ("a time, as in 12:30:00", "times"),
    fields.Date: ("a date, as in 2024-12-31", "dates"),
    fields.DateTime: ("a date and a time, as in 2024-12-31T12:30:00", "dates and times"),
    fields.String: ("a string", "strings"),
    fields.Field: ("another value", "values"),
}
"""A value of each field, and several; a field has the words of the first of its classes here."""


def _noun(field: fields.Field[Any]) -> tuple[str, str]:
    return next(NOUNS[kind] for kind in type(field).__mro__ if kind in NOUNS)


def expectation(field: SchemaOrField) -> str:
    """Return the values that a field takes: `a whole number of at least 1 or null`.

    An author's own field may say so itself, in an attribute `expected`; so may the schema of an object.
    """
    if not isinstance(field, fields.Field):
        return getattr(field, "expected", "an object")
    words = getattr(field, "expected", None) or _kind(field)
    if isinstance(field, fields.Enum):
        words = _one_of(field.enum.__members__)
    for validator in field.validators:
        if isinstance(validator, validate.OneOf):
            words = _one_of(validator.choices)
        elif isinstance(validator, validate.Equal):
            words = shown(validator.comparable)
        else:
            words += _bounds(validator)
    return f"{words} or null" if field.allow_none else words


def _kind(field: fields.Field[Any]) -> str:
    """Return the kind of value that a field takes: `a list of objects`."""
    if isinstance(field, fields.List):
        return f"{_noun(field)[0]} of {_noun(field.inner)[1]}"
    if isinstance(field, fields.Nested):
        return "a list of objects" if field.many else expectation(field.schema)
    return _noun(field)[0]


def _one_of(choices: Any) -> str:
    return " or ".join(map(shown, choices))


def _bounds(validator: Any) -> str:
    """Return the words of a validator after those of its field: ` of at least 1`."""
    if isinstance(validator, validate.Range):
        least = "at least" if validator.min_inclusive else "above"
        most = "at most" if validator.max_inclusive else "below"
        ends = [(least, validator.min), (most, validator.max)]
        words = " and ".join(f"{words} {end}" for words, end in ends if end is not None)
        return f" of {words}" if words.startswith("at") else f" {words}"
    if isinstance(validator, validate.Length):
        if validator.equal is not None:
            return f" of length {validator.equal}"
        if validator.min == 1 and validator.max is None:
            return ", not empty"
        ends = [("at least", validator.min), ("at most", validator.max)]
        return " of length " + " and ".join(f"{words} {end}" for words, end in ends if end is not None)
    if isinstance(validator, validate.Regexp):
        return f" that matches {shown(validator.regex.pattern)}"
    if isinstance(validator, validate.NoneOf | validate.ContainsNoneOf):
        return f" without {_one_of(validator.iterable)}"
    if isinstance(validator, validate.ContainsOnly):
        return f" of {_one_of(validator.choices)}"
    return ""
