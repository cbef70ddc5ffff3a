"""What all protocols share: the way in, what is computed with, and errors in the words of the protocol."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from flask import Blueprint, Response
from structlog.typing import FilteringBoundLogger

from deltawire import wire
from deltawire.errors import Fault, Refused
from deltawire.wire import Array
from deltawire_service.admission import deadlines
from deltawire_service.http import bodies
from deltawire_service.http.problems import problem_of, with_headers
from deltawire_service.http.request_context import current
from deltawire_service.networks.published import Published, PublishedNetworks
from deltawire_service.server.readiness import Readiness
from deltawire_service.settings import Settings


class Protocol(NamedTuple):
    """What a face is made for. admit: refuses, before its body is read, what would be computed too late."""

    settings: Settings
    published: PublishedNetworks
    admit: Callable[[], None]
    log: FilteringBoundLogger
    readiness: Readiness

    def blueprint(self, name: str, answer: Callable[[dict[str, Any]], Response]) -> Blueprint:
        """Routes with the deadlines and the admission of /v1.

        answer: gives a problem document the form that the protocol has for errors.
        """
        routes = Blueprint(name, __name__)
        routes.before_request(partial(deadlines.begin, self.settings))
        routes.before_request(self.admit)

        @routes.errorhandler(Exception)
        def answer_error(error: Exception) -> Response:
            return with_headers(answer(problem_of(error, current(), self.log)), error)

        return routes

    def document(self) -> dict[str, Any]:
        """The JSON object in the body of this request, whatever its Content-Type."""
        body = bodies.received(self.settings.json_body_bytes)
        document = wire.decode(body, wire.JSON, self.settings.wire_limits)
        if not isinstance(document, dict):
            raise refusal("field_invalid", "the body must be a JSON object")
        return document


def json(document: Any, status: int = 200) -> Response:
    """An answer in JSON."""
    return Response(wire.encode(document, wire.JSON), status, mimetype=wire.JSON)


def own_parameters(published: Published) -> dict[str, Array]:
    """The published parameters, for a request that is answered with them as they are."""
    current().params_id = published.params_id
    return dict(published.params)


def refusal(code: str, detail: str, pointer: str = "") -> Refused:
    return Refused([Fault(pointer, code, detail)])
