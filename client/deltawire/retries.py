"""When a call is made again. Calls that compute are pure, so that repeating one changes nothing.

A call that changes something carries an Idempotency-Key: the service makes the change once, however often the
call comes. So it is repeated in more cases, until its outcome is known.

The wait before a repetition is drawn uniformly between half a bound and the bound, which doubles each time
("equal jitter"): clients that are turned away together do not come back together. Seven waits last at least
6 s, in which a service that was stopped has started again.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import inf
from typing import NamedTuple

from deltawire.errors import ConnectionLost, TimedOut, Unreachable
from deltawire.transport import Response

LOG = logging.getLogger("deltawire")

BUSY = frozenset({429, 502, 503})
"""Statuses that mean "not now". 504 is not among them: what took too long once takes too long again."""


class Outcome(NamedTuple):
    """The last response to a call.

    Attributes:
        response: The response.
        unknown: Whether an attempt may have made the change of the call, without this response saying so.
    """

    response: Response
    unknown: bool = False


@dataclass(frozen=True)
class Retries:
    """How often and how long to try: `Client(url, retries=Retries(attempts=1))` never repeats a call.

    Attributes:
        attempts: Most times a call is made.
        budget: Seconds for all attempts; no wait begins that would end later.
        first: Seconds; bound of the first wait.
        longest: Seconds; bound of any wait.
        patience: Seconds; a service that asks for a longer wait by `Retry-After` is not asked again.
        startup: Seconds for all attempts, and to connect, while the service was never connected: it may not
            be running at all.
    """

    attempts: int = 8
    budget: float = 120.0
    first: float = 0.1
    longest: float = 10.0
    patience: float = 60.0
    startup: float = 1.5

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"attempts: expected at least 1, got {self.attempts}")

    def send(
        self,
        attempt: Callable[[], Response],
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        *,
        answered: bool = True,
        keyed: bool = False,
    ) -> Outcome:
        """Call `attempt` until the service is reached and not busy, and return its response.

        Args:
            attempt: Sends the request once.
            sleep: Waits so many seconds.
            clock: Returns seconds.
            answered: Whether the service has ever answered.
            keyed: Whether the request changes something once, by its Idempotency-Key.

        Returns:
            The first response that is not one of BUSY, or the last one. With a key, a 504 is not one to
            return either, unless it certainly changed nothing: it is the service's own, and no attempt before
            it may have made the change.

        Raises:
            Unreachable: The last attempt found no service.
            TimedOut: An attempt was too slow. It is repeated only with a key.
        """
        begun = clock()
        end = begun + (self.budget if answered else min(self.startup, self.budget))
        number = 1
        unknown = False  # whether an attempt before this one may have made the change
        while True:
            try:
                response = attempt()
            except Unreachable as error:
                wait = self._wait(number, None)
                if isinstance(error, TimedOut) and not keyed:
                    raise
                if isinstance(error, ConnectionLost | TimedOut):
                    end = begun + self.budget
                if number >= self.attempts or clock() + wait > end:
                    raise error.after(number, clock() - begun) from error.__cause__
                unknown = True
                reason = str(error)
            else:
                end = begun + self.budget
                wait = self._wait(number, response.header("Retry-After"))
                last = number >= self.attempts or clock() + wait > end
                unsure = unknown or not _changed_nothing(response)
                again = response.status in BUSY or (keyed and response.status == 504 and unsure)
                if last or not again:
                    return Outcome(response, keyed and again and unknown)
                unknown = unsure
                reason = f"the service answered {response.status}"
            LOG.warning("attempt %d of %d: %s; the next one in %.2f s", number, self.attempts, reason, wait)
            sleep(wait)
            number += 1

    def _wait(self, number: int, retry_after: str | None) -> float:
        bound = min(self.longest, self.first * 2 ** (number - 1))
        requested = seconds(retry_after) if retry_after else 0.0
        return requested + random.uniform(bound / 2, bound) if requested <= self.patience else inf


def _changed_nothing(response: Response) -> bool:
    """Return whether a response to a change says for certain that its attempt made none.

    A 429 does, and a 503 or 504 of the service itself: a problem document with the request's id. A proxy that
    stopped waiting does not know what the service still did; deploy/nginx.conf leaves the id out then.
    """
    kind = (response.header("Content-Type") or "").partition(";")[0].strip().lower()
    ours = kind == "application/problem+json" and response.header("X-Request-Id") is not None
    certain = response.status in (503, 504) and b'"outcome_unknown"' not in response.body
    return response.status == 429 or (ours and certain)


def seconds(retry_after: str) -> float:
    """Return the seconds that a Retry-After header asks for, as a number or a date; 0 for anything else."""
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        date = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
