"""GET /livez and /readyz."""

from __future__ import annotations

import pytest

from deltawire_service.app import create_app
from deltawire_service.settings import Settings


@pytest.mark.parametrize("path, status", [("/livez", "live"), ("/readyz", "ready")])
def test_health(path: str, status: str) -> None:
    client = create_app(Settings(log_level="error")).test_client()
    answer = client.get(path, headers={"Accept": "text/plain"})  # probes accept all sorts of things
    assert (answer.status_code, answer.json) == (200, {"status": status})
    assert client.head(path).status_code == 200
