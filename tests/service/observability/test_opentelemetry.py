"""Traces: a span a request, nothing of its content, and nothing at all unless asked for."""

from __future__ import annotations

import sys

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from support.layers import failing, registry
from support.posting import changed, good, pointwise

from deltawire.errors import NotInstalled
from deltawire_service import app as module
from deltawire_service.app import create_app
from deltawire_service.observability.opentelemetry import ENDPOINTS, configured_provider
from deltawire_service.settings import Settings

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Where the spans of an application go that is made now."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(module, "configured_provider", lambda: provider)
    return exporter


def only(spans: InMemorySpanExporter) -> ReadableSpan:
    (span,) = spans.get_finished_spans()
    return span


def test_a_request_is_a_span_of_its_callers_trace(spans: InMemorySpanExporter) -> None:
    client = create_app(Settings(log_level="error")).test_client()
    headers = {"traceparent": PARENT, "X-Request-Id": "step-17"}
    assert client.post("/v1/gradients", json=good(), headers=headers).status_code == 200
    span = only(spans)
    assert span.name == "/v1/gradients"
    assert span.parent is not None and f"{span.parent.span_id:x}" == "b7ad6b7169203331"
    assert f"{span.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    attributes = dict(span.attributes or {})
    assert attributes["http.response.status_code"] == 200
    assert attributes["deltawire.request_id"] == "step-17"
    assert 0 < attributes["deltawire.compute_ms"] < 60_000
    assert span.status.is_ok or span.status.is_unset


def test_a_failure_is_one(spans: InMemorySpanExporter) -> None:
    def fail(x: object) -> object:
        raise ValueError("hunter2")

    client = create_app(Settings(log_level="error"), registry(odd=failing("delta", fail))).test_client()
    assert client.post("/v1/gradients", json=pointwise("odd", 1.0)).status_code == 500
    span = only(spans)
    assert not span.status.is_ok and dict(span.attributes or {})["deltawire.code"] == "plugin_error"
    assert "hunter2" not in span.to_json()


def test_nothing_of_a_request_is_in_a_span(spans: InMemorySpanExporter) -> None:
    client = create_app(Settings(log_level="error")).test_client()
    request = changed(("/data/x/0/0", 123456.5), ("/network/nodes/0/name", "confidential"))
    headers = {
        "Authorization": "Bearer hunter2", "User-Agent": "hunter2", "tracestate": "a=hunter2",
        "traceparent": "hunter2", "X-Request-Id": "hunter 2", "baggage": "a=hunter2",
    }  # fmt: skip
    client.post("/v1/gradients?password=hunter2", json=request, headers=headers)
    client.get("/hunter2", headers=headers)
    client.open("/livez", method="HUNTER2", headers=headers)
    told = "".join(span.to_json() for span in spans.get_finished_spans())
    assert len(spans.get_finished_spans()) == 3
    assert not any(part in told for part in ("123456.5", "confidential", "hunter", "HUNTER"))


def test_nothing_is_traced_unless_a_place_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    assert configured_provider() is None
    monkeypatch.setenv(ENDPOINTS[1], "http://127.0.0.1:9")
    provider = configured_provider()
    assert isinstance(provider, TracerProvider)
    assert provider.resource.attributes["service.name"] == "deltawire"
    provider.shutdown()
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert configured_provider() is None


def test_asked_for_without_the_extra_the_start_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINTS[0], "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(NotInstalled, match=r"deltawire\[otel\]"):
        create_app(Settings())
