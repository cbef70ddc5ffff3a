"""GET /: where to go on."""

from __future__ import annotations

from importlib.metadata import version

from deltawire_service.app import create_app
from deltawire_service.settings import Settings


def test_root_names_the_service_and_every_route() -> None:
    answer = create_app(Settings(log_level="error")).test_client().get("/").json
    assert (answer["service"], answer["version"]) == ("deltawire", version("deltawire"))
    assert {"POST /v1/gradients", "POST /v1/init", "GET /v1/layers", "GET /livez"} <= set(answer["routes"])
