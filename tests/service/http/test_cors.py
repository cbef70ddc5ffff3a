"""Pages of other origins read nothing, unless a setting names theirs."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from support.posting import good

from deltawire_service.app import create_app
from deltawire_service.settings import Settings

ORIGIN = "https://example.org"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}


def client(origins: str, **settings: str) -> FlaskClient:
    return create_app(Settings(cors_origins=origins, **settings)).test_client()


def allowed(headers: object) -> bool:
    return "access-control" in str(headers).lower()


@pytest.mark.parametrize("origins", ["", "https://example.net http://example.org"])
def test_a_foreign_page_gets_no_leave(origins: str) -> None:
    for origin in (ORIGIN, "null", "https://example.net.example.org"):
        here = client(origins)
        headers = {"Origin": origin}
        assert not allowed(here.options("/v1/gradients", headers=headers | PREFLIGHT).headers)
        assert not allowed(here.post("/v1/gradients", json=good(), headers=headers).headers)
        assert not allowed(here.get("/nowhere", headers=headers).headers)


def test_a_page_that_is_named_may_ask_and_read() -> None:
    here = client(f"https://example.net {ORIGIN}", api_keys="0" * 64 + " nobody")
    preflight = here.options("/v1/gradients", headers={"Origin": ORIGIN} | PREFLIGHT)
    assert (preflight.status_code, preflight.headers["Access-Control-Allow-Origin"]) == (204, ORIGIN)
    methods = preflight.headers["Access-Control-Allow-Methods"].split(", ")
    assert {"GET", "POST", "PATCH", "DELETE"} <= {*methods}
    for name in ("Authorization", "Idempotency-Key", "Inference-Header-Content-Length", "traceparent"):
        assert name in preflight.headers["Access-Control-Allow-Headers"].split(", ")
    answer = here.get("/v1/limits", headers={"Origin": ORIGIN})  # the reason of a refusal is to be read, too
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (401, ORIGIN)
    for name in (
        "Retry-After",
        "Deltawire-Model-Version",
        "Deltawire-Params-Id",
        "ETag",
        "Inference-Header-Content-Length",
    ):
        assert name in answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert "Origin" in answer.headers["Vary"]


def test_the_methods_of_every_route_are_let_through() -> None:
    app = create_app(Settings(cors_origins=ORIGIN))
    preflight = app.test_client().options("/v1/models", headers={"Origin": ORIGIN} | PREFLIGHT)
    let = {*preflight.headers["Access-Control-Allow-Methods"].split(", ")}
    used = {method for rule in app.url_map.iter_rules() for method in rule.methods or ()}
    assert used - {"HEAD", "OPTIONS"} == let
