"""Faults: how they are gathered, worded, and made of marshmallow's errors."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from itertools import islice
from operator import ne
from typing import Any, ClassVar, Self, TypeVar

from marshmallow import RAISE, Schema, ValidationError

from deltawire.errors import MOST_FAULTS, Fault, Refused
from deltawire_layers import find_synonym
from deltawire_plugins.foreign_keys import ForeignKeys
from deltawire_plugins.schema_errors import SchemaError, expectation, schema_errors
from deltawire_plugins.shown import shown
from deltawire_service.document_keys import DOCUMENT_KEYS

T = TypeVar("T")

LONGEST_NAME = 64
"""Characters of a name that is looked up among those of other libraries."""


SIMILAR = 0.65
"""Least ratio of two names that may be one misspelt: 'logits' and 'loss' have 0.6."""

MOST_LISTED = 12
"""Known names in a message."""

KIND_GUIDE = "; GET /v1/layers lists the kinds, and docs/write-a-layer.md shows how to add one"


class Faults(list[Fault]):
    """A list of faults that raises Refused by itself once it holds as many as an error lists.

    So a request with a million unknown names costs no more than one with a few.
    """

    def __init__(self, faults: Iterable[Fault] = ()):
        super().__init__()
        if faults:
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
        """Raise Refused when there is any fault."""
        if self:
            raise Refused(self)


class ServiceError(Exception):
    """An error of the service that ends a request; its text, if any, is the detail that the caller gets."""

    code: ClassVar[str]
    """The code of its problem document."""

    detail: ClassVar[str]
    """What the caller gets when the error has no text of its own."""

    pointer: str = ""
    """JSON pointer of the place in the request that is at fault; empty when there is none."""

    headers: tuple[tuple[str, str], ...] = ()
    """Headers of its answer."""

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The one fault that the error is answered with."""
        return (Fault(self.pointer, self.code, str(self) or self.detail),)


def of_class(table: Mapping[type[BaseException], T], kind: type[BaseException]) -> T:
    """Return the entry of a table for a class of exceptions: its own, or that of its nearest base class."""
    return next(table[base] for base in kind.__mro__ if base in table)


class Coded(str):
    """An error message of a schema with a fault code of its own.

    Args:
        code: the code.
        message: the message.
    """

    code: str

    def __new__(cls, code: str, message: str) -> Coded:
        text = super().__new__(cls, message)
        text.code = code
        return text


def nearest(name: Any, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown name: the most similar known name, or known ones.

    Example:
        >>> nearest("wieght", ["weight", "bias"])
        "; did you mean 'weight'?"
    """
    known = sorted(known)
    if close := _near(name, known):
        return close
    if not known:
        return "; there are none"
    return f"; known: {', '.join(known[:MOST_LISTED])}{', …' if len(known) > MOST_LISTED else ''}"


def _near(name: Any, known: Iterable[str]) -> str:
    """Return the end of a message that asks for the most similar known name; empty when none is similar."""
    known = sorted(known)
    alike = [other for other in known if isinstance(name, str) and abs(len(other) - len(name)) <= 4]
    # Comparing long names is slow, so compare only those that stand beside this one when sorted.
    first = max(0, min(bisect(alike, name), len(alike) - 8) - 8) if alike else 0
    beside = alike[first : first + 16]
    # The ratio of get_close_matches is low for repeated letters: 'azaa' is only half like 'aaaa'.
    close = [other for other in beside if len(other) == len(name) > 2 and sum(map(ne, other, name)) == 1]
    close = close or (get_close_matches(name, beside, n=1, cutoff=SIMILAR) if beside else [])
    return f"; did you mean '{close[0]}'?" if close else ""


def unknown_kind(kind: Any, kinds: Iterable[str]) -> str:
    """Return the message about a kind that is not installed, with the kind that stands for it.

    Args:
        kind: as it came; perhaps the name that another library has for a layer.
        kinds: the installed kinds.

    Example:
        >>> unknown_kind("Dense", ["linear", "relu"])
        "no layer of kind 'Dense' is installed; here it is 'linear'"
    """
    kinds = list(kinds)
    synonym = find_synonym(kind, kinds) if isinstance(kind, str) and len(kind) <= LONGEST_NAME else None
    if synonym is None:
        hint = nearest(kind, kinds) if len(kinds) <= MOST_LISTED else _near(kind, kinds) or KIND_GUIDE
    elif not synonym.kind:
        hint = f"; {synonym.note}"
    elif synonym.note:
        hint = f"; '{synonym.kind}' comes closest: {synonym.note}"
    else:
        hint = f"; here it is '{synonym.kind}'"
    return f"no layer of kind {shown(kind)} is installed{hint}"


def escape(name: Any) -> str:
    """Return a name as one step of a JSON pointer (RFC 6901), cut to 128 characters."""
    return str(name)[:128].replace("~", "~0").replace("/", "~1")


def load(schema: Schema, document: Any, pointer: str = "") -> dict[str, Any]:
    """Read a document with a schema.

    Args:
        schema: the schema; fields it does not know are errors.
        document: JSON values, as parsed.
        pointer: JSON pointer of the document in the request.

    Raises:
        Refused: the document does not fit, with a fault for every place.
    """
    if not isinstance(document, Mapping):
        detail = f"expected {expectation(schema)}, got {shown(document)}"
        raise Refused([Fault(pointer, "field_invalid", detail)])
    try:
        loaded: dict[str, Any] = schema.load(document, unknown=RAISE)
    except ValidationError as error:
        raise Refused(schema_faults(error, schema, pointer)) from None
    return loaded


def schema_faults(
    error: ValidationError, schema: Schema, pointer: str, foreign: ForeignKeys = DOCUMENT_KEYS
) -> list[Fault]:
    """Return the faults that a marshmallow error stands for, unknown fields first.

    Args:
        error: the error.
        schema: the schema that raised it.
        pointer: JSON pointer of the document in the request.
        foreign: the keys that other libraries have for those of the document.
    """
    # Nearest names for thousands of fields take long.
    errors = islice(schema_errors(error, schema), 5 * MOST_FAULTS)
    faults = [_fault(each, pointer, foreign) for each in errors]
    # A misspelt field explains a missing one, so it comes first.
    return sorted(faults, key=lambda fault: fault.code != "field_unknown")


def _place_of_unknown(key: str, error: SchemaError) -> str:
    """Return where a key that is no field may belong, as the end of a message; empty where nothing tells."""
    if {"kind", "config"} <= {*error.known}:
        return f'; a setting of its kind stands in config, as in {{"config": {{"{key}": …}}}}'
    return f"; expected {error.expected}" if error.expected != "an object" else ""


def _fault(error: SchemaError, pointer: str, foreign: ForeignKeys) -> Fault:
    place = "/".join([pointer, *map(escape, error.path)])
    code = getattr(error.message, "code", f"field_{error.problem}")
    hint = ""
    if error.problem == "unknown":
        key = str(error.path[-1])[: LONGEST_NAME + 1]
        hint = foreign.hint(key, error.known) or _near(error.path[-1], error.known)
        hint = hint or f"{nearest(None, error.known)}{_place_of_unknown(key, error)}"
    return Fault(place, code, f"{error.message}{hint}")
