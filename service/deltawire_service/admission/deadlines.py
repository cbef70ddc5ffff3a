"""How long a request may take: the setting, or less when the header `Deltawire-Deadline` says so."""

from __future__ import annotations

import re
from time import monotonic

from deltawire.errors import Fault, Refused
from deltawire_service.http.request_context import current
from deltawire_service.settings import Settings

HEADER, VARIABLE = "Deltawire-Deadline", "HTTP_DELTAWIRE_DEADLINE"
SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?\Z", re.ASCII)


def begin(settings: Settings) -> None:
    """Note when the present request ends. Raises Refused when its header is no number of seconds."""
    context = current()
    given = context.environ.get(VARIABLE)
    if given is not None and not SECONDS.match(given):
        raise Refused([Fault("", "deadline_invalid", f"{HEADER} is a number of seconds, such as 2.5")])
    most = settings.deadline_seconds
    context.until = monotonic() + (most if given is None else min(most, float(given)))


def deadline() -> float:
    """When the present request ends, as time.monotonic counts."""
    return current().until
