"""Answers to what could not become a request of the application."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import uuid4

from gunicorn.http import errors
from werkzeug.exceptions import ServiceUnavailable

from deltawire_service.http.security_headers import HEADERS
from deltawire_service.server.connections.request_head import LengthRequired, TlsHandshake

REFUSALS: dict[type[BaseException], tuple[str, str]] = {
    LengthRequired: ("length_required", "send a Content-Length; chunked bodies are not read"),
    TlsHandshake: ("bad_request", "this port speaks plain HTTP, not TLS: use http://"),
    errors.UnsupportedTransferCoding: (
        "transfer_coding_unsupported",
        "send the body as it is, with a Content-Length and without Transfer-Encoding",
    ),
    errors.LimitRequestLine: (
        "uri_too_long",
        "the first line of a request has at most {limit_request_line} bytes",
    ),
    errors.LimitRequestHeaders: (
        "headers_too_large",
        "a request has at most {limit_request_fields} headers of {limit_request_field_size} bytes each",
    ),
    errors.ExpectationFailed: ("expectation_failed", "of expectations, only 100-continue can be met"),
    errors.InvalidResponseHeader: ("internal", "the service failed; its log has the details"),
    errors.InvalidResponseHeaderName: ("internal", "the service failed; its log has the details"),
    errors.ParseException: ("bad_request", "the request is not well-formed HTTP"),
}
"""Codes and details of gunicorn's exceptions, beside those of `problems.FOREIGN`. In braces: its settings."""


def refusal(error: BaseException, cfg: Any, log: Any) -> bytes:
    """Return the whole answer to a request that failed, after which its connection closes.

    Args:
        error: what was wrong.
        cfg: gunicorn's configuration.
        log: gunicorn's; it gets a line without the caller's text.
    """
    # Imported late: they bring numpy, which must find the threads of BLAS set.
    from deltawire import wire
    from deltawire.errors import Fault
    from deltawire_service.http import problems

    limits = {name: setting.get() for name, setting in cfg.settings.items() if name.startswith("limit_")}
    refusals = {kind: Fault("", code, text.format(**limits)) for kind, (code, text) in REFUSALS.items()}
    faults = problems.faults_of(error, {**problems.FOREIGN, **refusals})
    code, request_id = faults[0].code, uuid4().hex
    problem = problems.document(faults, request_id)
    if code == "internal":
        log.error("failed, request_id=%s", request_id, exc_info=error)
    else:
        log.info("refused as HTTP: %s (%s), request_id=%s", code, type(error).__name__, request_id)
    body = wire.encode(problem, wire.JSON)
    headers = {
        "Connection": "close",
        "Content-Type": problems.MEDIA_TYPE,
        "Content-Length": str(len(body)),
        "X-Request-Id": request_id,
        **HEADERS,
    }
    if isinstance(error, ServiceUnavailable):
        headers["Retry-After"] = str(error.retry_after)
    status = HTTPStatus(problem["status"])
    lines = [f"HTTP/1.1 {status} {status.phrase}", *(f"{name}: {text}" for name, text in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body
