"""Logs: JSON, one line a request, and never what a request or an answer holds.

A caller may name a request in `X-Request-Id`; the id comes back in that header, in problem documents and in
the log.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from secrets import token_hex
from time import perf_counter
from typing import Any

import orjson
import structlog
from structlog.typing import FilteringBoundLogger, Processor

from deltawire_service.http.request_context import Answering, Headers, RequestContext

REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,64}\Z")

STAMPS: list[Processor] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
RENDERERS: list[Processor] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]


def make_log(level: str) -> FilteringBoundLogger:
    """A log of JSON lines on standard error; level: the least severe that is written."""
    log: FilteringBoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(sys.stderr),
        processors=STAMPS + RENDERERS,
        wrapper_class=structlog.make_filtering_bound_logger(level),
    ).bind()  # else it would be put together anew for every line
    return log


def name_request(context: RequestContext) -> None:
    """Give a request its id."""
    given = context.environ.get("HTTP_X_REQUEST_ID", "")
    context.request_id = given if REQUEST_ID.match(given) else token_hex(16)


def tell_name(context: RequestContext, headers: Headers) -> None:
    """The header of an answer."""
    headers.append(("X-Request-Id", context.request_id))


def request_lines(log: FilteringBoundLogger) -> Answering:
    """Writes the line of a request that is answered, where such lines are wanted."""
    # The log's stamps, without what puts them to work on whatever is logged, which takes as long as they do.
    write = structlog.WriteLogger(sys.stderr).info
    wanted = log.is_enabled_for(logging.INFO)

    def write_line(context: RequestContext, headers: Headers) -> None:
        if not wanted:
            return
        line: Any = {
            "method": context.method,
            "route": context.route,
            "status": context.status,
            "code": context.code,
            "ms": round(1000 * (perf_counter() - context.began), 3),
            "request_id": context.request_id,
            "event": "request",
        }
        for stamp in STAMPS:
            line = stamp(log, "info", line)
        write(written(line))

    return write_line


def written(line: Any) -> str:
    """A line as JSON, in ASCII, whatever a method may be called."""
    text = orjson.dumps(line).decode()
    return text if text.isascii() else json.dumps(line)


def server_logging(level: str) -> dict[str, Any]:
    """The configuration (logging.config) that makes the lines of the web server JSON too.

    level: as DELTAWIRE_LOG_LEVEL has it; where it is none, the application refuses to start and names it.
    """
    least = level.upper() if level.upper() in logging.getLevelNamesMapping() else "INFO"
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": STAMPS,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *RENDERERS],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"level": least, "handlers": ["stderr"]},
        "loggers": {"gunicorn.error": {"level": least, "handlers": ["stderr"], "propagate": False}},
    }
