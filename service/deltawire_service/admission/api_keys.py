"""API keys: who may use the service, and how much.

The service knows a key by its SHA-256 alone. Each key is one line: the digest in hex, a name, then limits.

    ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad laptop requests_per_second=50
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from hashlib import sha256
from math import inf
from pathlib import Path

from environs import EnvError

from deltawire_service.settings import Settings

DIGEST = re.compile(r"[0-9a-f]{64}\Z")
EMPTY = frozenset(sha256(text).hexdigest() for text in (b"", b"\n", b"\r\n"))
"""Digests of no key: what a shell computes when the variable of the key is not set."""

LINE_END = re.compile(r"\r\n|\n|\r")
"""The ends of lines that editors show. Python's own `splitlines` knows more, which a comment could hide."""


@dataclass(frozen=True)
class Key:
    """A known key and its limits, which are numbers above 0."""

    name: str
    place: int
    """Position among all keys, counted from 0."""
    requests_per_second: float = inf
    """Requests over all workers; those of one second may come at once."""
    planned_bytes: float = inf
    """Peak memory of one request, as planned; the service's own limit holds beside it."""


LIMITS = tuple(limit.name for limit in fields(Key) if limit.type == "float")


def read_keys(settings: Settings) -> dict[bytes, Key]:
    """Return the keys of both settings, DELTAWIRE_API_KEYS and DELTAWIRE_API_KEYS_FILE, by digest.

    Raises:
        environs.EnvError: a line does not fit, or the file cannot be read; the variable is named.
    """
    keys: dict[bytes, Key] = {}
    add_keys(keys, "DELTAWIRE_API_KEYS", LINE_END.split(settings.api_keys))
    if settings.api_keys_file:
        variable = "DELTAWIRE_API_KEYS_FILE"
        try:
            text = Path(settings.api_keys_file).read_text("utf-8-sig")
        except (OSError, UnicodeError) as error:
            raise EnvError(f"{variable}: cannot be read: {error}") from None
        add_keys(keys, variable, LINE_END.split(text))
    if not keys and (settings.api_keys or settings.api_keys_file):
        raise EnvError("DELTAWIRE_API_KEYS and DELTAWIRE_API_KEYS_FILE: there is no key in them")
    return keys


def add_keys(keys: dict[bytes, Key], variable: str, lines: Iterable[str]) -> None:
    """Add the key of every line that is neither empty nor a comment.

    Args:
        keys: where the keys are added, by digest.
        variable: name of the setting the lines come from, for messages.
        lines: the lines.

    Raises:
        environs.EnvError: a line does not fit.
    """
    for number, line in enumerate(lines, 1):
        entry = line.partition("#")[0].replace("\t", " ")
        words = entry.split()
        if not words:
            continue
        place = f"{variable}, line {number}"
        if not entry.isprintable():
            raise EnvError(f"{place}: there is a control character")
        if not DIGEST.match(words[0]):
            raise EnvError(f"{place}: expected the SHA-256 of a key in 64 hex digits, then a name")
        if words[0] in EMPTY:
            raise EnvError(f"{place}: this is the digest of an empty key; was the variable with the key set?")
        if len(words) < 2:
            raise EnvError(f"{place}: the key has no name")
        digest = bytes.fromhex(words[0])
        if digest in keys:
            raise EnvError(f"{place}: the key is there twice")
        limits: dict[str, float] = {}
        for word in words[2:]:
            name, limit = read_limit(word, place)
            if name in limits:
                raise EnvError(f"{place}: {name} is there twice")
            limits[name] = limit
        keys[digest] = Key(words[1], len(keys), **limits)


def read_limit(word: str, place: str) -> tuple[str, float]:
    """Return the name and the value of a limit, `NAME=NUMBER`.

    Raises:
        environs.EnvError: there is no such limit, or its value is no number above 0.
    """
    name, _, value = word.partition("=")
    if name not in LIMITS:
        raise EnvError(f"{place}: expected a limit, {' or '.join(LIMITS)}, got {name!r}")
    if not re.match(r"[0-9]{1,15}(\.[0-9]{1,9})?\Z", value, re.ASCII) or float(value) == 0:
        raise EnvError(f"{place}: {name} is a number above 0")
    return name, float(value)
