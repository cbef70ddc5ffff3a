"""Check arguments of one kind alike everywhere, and refuse others by their places.

Python would take `"no"` for true, and a text for the list of its letters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any

import numpy as np

from deltawire.errors import wrong_argument


def boolean(pointer: str, value: Any) -> bool:
    """Return True or False, which may be numpy's.

    Raises:
        Refused: The value is something else.
    """
    if not isinstance(value, bool | np.bool_):
        raise wrong_argument(pointer, "True or False", value)
    return bool(value)


def is_whole_number(value: Any, least: int = 1) -> bool:
    """Return whether a value is an integer of Python or numpy, of at least `least`."""
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least


def whole_number(pointer: str, value: Any, least: int = 1) -> int:
    """Return an integer, which may be numpy's.

    Args:
        pointer: JSON pointer to the argument.
        value: What was passed.
        least: The least number that fits.

    Raises:
        Refused: The value is something else, or smaller.
    """
    if not is_whole_number(value, least):
        raise wrong_argument(pointer, f"a whole number of at least {least}", value)
    return int(value)


def list_of_names(pointer: str, names: Any) -> list[Any]:
    """Return names, globs or handles as a list. A text is refused, for it is one name and not a list.

    Raises:
        Refused: They are no list of names.
    """
    if isinstance(names, str):
        raise wrong_argument(pointer, f"a list of names, as [{names!r}]", names)
    if isinstance(names, Mapping) or not isinstance(names, Iterable):
        raise wrong_argument(pointer, "a list of names or handles", names)
    return list(names)
