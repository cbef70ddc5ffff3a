"""What the store does is counted, and is in the Server-Timing and the trace of the request."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families
from support.models import ADAM, SPEC

from deltawire_service import app as module
from deltawire_service.app import create_app
from deltawire_service.observability.metrics import Metrics
from deltawire_service.observability.store_observer import StoreObserver
from deltawire_service.settings import Settings

DATA = {"x": [[1.0, 2.0, 3.0, 4.0]], "y": [1]}


class Buffered(FlaskClient):
    """Ends every answer, as a server does."""

    def open(self, *arguments: Any, **options: Any) -> Any:
        return super().open(*arguments, buffered=True, **options)


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    app = create_app(Settings(log_level="error", data_dir=str(tmp_path)))
    app.test_client_class = Buffered
    client = app.test_client()
    made = client.post("/v1/models", json={"name": "m", "network": SPEC, "optimizer": ADAM})
    assert made.status_code == 201
    return client


def counted(client: FlaskClient, name: str) -> dict[str, float]:
    """The samples of a metric, by its only label."""
    return {
        next(iter(sample.labels.values()), ""): sample.value
        for family in text_string_to_metric_families(client.get("/metrics").text)
        for sample in family.samples
        if sample.name == f"deltawire_{name}"
    }


def step(client: FlaskClient, **headers: str) -> Any:
    return client.post("/v1/models/m/steps", json={"data": DATA}, headers=headers)


def test_changes_are_counted_by_kind_and_replays_apart(client: FlaskClient) -> None:
    for _ in range(3):
        assert step(client, **{"Idempotency-Key": "one"}).status_code == 200
    assert step(client).status_code == 200
    assert client.post("/v1/models/m/steps", json={"data": {}}).status_code == 422
    client.patch("/v1/models/m", json={"optimizer": {"config": {"learning_rate": 0.5}}})
    client.post("/v1/models/m/restore", json={"version": 1})
    client.post("/v1/models/m/fork", json={"name": "n"})
    client.delete("/v1/models/n")
    assert counted(client, "model_changes_total") == {
        "created": 2, "step": 2, "hyperparameters": 1, "restored": 1, "deleted": 1,
    }  # fmt: skip
    assert counted(client, "answers_replayed_total") == {"": 2}


def test_parts_of_changes_are_counted_with_their_seconds(client: FlaskClient) -> None:
    before = counted(client, "store_seconds_count")
    step(client)
    after = counted(client, "store_seconds_count")
    more = {part: after[part] - before.get(part, 0) for part in after}
    assert {part for part, count in more.items() if count} == {
        "lock", "compute", "update", "batch", "writer", "commit",
    }  # fmt: skip
    assert set(more.values()) == {0, 1}
    assert before["snapshot"] == 1  # that of the creation
    client.get("/v1/models/m/params?version=0")
    assert counted(client, "store_seconds_count")["replay"] == 1
    assert all(seconds > 0 for seconds in counted(client, "store_seconds_sum").values())


def test_a_step_has_its_parts_in_its_server_timing(client: FlaskClient) -> None:
    timing = step(client).headers["Server-Timing"]
    parts = dict(re.findall(r"([a-z]+);dur=([\d.]+)", timing))
    assert list(parts) == [
        "read", "check", "lock", "compute", "update", "batch", "writer", "commit", "write", "total",
    ]  # fmt: skip
    assert sum(map(float, parts.values())) - float(parts["total"]) <= float(parts["total"]) + 0.01


def test_a_part_that_fails_is_counted_too() -> None:
    metrics = Metrics(lambda: 0)
    with pytest.raises(OSError), StoreObserver(metrics).timing("commit"):
        raise OSError
    assert 'deltawire_store_seconds_count{part="commit"} 1.0' in metrics.text("")[0].decode()


def test_a_trace_has_the_parts_of_a_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(module, "configured_provider", lambda: provider)
    client = create_app(Settings(log_level="error", data_dir=str(tmp_path))).test_client()
    client.post("/v1/models", json={"name": "m", "network": SPEC, "optimizer": ADAM})
    assert step(client).status_code == 200
    span = exporter.get_finished_spans()[-1]
    assert span.name == "/v1/models/<name>/steps"
    for part in ("lock", "compute", "update", "commit"):
        assert (span.attributes or {})[f"deltawire.{part}_ms"] >= 0  # type: ignore[operator]
