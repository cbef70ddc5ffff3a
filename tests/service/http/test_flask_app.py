"""Routes are found as Flask finds them, and what is remembered of clients is bounded."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from flask import Flask, session
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter
from werkzeug.test import EnvironBuilder

from deltawire_service.app import create_app
from deltawire_service.settings import Settings

APP = create_app(Settings(log_level="error"))


def found(bind: Any, environ: dict[str, Any]) -> tuple[Any, ...]:
    """The route, or the exception, that a request is bound to."""
    try:
        adapter: MapAdapter = bind(APP.request_class(environ))
        rule, arguments = adapter.match(return_rule=True)
        return rule.rule, rule.endpoint, arguments, adapter.server_name
    except HTTPException as error:
        return type(error), getattr(error, "valid_methods", None)


PATHS = [
    "/", "", "//", "*", "/v1/gradients", "//v1//gradients", "/v1/layers/linear", "/v1/layers/", "/%2e",
    "/v1/layers/a%20b", "/v1/layers/\xc3\xa9", "/v1/layers/\xff", "/explorer/a/b.js", "/nowhere", "v1/limits",
    "/v1/limits/",
]  # fmt: skip
HOSTS = [
    None, "", "localhost", "127.0.0.1:8000", "EXAMPLE.org:80", "[::1]:80", "a..b", "é.org", "x" * 64, "a b",
    "a/b", "a@b",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS", "BREW"])
def test_a_path_leads_where_flask_would_take_it(path: str, method: str) -> None:
    environ = EnvironBuilder(method=method).get_environ() | {"PATH_INFO": path}
    assert found(APP.create_url_adapter, environ) == found(partial(Flask.create_url_adapter, APP), environ)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("upgrade", [{}, {"HTTP_CONNECTION": "Upgrade", "HTTP_UPGRADE": "websocket"}])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_host_does_not_matter_unless_flask_refuses_it(
    host: str | None, upgrade: dict[str, str], scheme: str
) -> None:
    environ = EnvironBuilder(path="/v1/limits").get_environ() | {"wsgi.url_scheme": scheme} | upgrade
    del environ["HTTP_HOST"]
    environ |= {} if host is None else {"HTTP_HOST": host.encode().decode("latin-1")}
    ours = found(APP.create_url_adapter, environ)
    flasks = found(partial(Flask.create_url_adapter, APP), environ)
    assert ours[:2] == flasks[:2]


def test_a_host_that_cannot_be_one_is_refused_each_time() -> None:
    client = APP.test_client()
    for _ in range(2):
        answer = client.get("/livez", headers={"Host": "a..b"})
        assert (answer.status_code, answer.json["code"]) == (400, "bad_request")


def test_nobody_has_a_session_of_their_own() -> None:
    sessions = []
    for _ in range(2):
        with APP.test_client() as client:
            client.get("/livez", headers={"Cookie": "session=mine"})
            sessions.append(session._get_current_object())
    assert sessions[0] is sessions[1]
