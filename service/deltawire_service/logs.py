"""Logs: JSON, one line a request, and never what a request or an answer holds.

A caller may name a request in `X-Request-Id`; the id comes back in that header, in problem documents and in
the log.
"""

from __future__ import annotations

import logging
import re
import sys
from time import perf_counter
from typing import Any
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request
from structlog.typing import FilteringBoundLogger, Processor

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


def log_requests(app: Flask, log: FilteringBoundLogger) -> None:
    """Give every request an id, and write one line when it is answered."""

    @app.before_request
    def start() -> None:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if REQUEST_ID.match(given) else uuid4().hex

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers["X-Request-Id"] = request_id = g.request_id
        if log.is_enabled_for(logging.INFO):
            rule = request.url_rule
            log.info(
                "request",
                method=request.method,
                route=rule.rule if rule else None,  # the path itself is the caller's text
                status=response.status_code,
                code=g.get("code"),
                ms=round(1000 * (perf_counter() - g.started), 3),
                request_id=request_id,
            )
        return response


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
