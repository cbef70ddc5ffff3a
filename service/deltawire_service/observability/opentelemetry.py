"""Traces: a span for each request, sent where OpenTelemetry's variables say; nothing of a request is in it.

The spans are made here, and not by an instrumentation of Flask. Those record the path with its query, the
client's address and its user agent.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request

from deltawire.errors import Fault, NotInstalled
from deltawire_service.http.request_context import current_request

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""OpenTelemetry's own variables: without one of them, nothing is traced."""


def configured_provider() -> TracerProvider | None:
    """Return the provider for the spans, or None when OpenTelemetry's variables name no endpoint.

    Raises:
        NotInstalled: they name one, and the extra `deltawire[otel]` is missing.
    """
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return None
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        variable = next(name for name in ENDPOINTS if os.environ.get(name))
        detail = f"{variable} is set, but not all is installed: pip install 'deltawire[otel]'"
        raise NotInstalled([Fault("", "not_installed", detail)]) from error
    service = {"service.name": os.environ.get("OTEL_SERVICE_NAME", "deltawire")}
    provider = TracerProvider(resource=Resource.create(service))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def trace_requests(app: Flask, provider: TracerProvider | None) -> None:
    """Make a span of every request, part of its caller's trace when it brings a `traceparent` (W3C)."""
    if provider is None:
        return
    from opentelemetry.trace import SpanKind, Status, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    tracer, propagator = provider.get_tracer("deltawire"), TraceContextTextMapPropagator()

    @app.before_request
    def start() -> None:
        caller = {"traceparent": request.headers.get("traceparent", "")}  # and no tracestate: it is free text
        route = request.url_rule.rule if request.url_rule else None
        g.span = tracer.start_span(
            route or "none",
            context=propagator.extract(caller),
            kind=SpanKind.SERVER,
            attributes={"http.route": route} if route else {},
        )

    @app.after_request
    def finish(response: Response) -> Response:
        span, context = g.span, current_request()
        span.set_attribute("http.response.status_code", response.status_code)
        span.set_attribute("deltawire.request_id", context.request_id)
        for name, seconds in context.phase_seconds.items():
            span.set_attribute(f"deltawire.{name}_ms", round(1000 * seconds, 3))
        if context.problem_code:
            span.set_attribute("deltawire.code", context.problem_code)
        if response.status_code >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end()
        return response
