"""Every answer, errors too, tells browsers to take it for what it is."""

from __future__ import annotations

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
        (policy,) = answer.headers.getlist("Content-Security-Policy")
        assert policy != HEADERS["Content-Security-Policy"]
