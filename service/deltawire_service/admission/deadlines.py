"""How long a request may take: the setting, or less when the header `Deltawire-Deadline` says so."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

from flask import Flask

from deltawire.errors import Fault, Refused
from deltawire_service import engine
from deltawire_service.http.request_context import RequestContext
from deltawire_service.server.bodies.received_body import BEGAN
from deltawire_service.server.connections.limits import requested_seconds
from deltawire_service.settings import SHORTEST_DEADLINE, Settings

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

HEADER, VARIABLE = "Deltawire-Deadline", "HTTP_DELTAWIRE_DEADLINE"


def set_deadline(settings: Settings, context: RequestContext) -> None:
    """Set the deadline of a request: from its header Deltawire-Deadline, at most the setting.

    Raises:
        Refused: the header is no number of seconds, or too small.
    """
    header, seconds = context.environ.get(VARIABLE), settings.deadline_seconds
    if header is not None:
        requested = requested_seconds(header)
        if requested is None:
            expected = f"a number of seconds, such as 2.5, and at least {SHORTEST_DEADLINE}"
            raise Refused([Fault("", "deadline_invalid", f"{HEADER} is {expected}")])
        seconds = min(seconds, requested)
    # Under our worker the deadline counts from the first byte: the body may have come slowly.
    engine.set_deadline((context.environ.get(BEGAN) or monotonic()) + seconds)


def end_deadlines(app: Flask) -> None:
    """End the deadline of each request with the request: the next one in its thread has its own, or none."""
    answer = app.wsgi_app

    def bounded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return engine.call_until(inf, lambda: answer(environ, start_response))

    app.wsgi_app = bounded  # type: ignore[method-assign]
