"""GET /metrics: in Prometheus's text format, or in OpenMetrics for clients that accept it."""

from __future__ import annotations

import pytest

from deltawire_service.app import create_app
from deltawire_service.settings import Settings


@pytest.mark.parametrize(
    "accept, media_type, end",
    [("", "text/plain", ""), ("application/openmetrics-text", "application/openmetrics-text", "# EOF\n")],
)
def test_the_format_is_the_one_accepted(accept: str, media_type: str, end: str) -> None:
    answer = create_app(Settings()).test_client().get("/metrics", headers={"Accept": accept})
    assert answer.mimetype == media_type and answer.text.endswith(end)
    assert "deltawire_requests_in_flight 1.0" in answer.text
