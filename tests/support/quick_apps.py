"""Make the many applications of the tests in less time, without a change of what they answer."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import EntryPoints, entry_points
from typing import Any

from werkzeug.routing import Rule

from deltawire_plugins import registry, translations
from deltawire_service.api import layers


def make_apps_quickly() -> None:
    """Do once what every application does again: read what is installed, and describe the layers.

    Werkzeug compiles two functions for each route, which build its URL. They are compiled when one is built.
    """
    registry.entry_points = translations.entry_points = _entry_points  # type: ignore[assignment,attr-defined]
    layers.describe = lru_cache(1024)(layers.describe)
    compiled = Rule._compile_builder

    def compile_later(self: Rule, append_unknown: bool = True) -> Callable[..., Any]:
        @lru_cache(1)
        def builder() -> Callable[..., Any]:
            return compiled(self, append_unknown)

        return lambda *args, **options: builder()(*args, **options)

    Rule._compile_builder = compile_later  # type: ignore[method-assign]


def _entry_points(group: str) -> EntryPoints:
    """Return the entry points of a group, read again after an installation."""
    folders = tuple((path, os.stat(path).st_mtime_ns) for path in sys.path if os.path.isdir(path))
    return _read(group, folders)


@lru_cache(64)
def _read(group: str, folders: tuple[tuple[str, int], ...]) -> EntryPoints:
    return entry_points(group=group)
