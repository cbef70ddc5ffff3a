"""Logs: one line of JSON a request, with nothing that a request or an answer holds.

A caller may name a request in `X-Request-Id`; the id returns in that header, in problem documents and in the
log.
"""

from __future__ import annotations

import logging
import re
import sys
from datetime import UTC, datetime
from secrets import token_hex
from time import perf_counter
from typing import Any

import orjson
import structlog
from structlog.typing import FilteringBoundLogger, Processor

from deltawire_service.http.request_context import Headers, RequestContext, ResponseHook
from deltawire_service.server.standard_streams import secure_standard_streams

REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,64}\Z")

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
"""Methods with a name in the log: any other is the caller's own text."""

STAMPS: list[Processor] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
RENDERERS: list[Processor] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]


def make_log(level: str) -> FilteringBoundLogger:
    """Return a log that writes lines of JSON to standard error; level: the least severe that is written."""
    log: FilteringBoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(sys.stderr),
        processors=STAMPS + RENDERERS,
        wrapper_class=structlog.make_filtering_bound_logger(level),
    ).bind()  # otherwise it is put together anew for every line
    return log


def set_request_id(context: RequestContext) -> None:
    """Set the id of a request: the one in its header, if it is well formed, else a new one."""
    header = context.environ.get("HTTP_X_REQUEST_ID", "")
    context.request_id = header if REQUEST_ID.match(header) else token_hex(16)


def add_request_id(context: RequestContext, headers: Headers) -> None:
    """Add the id to an answer."""
    headers.append(("X-Request-Id", context.request_id))


def request_lines(log: FilteringBoundLogger) -> ResponseHook:
    """Return a hook that writes the line of an answered request, when the level of the log allows it."""
    # With the stamps of the log: structlog's own way takes several times as long for every request.
    write = structlog.WriteLogger(sys.stderr).info
    wanted = log.is_enabled_for(logging.INFO)

    def write_line(context: RequestContext, headers: Headers) -> None:
        if not wanted:
            return
        line = {
            "method": context.method if context.method in METHODS else "other",
            "route": context.route,
            "status": context.status,
            "code": context.problem_code,
            "ms": round(1000 * (perf_counter() - context.started), 3),
            "request_id": context.request_id,
            "event": "request",
            "level": "info",
            "timestamp": datetime.now(UTC),
        }
        write(orjson.dumps(line, option=orjson.OPT_UTC_Z).decode())  # ASCII: no text in it is a caller's

    return write_line


def dropping_handler() -> logging.Handler:
    """Return a handler for standard error, which no longer blocks or fails from now on."""
    secure_standard_streams()
    return logging.StreamHandler(sys.stderr)


def server_logging(level: str) -> dict[str, Any]:
    """Return the configuration for logging.config that makes the lines of the web server JSON too.

    level: the least severe that is written.
    """
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": STAMPS,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *RENDERERS],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": formatter},
        "handlers": {"stderr": {"()": dropping_handler, "formatter": "json"}},
        "root": {"level": level.upper(), "handlers": ["stderr"]},
        "loggers": {"gunicorn.error": {"level": level.upper(), "handlers": ["stderr"], "propagate": False}},
    }
