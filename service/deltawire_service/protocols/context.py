"""The parts that all protocols share: settings, networks by name, reading bodies, answering errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from typing import Any, NamedTuple, TypeVar

from flask import Blueprint, Response
from structlog.typing import FilteringBoundLogger

from deltawire import wire
from deltawire.errors import Fault, Refused
from deltawire_service.admission import deadlines
from deltawire_service.engine import Caches
from deltawire_service.http import bodies
from deltawire_service.http.parsing import parse
from deltawire_service.http.problems import problem_of, with_headers
from deltawire_service.http.request_context import RequestContext, current_request, with_context
from deltawire_service.networks.interfaces import Interface
from deltawire_service.protocols.served import Opened, ServedNetworks
from deltawire_service.server.readiness import Readiness
from deltawire_service.settings import Settings

T = TypeVar("T")

FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
"""The media types of web forms; browsers send these to other sites without a preflight."""


class ProtocolContext(NamedTuple):
    """The parts of the service that the routes of a protocol use."""

    settings: Settings
    served: ServedNetworks
    check_capacity: Callable[[RequestContext, int], None]
    """Refuses, before its body is read, a request with so many bytes of JSON for which there is no room."""
    log: FilteringBoundLogger
    readiness: Readiness
    caches: Caches

    def cached(self, function: Callable[[Interface], T]) -> Callable[[Interface], T]:
        """Return a function of an interface, its results cached."""

        def beside(interface: Interface) -> Iterable[Any]:
            return [interface, *interface.network.parts]

        return self.caches.cached(function, beside)

    def open(self, name: Any, version: int | None = None) -> Opened:
        """Return a network with its parameters, and keep these until the current request's answer is sent.

        Args:
            name: its name.
            version: the version; None for the newest.

        Raises:
            Refused, ServiceError: as for `ServedNetworks.open`.
        """
        held = ExitStack()
        opened = held.enter_context(self.served.open(name, version))
        context = current_request()
        context.numbers_stay = opened.params_id is not None  # those of a model are written to
        context.on_end.append(held.close)  # the answer may have views of the parameters
        return opened

    def blueprint(
        self,
        name: str,
        write_error: Callable[[dict[str, Any]], Response],
        json_bytes: Callable[[RequestContext], int] = bodies.json_bytes,
    ) -> Blueprint:
        """Return a blueprint with the deadlines and the admission of /v1.

        Args:
            name: name of the blueprint.
            write_error: turns a problem document into an error of the protocol.
            json_bytes: returns how many bytes of a request's body are JSON, at most.
        """
        routes = Blueprint(name, __name__)
        routes.before_request(with_context(partial(deadlines.set_deadline, self.settings)))
        routes.before_request(with_context(check_media_type))
        routes.before_request(with_context(lambda context: self.check_capacity(context, json_bytes(context))))

        @routes.errorhandler(Exception)
        def answer_error(error: Exception) -> Response:
            problem = problem_of(error, current_request(), self.log)
            return with_headers(write_error(problem), error)

        return routes

    def read_document(self) -> dict[str, Any]:
        """Return the JSON object in the body of the current request, whatever its Content-Type.

        Raises:
            Refused: the body is no JSON object, or too large.
            BodyTruncated: the body ends early.
        """
        body = bodies.received(current_request(), self.settings, "json_body_bytes")
        document = parse(body, wire.JSON, self.settings.wire_limits)
        if not isinstance(document, dict):
            raise refusal("field_invalid", "the body must be a JSON object")
        return document


def name_parameters(opened: Opened) -> None:
    """Name the parameters of a network in the headers of the answer: it is computed with them as they are."""
    context = current_request()
    context.params_id = opened.params_id
    if opened.params_id is None:
        context.model_version = opened.version


def check_media_type(context: RequestContext) -> None:
    """Refuse the media types that a browser sends to other sites without a CORS preflight.

    Real clients send JSON, bytes, or no Content-Type at all.

    Raises:
        Refused: the body has such a media type.
    """
    sent = context.media_type
    if context.method == "POST" and sent in FORMS:
        raise refusal("media_type_unsupported", f"expected Content-Type {wire.JSON} or none, got {sent}")


def json(document: Any, status: int = 200) -> Response:
    """Return an answer in JSON."""
    return bodies.response_of(wire.encode_in_parts(document, wire.JSON), wire.JSON, status)


def refusal(code: str, detail: str, pointer: str = "") -> Refused:
    """Return a refusal with one fault.

    Args:
        code: code of the problem.
        detail: what was expected, and what came.
        pointer: JSON pointer to the place.
    """
    return Refused([Fault(pointer, code, detail)])
