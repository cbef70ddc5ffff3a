"""API keys: who may ask, and how much. Without any, everybody may.

A key is known by its SHA-256 alone, one line each: the digest in hex, a name for logs, then limits.

    ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad laptop requests_per_second=50

It comes as a bearer token, or with HTTP Basic, as password or as user without one: some clients can put it
nowhere but in their URL.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import struct
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from hashlib import sha256
from math import inf
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TypeVar

from environs import EnvError
from flask import Flask, Response, request

from deltawire.errors import Fault, Refused
from deltawire_service.engine import Plan, Runner
from deltawire_service.http.request_context import current
from deltawire_service.settings import Settings

T = TypeVar("T")

OPEN = frozenset({"/livez", "/readyz"})
"""Routes that need no key: those who ask them have none, and learn nothing."""

DIGEST = re.compile(r"[0-9a-f]{64}\Z")
CHALLENGES = ('Bearer realm="deltawire"', 'Basic realm="deltawire", charset="UTF-8"')

BURST = 1.0
"""Seconds whose requests may come at once."""


class Unauthorized(Exception):
    """No key came, or none that is known."""


class RateLimited(Exception):
    """The key has asked too often. retry_after: whole seconds."""

    def __init__(self, retry_after: int):
        super().__init__(f"the key may ask again in {retry_after} s")
        self.retry_after = retry_after


@dataclass(frozen=True)
class Key:
    """What a key may do. The limits are numbers above 0."""

    name: str
    place: int
    """Among all keys, counted from 0."""
    requests_per_second: float = inf
    """Over all workers; as many may come at once."""
    planned_bytes: float = inf
    """Peak memory of one request, as planned; the service's own limit stands beside it."""


class Rates:
    """When each key may ask next, shared by the processes that are forked later and by their threads.

    The generic cell rate algorithm (ITU-T I.371): one number a key, the time at which it would be even with
    its rate; it may be `BURST` ahead.
    """

    def __init__(self, count: int):
        self._lock = Lock()
        if hasattr(os, "memfd_create"):
            self._file = os.memfd_create("deltawire-rates")  # needs no disk that can be written
        else:
            self._file = os.dup(tempfile.TemporaryFile().fileno())
        os.ftruncate(self._file, 8 * count)

    def wait(self, key: Key, now: float) -> float:
        """Seconds until the key may ask again; 0 when it may now, and has."""
        import fcntl  # Windows has none; there the service runs embedded, without keys

        interval = 1 / key.requests_per_second
        ahead = max(0.0, BURST - interval)
        with self._lock:  # between threads
            fcntl.lockf(self._file, fcntl.LOCK_EX)  # between processes; one that dies lets go of it
            try:
                (even,) = struct.unpack("d", os.pread(self._file, 8, 8 * key.place))
                wait = even - now - ahead
                if wait > 0:
                    return float(wait)
                os.pwrite(self._file, struct.pack("d", max(even, now) + interval), 8 * key.place)
                return 0.0
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)


def read_keys(settings: Settings) -> dict[bytes, Key]:
    """The keys by digest, those of DELTAWIRE_API_KEYS and of DELTAWIRE_API_KEYS_FILE.

    Raises environs.EnvError naming the variable, and the line, that does not fit.
    """
    keys: dict[bytes, Key] = {}
    add_keys(keys, "DELTAWIRE_API_KEYS", settings.api_keys.splitlines())
    if settings.api_keys_file:
        variable = "DELTAWIRE_API_KEYS_FILE"
        try:
            text = Path(settings.api_keys_file).read_text("utf-8")
        except (OSError, UnicodeError) as error:
            raise EnvError(f"{variable}: cannot be read: {error}") from None
        add_keys(keys, variable, text.splitlines())
    if not keys and (settings.api_keys or settings.api_keys_file):
        raise EnvError("DELTAWIRE_API_KEYS and DELTAWIRE_API_KEYS_FILE: there is no key in them")
    return keys


def add_keys(keys: dict[bytes, Key], variable: str, lines: Iterable[str]) -> None:
    """Add a key for every line that is neither empty nor a comment."""
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        place = f"{variable}, line {number}"
        if not DIGEST.match(words[0]):
            raise EnvError(f"{place}: expected the SHA-256 of a key in 64 hex digits, then a name")
        if len(words) < 2:
            raise EnvError(f"{place}: the key has no name")
        digest = bytes.fromhex(words[0])
        if digest in keys:
            raise EnvError(f"{place}: the key is there twice")
        limits = dict(read_limit(word, place) for word in words[2:])
        keys[digest] = Key(words[1], len(keys), **limits)


LIMITS = tuple(limit.name for limit in fields(Key) if limit.type == "float")


def read_limit(word: str, place: str) -> tuple[str, float]:
    """The name and the value of a limit. Raises EnvError when it is none."""
    name, _, value = word.partition("=")
    if name not in LIMITS:
        raise EnvError(f"{place}: expected a limit, {' or '.join(LIMITS)}, got {name!r}")
    if not re.match(r"[0-9]{1,15}(\.[0-9]{1,9})?\Z", value, re.ASCII) or float(value) == 0:
        raise EnvError(f"{place}: {name} is a number above 0")
    return name, float(value)


def require_key(app: Flask, keys: Mapping[bytes, Key]) -> None:
    """Take requests with a known key only, and no more of them than it may send."""
    rates = Rates(len(keys))

    @app.before_request
    def check() -> None:
        if request.path in OPEN:
            return
        given = presented(request.headers.get("Authorization", ""))
        known = (keys.get(sha256(secret).digest()) for secret in given)
        key = next((key for key in known if key), None)
        if key is None:
            raise Unauthorized
        current().key = key
        if key.requests_per_second < inf and (wait := rates.wait(key, monotonic())):
            raise RateLimited(int(wait) + 1)


def challenge(response: Response) -> None:
    """Tell how a key can be sent."""
    for way in CHALLENGES:
        response.headers.add("WWW-Authenticate", way)


def presented(authorization: str) -> list[bytes]:
    """The bytes a caller may mean as a key."""
    scheme, _, rest = authorization.partition(" ")
    credentials = rest.strip(" ").encode("latin-1", "replace")  # as they came: servers decode headers as it
    if scheme.lower() == "bearer":
        return [credentials]
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(credentials, validate=True)
        except binascii.Error:
            return []
        return [pair.partition(b":")[2], pair.removesuffix(b":")]  # user:KEY, or KEY: alone
    return []


def planned_bytes(settings: Settings) -> int:
    """Peak memory that the present request may plan: the service's limit, or its key's, which may be less."""
    key = current().key
    return int(min(settings.planned_bytes, key.planned_bytes)) if key else settings.planned_bytes


def within_limits(run: Runner) -> Runner:
    """The same way to call layers, for plans that the present key may ask for."""

    def limited(compute: Callable[[float], T], plan: Plan | None = None) -> T:
        key = current().key
        if key and plan and plan.peak_bytes > key.planned_bytes:
            most = int(key.planned_bytes)
            detail = f"the plan has {plan.peak_bytes} bytes at its peak, and this key may ask for {most}"
            raise Refused([Fault("", "memory_plan_exceeded", detail)])
        return run(compute, plan)

    return limited
