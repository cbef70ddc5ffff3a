"""Problem documents (RFC 9457): every error becomes one, here.

Our own exceptions carry their code and their detail. Those of libraries get both from a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Flask, Response, request
from structlog.typing import FilteringBoundLogger
from werkzeug.exceptions import (
    BadRequest,
    MethodNotAllowed,
    NotFound,
    RequestTimeout,
    ServiceUnavailable,
)

from deltawire import wire
from deltawire.errors import DeltawireError, Fault
from deltawire_service.engine import DeadlineExceeded
from deltawire_service.faults import ServiceError, nearest, of_class
from deltawire_service.http.problem_codes import PROBLEMS
from deltawire_service.http.request_context import RequestContext, current_request
from deltawire_service.server.bodies.received_body import Stopping

MEDIA_TYPE = "application/problem+json"
MOST_CHARACTERS = 500
"""Length of a message or a pointer; both may hold names a caller made up."""

INTERNAL = Fault("", "internal", "the service failed; its log has the details under the request's id")

FOREIGN: Mapping[type[BaseException], Fault] = {
    DeadlineExceeded: Fault(
        "",
        "deadline_exceeded",
        "nothing was answered in the time the request may take (DELTAWIRE_DEADLINE_SECONDS)",
    ),
    NotFound: Fault("", "not_found", "there is no such route; GET / lists them"),
    MethodNotAllowed: Fault("", "method_not_allowed", "the route does not take this method"),
    RequestTimeout: Fault("", "request_timeout", "the request did not come in the time that it may take"),
    Stopping: Fault("", "not_ready", "the service stops before the body has come: send it again"),
    ServiceUnavailable: Fault("", "overloaded", "more is received than there is room for: try again in 1 s"),
    BadRequest: Fault("", "bad_request", "the request is not well-formed HTTP"),
    BaseException: INTERNAL,
}
"""The faults of libraries' exceptions, by class; an exception has that of its nearest base class."""


def faults_of(
    error: BaseException, foreign: Mapping[type[BaseException], Fault] = FOREIGN
) -> Sequence[Fault]:
    """Return the faults to answer an exception with, the most important first.

    Args:
        error: any exception.
        foreign: faults of exceptions that are not ours, by class.
    """
    if isinstance(error, DeltawireError | ServiceError):
        return error.faults
    fault = of_class(foreign, type(error))
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        fault = replace(fault, detail=f"the route takes {', '.join(sorted(error.valid_methods))}")
    return [fault]


def document(faults: Sequence[Fault], request_id: str) -> dict[str, Any]:
    """Return the problem document of these faults: the first gives it its code, status and detail."""
    first = faults[0]
    status, title = PROBLEMS[first.code]
    return {
        "type": f"/problems/{first.code}",
        "title": title,
        "status": status,
        "code": first.code,
        "detail": clean(first.message),
        "request_id": request_id,
        "errors": [{key: clean(text) for key, text in fault.document().items()} for fault in faults],
    }


def clean(text: str) -> str:
    """Return a text that may quote a caller, cut to a bounded length, control characters as escapes."""
    cut = text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


def problem_of(error: Exception, context: RequestContext, log: FilteringBoundLogger) -> dict[str, Any]:
    """Return the problem document of an exception that ends a request.

    Args:
        error: the exception.
        context: the request, whose problem code is set.
        log: gets the traceback of a failure of the service or of a layer, and nothing else.
    """
    problem = document(faults_of(error), context.request_id)
    context.problem_code = problem["code"]
    if problem["status"] == 500:
        log.error("failed", code=context.problem_code, request_id=context.request_id, exc_info=error)
    errors = context.environ.get("deltawire.errors")
    if errors is None:
        _forget_frames(error)
    else:
        errors.append(error)  # a client in this process raises its own error from it
    return problem


def _forget_frames(error: BaseException) -> None:
    """Drop the tracebacks of an exception, and of those that it came from.

    Their frames hold the body of the request, and all that was made of it. Libraries tie some of them into
    cycles, which only a garbage collection would free.
    """
    left: list[BaseException | None] = [error]
    while left:
        each = left.pop()
        if each is not None and each.__traceback__ is not None:
            each.__traceback__ = None
            left += [each.__cause__, each.__context__]


def with_headers(response: Response, error: Exception) -> Response:
    """Add the headers of an exception to its answer: how to send a key, when to try again."""
    if isinstance(error, ServiceError):
        response.headers.extend(error.headers)
    if isinstance(error, MethodNotAllowed):
        response.allow.update(error.valid_methods or ())
    if isinstance(error, ServiceUnavailable):
        response.retry_after = error.retry_after
    return response


PREDICTIONS = frozenset({"predict", "predictions", "infer", "inference", "invocations"})
"""What other services call the values of a network."""


def near_route(path: str, rules: Iterable[str]) -> str:
    """Return the message about a path that no route has, with those that differ in the last part only.

    Args:
        path: of the request.
        rules: the paths of all routes, with parts such as `<name>`.

    Example:
        >>> near_route("/v1/gradient", ["/v1/gradients", "/v1/forward"])
        "there is no such route; did you mean 'gradients'?"
    """
    *before, last = path.strip("/").split("/")
    parts = [rule.strip("/").split("/") for rule in rules]
    beside = {
        end
        for *start, end in parts
        if len(start) == len(before)
        and "<" not in end
        and all(one == other or "<" in one for one, other in zip(start, before, strict=True))
    }
    if last in PREDICTIONS and "forward" in beside:
        return "there is no such route; here it is 'forward'"
    hint = nearest(last, beside) if beside and before else ""
    return f"there is no such route{hint}{'' if hint.endswith('?') else '; GET / lists all'}"


def answer_errors(app: Flask, log: FilteringBoundLogger) -> None:
    """Answer every exception with a problem document."""

    @app.errorhandler(Exception)
    def answer(error: Exception) -> Response:
        problem = problem_of(error, current_request(), log)
        if isinstance(error, NotFound):
            detail = clean(near_route(request.path, (rule.rule for rule in app.url_map.iter_rules())))
            problem["detail"] = problem["errors"][0]["detail"] = detail
        body = wire.encode(problem, wire.JSON)
        return with_headers(Response(body, problem["status"], mimetype=MEDIA_TYPE), error)
