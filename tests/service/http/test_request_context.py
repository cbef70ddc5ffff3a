"""Who is told of a request, and when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, Response

from deltawire_service.http.request_context import Headers, RequestContext, current, request_middleware

WSGI: Any = {
    "REQUEST_METHOD": "GET",
    "SERVER_NAME": "x",
    "SERVER_PORT": "80",
    "wsgi.url_scheme": "http",
}


def followed() -> tuple[Flask, list[Any]]:
    """An application with routes of every sort, and what it tells."""
    app, told = Flask(__name__), list[Any]()

    @app.get("/things/<name>")
    def thing(name: str) -> Response:
        current().code = "found"
        return Response(name)

    @app.get("/parts")
    def parts() -> Response:
        def generated() -> Iterator[bytes]:
            yield b"a"
            told.append("a sent")
            yield b"b"

        return Response(generated())

    def answering(context: RequestContext, headers: Headers) -> None:
        told.append((context.route, context.status, context.code, context.sent))
        headers.append(("X-Told", "yes"))

    began = [lambda context: told.append(f"{context.method} {context.length}")]
    request_middleware(app, began, [answering], lambda context: told.append("ended"))
    return app, told


def test_an_exchange_begins_is_answered_and_ends() -> None:
    app, told = followed()
    answer = app.test_client().get("/things/it", buffered=True)
    assert answer.headers["X-Told"] == "yes" and answer.text == "it"
    assert told == ["GET None", ("/things/<name>", 200, "found", 2), "ended"]


def test_so_does_one_without_a_route() -> None:
    app, told = followed()
    assert app.test_client().post("/nowhere", data=b"123", buffered=True).headers["X-Told"] == "yes"
    assert told[0] == "POST 3" and told[1][:3] == (None, 404, None) and told[2] == "ended"


def test_it_ends_when_all_is_sent() -> None:
    app, told = followed()
    assert app.test_client().get("/parts", buffered=True).text == "ab"
    assert told == ["GET None", ("/parts", 200, None, 0), "a sent", "ended"]


def test_it_ends_when_the_client_leaves() -> None:
    app, told = followed()
    body: Any = app(WSGI | {"PATH_INFO": "/parts"}, lambda status, headers: None)
    assert next(iter(body)) == b"a" and told[-1] != "ended"
    body.close()
    assert told[-1] == "ended"


def test_it_ends_once_however_often_a_server_closes_its_answer() -> None:
    app, told = followed()
    body: Any = app(WSGI | {"PATH_INFO": "/things/it"}, lambda status, headers: None)
    body.close()
    body.close()
    assert told.count("ended") == 1


def test_it_ends_when_the_server_cannot_begin_the_answer() -> None:
    app, told = followed()

    def refuses(status: str, headers: Headers) -> None:
        raise OSError("nobody is there")

    with pytest.raises(OSError, match="nobody"):
        app(WSGI | {"PATH_INFO": "/things/it"}, refuses)
    assert told.count("ended") == 1
    with pytest.raises(LookupError):
        current()


def test_outside_a_request_there_is_none() -> None:
    followed()
    with pytest.raises(LookupError):
        current()
