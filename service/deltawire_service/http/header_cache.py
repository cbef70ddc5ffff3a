"""A cache for what is parsed from headers: clients send the same ones with every request."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from werkzeug.http import parse_options_header

T = TypeVar("T")

CACHED = 64
"""Results that are kept of each function."""

CACHED_CHARACTERS = 256
"""Longer headers are parsed anew each time, so that what is kept is small. A header may have 16 KiB."""


def header_cache(parse: Callable[..., T]) -> Callable[..., T]:
    """Return a function of headers, some of its results kept; it may take tuples of them, too."""
    kept = dict[tuple[Any, ...], T]()

    @wraps(parse)
    def call(*headers: Any) -> T:
        try:
            return kept[headers]
        except KeyError:
            parsed = parse(*headers)
        if sum(map(len, headers)) <= CACHED_CHARACTERS:
            if len(kept) >= CACHED:
                kept.clear()  # a client that sends ever new ones gains nothing by it
            kept[headers] = parsed
        return parsed

    return call


@header_cache
def media_type(content_type: str) -> str:
    """Return a Content-Type without its parameters."""
    return parse_options_header(content_type)[0].lower()
