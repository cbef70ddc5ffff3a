"""The names of models and datasets."""

from __future__ import annotations

import re

from deltawire.errors import Fault, Refused
from deltawire_plugins.shown import shown

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}\Z", re.ASCII)


def check_name(name: str) -> None:
    """Raise Refused unless a model or a dataset may have this name."""
    if not NAME.match(name):
        detail = f"{shown(name)} is no name: letters, digits, _ and -, not starting with -, at most 64"
        raise Refused([Fault("/name", "name_invalid", detail)])
