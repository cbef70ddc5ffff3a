"""Show a value of a JSON document in a message."""

from __future__ import annotations

import reprlib
from typing import Any

MOST_CHARACTERS = 80


class JSONRepr(reprlib.Repr):
    """Shortens a value, with JSON's words for what Python calls None, True and False.

    Strings keep single quotes: in the JSON of an error, double ones would need a backslash each.
    """

    def repr_NoneType(self, value: None, level: int) -> str:
        """Return JSON's word for None."""
        return "null"

    def repr_bool(self, value: bool, level: int) -> str:
        """Return JSON's word for True or False."""
        return "true" if value else "false"


_JSON = JSONRepr()


def shown(value: Any) -> str:
    """Return a value as it may stand in a message: short, in JSON's words, without control characters.

    Example:
        >>> shown([None, True, "a"])
        "[null, true, 'a']"
    """
    text = _JSON.repr(value)
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"
