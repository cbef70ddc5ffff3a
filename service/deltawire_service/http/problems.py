"""Problem documents (RFC 9457): what every error becomes, in one place.

PROBLEMS is the table of all codes. A code is stable: callers may build on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from flask import Flask, Response
from structlog.typing import FilteringBoundLogger
from werkzeug.exceptions import BadRequest, ClientDisconnected, MethodNotAllowed, NotFound

from deltawire import wire
from deltawire.errors import Fault, Refused
from deltawire_service.admission.authentication import Unauthorized, challenge
from deltawire_service.admission.compute_queue import Overloaded
from deltawire_service.admission.rate_limits import RateLimited
from deltawire_service.engine import DeadlineExceeded, PluginError
from deltawire_service.http.request_context import current

MEDIA_TYPE = "application/problem+json"
MOST_CHARACTERS = 500
"""Length of a message or a pointer; both may hold names a caller made up."""


class Problem(NamedTuple):
    """What all problems of one code share."""

    status: int
    title: str


HTTP: dict[str, Problem] = {
    "bad_request": Problem(400, "The request cannot be read"),
    "body_truncated": Problem(400, "The body is shorter than its Content-Length"),
    "unauthorized": Problem(401, "The request has no key the service knows"),
    "not_found": Problem(404, "There is no such route"),
    "layer_not_found": Problem(404, "There is no such layer"),
    "network_not_found": Problem(404, "There is no such network"),
    "method_not_allowed": Problem(405, "The route does not take this method"),
    "deadline_invalid": Problem(400, "The deadline cannot be read"),
    "not_acceptable": Problem(406, "The answer cannot have a media type the client accepts"),
    "length_required": Problem(411, "The request has no Content-Length"),
    "body_too_large": Problem(413, "The body is too large"),
    "uri_too_long": Problem(414, "The first line of the request is too long"),
    "media_type_unsupported": Problem(415, "The body has a media type the service does not read"),
    "content_encoding_unsupported": Problem(415, "The body is encoded (compressed)"),
    "expectation_failed": Problem(417, "The request expects what the service does not do"),
    "rate_limited": Problem(429, "The key has asked too often"),
    "headers_too_large": Problem(431, "The headers of the request are too large"),
    "transfer_coding_unsupported": Problem(501, "The body has a transfer coding the service does not read"),
}

ANYWHERE = (
    *("bad_request", "unauthorized", "not_found", "method_not_allowed", "uri_too_long", "expectation_failed"),
    *("rate_limited", "headers_too_large", "transfer_coding_unsupported"),
)
"""What may come before a route is found."""

DOCUMENT: dict[str, Problem] = {
    "json_invalid": Problem(400, "The body is not strict JSON"),
    "json_too_deep": Problem(400, "The JSON is nested too deep"),
    "json_too_many_members": Problem(413, "The JSON has too many objects, keys or lists"),
    "tensor_body_invalid": Problem(400, "The binary body is not well formed"),
    "tensor_header_too_large": Problem(413, "The header of the binary body is too large"),
    "field_unknown": Problem(422, "A field is unknown"),
    "field_missing": Problem(422, "A field is missing"),
    "field_invalid": Problem(422, "A field has a wrong value"),
}

NETWORK: dict[str, Problem] = {
    "too_many_nodes": Problem(422, "The network is too large"),
    "name_invalid": Problem(422, "A name is not well formed"),
    "name_reserved": Problem(422, "A name is reserved"),
    "duplicate_name": Problem(422, "A name is taken twice"),
    "unknown_kind": Problem(422, "No layer of this kind is installed"),
    "config_invalid": Problem(422, "The config of a layer is wrong"),
    "arity_mismatch": Problem(422, "A layer gets a wrong number of inputs"),
    "unknown_input": Problem(422, "An input of a node does not exist"),
    "graph_cycle": Problem(422, "The graph has a cycle"),
    "tie_invalid": Problem(422, "Parameters cannot be shared"),
    "loss_missing": Problem(422, "The network has no loss"),
    "loss_invalid": Problem(422, "The loss is not one number per example"),
}

TENSORS: dict[str, Problem] = {
    "too_many_tensors": Problem(422, "The request has too many tensors"),
    "tensor_invalid": Problem(422, "A tensor is not an array of numbers"),
    "shape_invalid": Problem(422, "A shape is not well formed"),
    "shape_too_large": Problem(422, "A shape is too large"),
    "shape_mismatch": Problem(422, "A shape is not the expected one"),
    "dtype_unsupported": Problem(422, "A dtype is not supported"),
    "dtype_mismatch": Problem(422, "A dtype is not the expected one"),
    "missing_parameter": Problem(422, "A parameter is missing"),
    "unknown_parameter": Problem(422, "A parameter is not one of the network"),
    "missing_data": Problem(422, "The data of an input is missing"),
    "unknown_data": Problem(422, "Data is not for an input of the network"),
    "batch_mismatch": Problem(422, "Batches have different sizes"),
    "batch_empty": Problem(422, "The batch is empty"),
    "label_out_of_range": Problem(422, "An integer is out of its range"),
}

COMPUTATION: dict[str, Problem] = {
    "unknown_name": Problem(422, "A name asked for does not exist"),
    "not_differentiable": Problem(422, "There is no derivative with respect to this"),
    "memory_plan_exceeded": Problem(422, "The computation would need too much memory"),
    "non_finite": Problem(422, "A result is not finite"),
}

SERVICE: dict[str, Problem] = {
    "plugin_error": Problem(500, "A layer failed"),
    "internal": Problem(500, "The service failed"),
    "overloaded": Problem(503, "The service has too much to compute"),
    "deadline_exceeded": Problem(504, "The computation took too long"),
}

HEALTH: dict[str, Problem] = {
    "not_ready": Problem(503, "No requests should come now"),
}

PROBLEMS: Mapping[str, Problem] = MappingProxyType(
    HTTP | DOCUMENT | NETWORK | TENSORS | COMPUTATION | SERVICE | HEALTH
)


def document(faults: Sequence[Fault], request_id: str) -> dict[str, Any]:
    """The problem document of these faults: the first one gives it its code, status and detail."""
    first = faults[0]
    status, title = PROBLEMS[first.code]
    return {
        "type": f"/problems/{first.code}",
        "title": title,
        "status": status,
        "code": first.code,
        "detail": clean(first.detail),
        "request_id": request_id,
        "errors": [
            {"pointer": clean(fault.pointer), "code": fault.code, "detail": clean(fault.detail)}
            for fault in faults
        ],
    }


def clean(text: str) -> str:
    """A text that may quote a caller: cut to a bounded length, control characters written as escapes."""
    cut = text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


def answer_errors(app: Flask, log: FilteringBoundLogger) -> None:
    """Answer every exception with a problem document. What a caller cannot act on goes to the log alone."""

    @app.errorhandler(Exception)
    def answer(error: Exception) -> Response:
        problem = problem_of(error, log)
        response = Response(wire.encode(problem, wire.JSON), problem["status"], mimetype=MEDIA_TYPE)
        if isinstance(error, MethodNotAllowed):
            response.allow.update(error.valid_methods or ())
        return with_headers(response, error)


def problem_of(error: Exception, log: FilteringBoundLogger) -> dict[str, Any]:
    """The problem document of an exception, for whatever form the answer takes; the logs hear of it too."""
    faults = faults_of(error)
    context = current()
    context.code = faults[0].code
    problem = document(faults, context.request_id)
    if problem["status"] == 500:  # the rest is nobody's bug, and may come by the thousand
        log.error("failed", code=context.code, request_id=context.request_id, exc_info=error)
    return problem


def with_headers(response: Response, error: Exception) -> Response:
    """The answer, with what its headers tell of the exception: what key to bring, when to try again."""
    if isinstance(error, Unauthorized):
        challenge(response)
    if isinstance(error, Overloaded | RateLimited):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def faults_of(error: Exception) -> Sequence[Fault]:
    """What to tell the caller about an exception."""
    if isinstance(error, Refused):
        return error.faults
    if isinstance(error, PluginError):
        detail = f"the layer of node '{error.node}', of kind '{error.kind}', failed; the request may be right"
        return [Fault("", "plugin_error", detail)]
    if isinstance(error, Unauthorized):
        return [Fault("", "unauthorized", "send an API key as a bearer token, or with HTTP Basic")]
    if isinstance(error, RateLimited):
        return [Fault("", "rate_limited", str(error))]
    if isinstance(error, Overloaded):
        return [Fault("", "overloaded", str(error))]
    if isinstance(error, DeadlineExceeded):
        return [Fault("", "deadline_exceeded", "nothing was answered in the time the request may take")]
    if isinstance(error, NotFound):
        return [Fault("", "not_found", "there is no such route; GET / lists them")]
    if isinstance(error, MethodNotAllowed):
        methods = ", ".join(sorted(error.valid_methods or ()))
        return [Fault("", "method_not_allowed", f"the route takes {methods}")]
    if isinstance(error, ClientDisconnected):
        return [Fault("", "body_truncated", "the connection ended before the whole body came")]
    if isinstance(error, BadRequest):
        return [Fault("", "bad_request", "the request is not well-formed HTTP")]
    return [Fault("", "internal", "the service failed; its log has the details under the request's id")]
