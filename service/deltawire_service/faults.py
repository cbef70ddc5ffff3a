"""From marshmallow's errors to faults: a pointer, a stable code, and a message that helps."""

from __future__ import annotations

import reprlib
from bisect import bisect
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any, Self

from marshmallow import RAISE, Schema, ValidationError, fields

from deltawire.errors import MOST_FAULTS, Fault, Refused


class Faults(list[Fault]):
    """Faults being gathered. As many as an error lists are enough: then they are raised at once.

    To find the nearest name for each of a million unknown ones would be a way to keep the service busy.
    """

    def __init__(self, faults: Iterable[Fault] = ()):
        super().__init__()
        self.extend(faults)

    def append(self, fault: Fault) -> None:
        super().append(fault)
        if len(self) >= MOST_FAULTS:
            self.refuse()

    def extend(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self.append(fault)

    def __iadd__(self, faults: Iterable[Fault]) -> Self:  # type: ignore[override,misc]
        self.extend(faults)
        return self

    def refuse(self) -> None:
        """Raises Refused when there is any fault."""
        if self:
            raise Refused(self)


class Coded(str):
    """An error message with a code of its own."""

    code: str

    def __new__(cls, code: str, message: str) -> Coded:
        text = super().__new__(cls, message)
        text.code = code
        return text


def shown(value: Any) -> str:
    """A value as it may stand in a message: short, and without control characters."""
    text = reprlib.repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


def nearest(name: Any, known: Iterable[str]) -> str:
    """Ends a message about an unknown name: the most similar known one, or all of them when they are few."""
    known = sorted(known)
    alike = [other for other in known if isinstance(name, str) and abs(len(other) - len(name)) <= 4]
    # Comparing costs most where names are long and alike: those that begin like this one stand beside it.
    first = max(0, min(bisect(alike, name), len(alike) - 8) - 8) if alike else 0
    close = alike and get_close_matches(name, alike[first : first + 16], n=1, cutoff=0.6)  # indexes the name
    if close:
        return f"; did you mean '{close[0]}'?"
    if not known:
        return "; there are none"
    return f"; known: {', '.join(known[:12])}{', …' if len(known) > 12 else ''}"


def escape(name: Any) -> str:
    """A name as one step of a JSON pointer (RFC 6901), cut short when a caller made it very long."""
    return str(name)[:128].replace("~", "~0").replace("/", "~1")


def load(schema: Schema, document: Any, pointer: str = "") -> dict[str, Any]:
    """The document as the schema reads it. Raises Refused with a fault for every place that does not fit."""
    if not isinstance(document, Mapping):
        raise Refused([Fault(pointer, "field_invalid", f"expected an object, got {shown(document)}")])
    try:
        loaded: dict[str, Any] = schema.load(document, unknown=RAISE)
    except ValidationError as error:
        raise Refused(faults(error, schema, pointer)) from None
    return loaded


UNKNOWN = Schema._default_error_messages["unknown"]
REQUIRED = fields.Field.default_error_messages["required"]

Described = Schema | fields.Field[Any] | None


def faults(error: ValidationError, schema: Schema, pointer: str) -> list[Fault]:
    """What a schema found wrong with the document at `pointer`."""
    found = _faults(error.normalized_messages(), schema, pointer)  # type: ignore[no-untyped-call]
    found = islice(found, 5 * MOST_FAULTS)  # a nearest name for each of thousands takes long
    return sorted(
        found, key=lambda fault: fault.code != "field_unknown"
    )  # a misspelt key explains a missing one


def _faults(messages: Any, described: Described, pointer: str) -> Iterator[Fault]:
    """The tree of a ValidationError's messages, beside the tree of schemas and fields it stands for."""
    if isinstance(described, fields.Nested):
        described = described.schema
    if isinstance(messages, list):
        for message in messages:
            code = getattr(message, "code", "field_missing" if message == REQUIRED else "field_invalid")
            yield Fault(pointer, code, str(message))
        return
    for key, inner in messages.items():
        place = f"{pointer}/{escape(key)}"
        if key == "_schema":
            yield from _faults(inner, described, pointer)
        elif isinstance(described, Schema) and inner == [UNKNOWN]:
            yield Fault(place, "field_unknown", f"unknown field {shown(key)}{nearest(key, described.fields)}")
        elif isinstance(described, Schema):
            yield from _faults(inner, described.fields.get(key), place)
        elif isinstance(described, fields.Dict):
            for (
                part,
                below,
            ) in inner.items():  # marshmallow keeps what is wrong with a key and with its value apart
                yield from _faults(
                    below, described.key_field if part == "key" else described.value_field, place
                )
        else:
            yield from _faults(inner, described.inner if isinstance(described, fields.List) else None, place)
