"""Every answer, errors too, has headers that say what a browser may do with it."""

from __future__ import annotations

from hashlib import sha256

import pytest
from support.posting import good

from deltawire_service.app import create_app
from deltawire_service.http.security_headers import HEADERS
from deltawire_service.settings import Settings


@pytest.mark.parametrize(
    "path, status",
    [("/livez", 200), ("/v1/limits", 200), ("/openapi.json", 200), ("/nowhere", 404), ("/v1/gradients", 405)],
)
def test_an_answer_is_not_sniffed_and_loads_nothing(path: str, status: int) -> None:
    answer = create_app(Settings()).test_client().get(path)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


def test_so_is_an_answer_to_a_post() -> None:
    answer = create_app(Settings()).test_client().post("/v1/gradients", json=good())
    assert answer.status_code == 200
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_has_a_policy_of_its_own(path: str) -> None:
    client = create_app(Settings()).test_client()
    with client.get(path, headers={"Accept": "text/html"}) as answer:
        assert answer.mimetype == "text/html"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        (policy,) = answer.headers.getlist("Content-Security-Policy")
        assert policy != HEADERS["Content-Security-Policy"]
        directives = dict(directive.strip().split(" ", 1) for directive in policy.split(";"))
        for alone in ("frame-ancestors", "base-uri", "form-action", "object-src"):
            assert directives[alone] == "'none'"
        assert "unsafe" not in policy and "*" not in policy


def test_no_cache_keeps_an_answer_that_needed_a_key() -> None:
    keys = f"{sha256(b'secret').hexdigest()} me"
    keyed, free = (create_app(Settings(log_level="error", api_keys=k)).test_client() for k in (keys, ""))
    authorized = {"Authorization": "Bearer secret", "Accept": "text/html"}
    for path, headers in (
        ("/v1/limits", authorized),
        ("/", authorized),
        ("/explorer/main.js", authorized),
        ("/nowhere", authorized),
        ("/v1/limits", {}),  # refused: a later caller may have a key
    ):
        with keyed.get(path, headers=headers) as answer:
            assert answer.headers.getlist("Cache-Control") == ["no-store"], path
    assert "Cache-Control" not in keyed.get("/livez").headers
    assert "Cache-Control" not in free.get("/v1/limits").headers
