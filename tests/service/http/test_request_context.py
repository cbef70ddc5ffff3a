"""The context of a request, and the hooks that are called with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, Response

from deltawire_service.http.request_context import (
    Headers,
    RequestContext,
    current_request,
    request_middleware,
    with_context,
)

WSGI: Any = {
    "REQUEST_METHOD": "GET",
    "SERVER_NAME": "x",
    "SERVER_PORT": "80",
    "wsgi.url_scheme": "http",
}


def hooked() -> tuple[Flask, list[Any]]:
    """Return an application with routes of every sort, and the calls of its hooks."""
    app, calls = Flask(__name__), list[Any]()

    @app.get("/things/<name>")
    def thing(name: str) -> Response:
        current_request().problem_code = "found"
        return Response(name)

    @app.get("/parts")
    def parts() -> Response:
        def generated() -> Iterator[bytes]:
            yield b"a"
            calls.append("a sent")
            yield b"b"

        return Response(generated())

    def on_response(context: RequestContext, headers: Headers) -> None:
        calls.append((context.route, context.status, context.problem_code, context.response_bytes))
        headers.append(("X-Hooked", "yes"))

    before = [lambda context: calls.append(f"{context.method} {context.content_length}")]
    request_middleware(app, before, [on_response], lambda context: calls.append("ended"))
    return app, calls


def test_a_request_begins_is_answered_and_ends() -> None:
    app, calls = hooked()
    answer = app.test_client().get("/things/it", buffered=True)
    assert answer.headers["X-Hooked"] == "yes" and answer.text == "it"
    assert calls == ["GET None", ("/things/<name>", 200, "found", 2), "ended"]


def test_what_is_noted_for_its_end_is_called_before_the_last_hook_even_where_it_fails() -> None:
    app, calls = hooked()

    @app.get("/noted/<how>")
    def noted(how: str) -> str:
        current_request().on_end.append(lambda: calls.append("noted"))
        if how == "failing":
            raise ValueError
        return "ok"

    for how in ("well", "failing"):
        calls.clear()
        app.test_client().get(f"/noted/{how}", buffered=True)
        assert calls[-2:] == ["noted", "ended"]


def test_so_does_one_without_a_route() -> None:
    app, calls = hooked()
    assert app.test_client().post("/nowhere", data=b"123", buffered=True).headers["X-Hooked"] == "yes"
    assert calls[0] == "POST 3" and calls[1][:3] == (None, 404, None) and calls[2] == "ended"


def test_it_ends_when_all_is_sent() -> None:
    app, calls = hooked()
    assert app.test_client().get("/parts", buffered=True).text == "ab"
    assert calls == ["GET None", ("/parts", 200, None, 0), "a sent", "ended"]


def test_it_ends_when_the_client_leaves() -> None:
    app, calls = hooked()
    body: Any = app(WSGI | {"PATH_INFO": "/parts"}, lambda status, headers: None)
    assert next(iter(body)) == b"a" and calls[-1] != "ended"
    body.close()
    assert calls[-1] == "ended"


def test_it_ends_once_however_often_a_server_closes_its_answer() -> None:
    app, calls = hooked()
    body: Any = app(WSGI | {"PATH_INFO": "/things/it"}, lambda status, headers: None)
    body.close()
    body.close()
    assert calls.count("ended") == 1


def test_it_ends_when_the_server_cannot_begin_the_answer() -> None:
    app, calls = hooked()

    def refuses(status: str, headers: Headers) -> None:
        raise OSError("nobody is there")

    with pytest.raises(OSError, match="nobody"):
        app(WSGI | {"PATH_INFO": "/things/it"}, refuses)
    assert calls.count("ended") == 1
    with pytest.raises(LookupError):
        current_request()


def test_outside_a_request_there_is_none() -> None:
    hooked()
    with pytest.raises(LookupError):
        current_request()


def test_a_handler_of_flask_gets_the_current_request() -> None:
    app, _ = hooked()
    seen = list[RequestContext]()
    app.before_request(with_context(seen.append))
    app.test_client().get("/things/it")
    assert [context.route for context in seen] == ["/things/<name>"]
