"""How long a request may take: the setting, or less when the header `Deltawire-Deadline` says so."""

from __future__ import annotations

from time import monotonic

from deltawire.errors import Fault, Refused
from deltawire_service.http.request_context import RequestContext, current_request
from deltawire_service.server.connections.limits import SECONDS
from deltawire_service.server.connections.received_body import BEGAN
from deltawire_service.settings import Settings

HEADER, VARIABLE = "Deltawire-Deadline", "HTTP_DELTAWIRE_DEADLINE"


def set_deadline(settings: Settings, context: RequestContext) -> None:
    """Set the deadline of a request: from its header Deltawire-Deadline, at most the setting.

    Raises:
        Refused: the header is no number of seconds.
    """
    header = context.environ.get(VARIABLE)
    if header is not None and not SECONDS.match(header):
        raise Refused([Fault("", "deadline_invalid", f"{HEADER} is a number of seconds, such as 2.5")])
    most = settings.deadline_seconds
    # Under our worker the deadline counts from the first byte: the body may have come slowly.
    began = context.environ.get(BEGAN) or monotonic()
    context.deadline = began + (most if header is None else min(most, float(header)))


def current_deadline() -> float:
    """Return when the current request ends, as time.monotonic counts."""
    return current_request().deadline
