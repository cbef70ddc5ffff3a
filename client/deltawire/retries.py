"""When a call is made again: all calls are pure, so repeating one can change nothing but the waiting.

The wait before a repetition is drawn uniformly between half a bound and all of it, and the bound doubles each
time ("equal jitter"): many clients turned away at once do not come back at once, and each comes for long
enough: 7 waits last 6 s at least, in which a service that was stopped has started again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import inf

import requests

AGAIN = frozenset({429, 502, 503})
"""Statuses that say: not now. 504 is none: what took too long once takes too long again."""

CUT = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)
"""No connection, or one that broke. An answer that is merely slow is not asked for twice."""


@dataclass(frozen=True)
class Retries:
    """How often and how long: `Client(url, retries=Retries(attempts=1))` never repeats a call.

    attempts: most times a call is made. budget: seconds in all; no wait is begun that would end later.
    first, longest: seconds, bounds of the first wait and of any. A `Retry-After` is honoured up to `patience`
    seconds; a service that asks for more is not asked again.
    """

    attempts: int = 8
    budget: float = 120.0
    first: float = 0.1
    longest: float = 10.0
    patience: float = 60.0

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"attempts: expected at least 1, got {self.attempts}")

    def send(
        self,
        request: Callable[[], requests.Response],
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> requests.Response:
        """The first answer that is not one of AGAIN, or else the last one. Raises what the last attempt
        raised."""
        end = clock() + self.budget
        attempt = 1
        while True:
            try:
                response = request()
            except CUT:
                wait = self._wait(attempt, None)
                if attempt >= self.attempts or clock() + wait > end:
                    raise
            else:
                wait = self._wait(attempt, response.headers.get("Retry-After"))
                last = attempt >= self.attempts or clock() + wait > end
                if response.status_code not in AGAIN or last:
                    return response
                response.close()
            sleep(wait)
            attempt += 1

    def _wait(self, attempt: int, retry_after: str | None) -> float:
        bound = min(self.longest, self.first * 2 ** (attempt - 1))
        asked = seconds(retry_after) if retry_after else 0.0
        return asked + random.uniform(bound / 2, bound) if asked <= self.patience else inf


def seconds(retry_after: str) -> float:
    """The wait a Retry-After header asks for, in seconds or until a date; 0 when it is neither."""
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        date = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
