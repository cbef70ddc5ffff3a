"""Requests of pages of other sites compute nothing; those of programs and of our own pages do."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from flask.testing import FlaskClient
from support.posting import good

from deltawire_service.app import create_app
from deltawire_service.settings import Settings

FRIEND = "https://friend.example"
OWN, FOREIGN = "http://localhost:8000", "https://evil.example"
KEYS = f"{sha256(b'secret').hexdigest()} me"


@pytest.fixture(scope="module", params=["", KEYS], ids=["without keys", "with keys"])
def client(request: pytest.FixtureRequest) -> FlaskClient:
    settings = Settings(log_level="error", api_keys=request.param, cors_origins=FRIEND)
    return create_app(settings).test_client()


def status(client: FlaskClient, method: str = "POST", **headers: str) -> int:
    """Return the status for a request with these headers: site is Sec-Fetch-Site, origin is Origin."""
    names = {"site": "Sec-Fetch-Site", "origin": "Origin"}
    sent = {"Host": "localhost:8000", "Authorization": "Bearer secret"}
    sent |= {names[name]: text for name, text in headers.items()}
    body: dict[str, Any] = {"json": good()} if method == "POST" else {}
    path = "/v1/gradients" if method == "POST" else "/v1/limits"
    return client.open(path, method=method, headers=sent, **body).status_code


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"site": "same-origin"},
        {"site": "none"},
        {"site": "same-origin", "origin": OWN},
        {"origin": OWN},
        {"origin": "https://localhost:8000"},  # a proxy before the service ends TLS
        {"origin": "HTTP://LOCALHOST:8000"},
        {"origin": FRIEND},
        {"origin": FRIEND, "site": "cross-site"},
    ],
)
def test_programs_and_pages_of_the_service_compute(client: FlaskClient, headers: dict[str, str]) -> None:
    assert status(client, **headers) == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"site": "cross-site"},
        {"site": "same-site"},
        {"site": ""},
        {"site": "anything"},
        {"site": "cross-site", "origin": OWN},
        {"origin": FOREIGN},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://localhost"},
        {"origin": "http://localhost:8001"},
        {"origin": "http://127.0.0.1:8000"},
        {"origin": "http://localhost:8000.evil.example"},
        {"origin": "localhost:8000"},
        {"origin": FRIEND + ".evil.example"},
        {"origin": FRIEND.replace("https", "http")},
    ],
)
def test_pages_of_other_sites_do_not(client: FlaskClient, headers: dict[str, str]) -> None:
    assert status(client, **headers) == 403
    assert status(client, "GET", **headers) == 200  # it computes nothing, and no foreign page can read it


def test_it_is_refused_before_the_body_is_read(client: FlaskClient) -> None:
    answer = client.post("/v1/gradients", data=b"{", headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.json["code"]) == (403, "origin_not_allowed")
