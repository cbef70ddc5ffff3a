"""The WSGI transport, held against PEP 3333 by the standard library's validator, and by its own words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.validate import validator

import pytest

from deltawire.transport import Request, Response, WSGITransport
from deltawire_service.app import create_app
from deltawire_service.settings import Settings

PLAIN = [("Content-Type", "text/plain")]


def send(app: Any, request: Request = Request("GET", "/", {})) -> Response:  # noqa: B008 (immutable)
    return WSGITransport(app).send(request)


def seen(request: Request) -> dict[str, Any]:
    """The environment that an application gets."""
    environs: list[dict[str, Any]] = []

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        environs.append(environ | {"body": environ["wsgi.input"].read(1000)})
        start("200 OK", PLAIN)
        return [b""]

    send(validator(app), request)
    return environs[0]


def test_the_service_and_the_transport_keep_pep_3333() -> None:
    service = validator(create_app(Settings(log_level="error")).wsgi_app)
    transport = WSGITransport(service)
    headers = {"Content-Type": "application/json", "Content-Length": "2", "X-Request-Id": "ab"}
    refused = transport.send(Request("POST", "/v1/plan", headers, [b"{", memoryview(b"}")]))
    assert (refused.status, refused.header("x-request-id")) == (422, "ab")
    listed = transport.send(Request("GET", "/v1/layers", {"X-Request-Id": "cd"}))
    assert listed.status == 200 and listed.header("Content-Length") == str(len(listed.body))


def test_the_environment_has_the_request() -> None:
    headers = {"Content-Type": "text/x", "Accept": "b", "X-Request-Id": "c"}
    environ = seen(Request("POST", "/a%20b/%C3%A9%2F?x=1&y=%20", headers, [b"ab", memoryview(b"c")]))
    assert environ["PATH_INFO"] == "/a b/é/".encode().decode("latin-1")
    assert environ["QUERY_STRING"] == "x=1&y=%20"
    assert (environ["CONTENT_TYPE"], environ["CONTENT_LENGTH"], environ["body"]) == ("text/x", "3", b"abc")
    assert (environ["HTTP_ACCEPT"], environ["HTTP_X_REQUEST_ID"]) == ("b", "c")
    assert (environ["HTTP_HOST"], environ["SERVER_PROTOCOL"]) == ("localhost", "HTTP/1.1")
    assert not {"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"} & environ.keys()


def test_a_request_without_a_body_has_no_length() -> None:
    environ = seen(Request("GET", "/", {}))
    assert "CONTENT_LENGTH" not in environ and environ["body"] == b""


class Body:
    """An iterable that notes when it is closed, and may fail on the way."""

    def __init__(self, *pieces: bytes, fails: bool = False):
        self.pieces, self.fails, self.closed = pieces, fails, 0

    def __iter__(self) -> Iterator[bytes]:
        yield from self.pieces
        if self.fails:
            raise OSError("on the way")

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("fails", [False, True])
def test_the_body_is_closed_once_whatever_happens(fails: bool) -> None:
    body = Body(b"a", b"b", fails=fails)

    def app(environ: Any, start: Any) -> Iterable[bytes]:
        start("200 OK", PLAIN)
        return body

    if fails:
        with pytest.raises(OSError, match="on the way"):
            send(app)
    else:
        assert send(app).body == b"ab"
    assert body.closed == 1


def test_an_application_may_write_and_may_be_a_generator() -> None:
    def writes(environ: Any, start: Any) -> Iterable[bytes]:
        start("200 OK", PLAIN)(b"first ")
        return [b"second"]

    def generator(environ: Any, start: Any) -> Iterable[bytes]:
        start("404 Not Found", PLAIN)
        yield b"none"

    assert send(writes).body == b"first second"
    assert (send(generator).status, send(generator).body) == (404, b"none")


def failing_late(sent: bytes) -> Any:
    """An application that starts a response, and another one when it fails."""

    def app(environ: Any, start: Any) -> Iterable[bytes]:
        write = start("200 OK", PLAIN)
        write(sent)
        try:
            raise ValueError("late")
        except ValueError as error:
            start("500 Internal Server Error", PLAIN, (ValueError, error, error.__traceback__))
        return [b"failed"]

    return app


def test_a_response_can_start_anew_until_bytes_are_sent() -> None:
    response = send(failing_late(b""))
    assert (response.status, response.body) == (500, b"failed")
    with pytest.raises(ValueError, match="late"):
        send(failing_late(b"sent"))


@pytest.mark.parametrize(
    "app, words",
    [
        (lambda environ, start: [], "did not call start_response"),
        (lambda environ, start: [b"a"], "sent bytes before it called start_response"),
        (lambda environ, start: (start("200 OK", []), start("200 OK", []), [])[2], "start_response twice"),
    ],
)
def test_an_application_that_breaks_pep_3333_is_named(app: Any, words: str) -> None:
    with pytest.raises(RuntimeError, match=words):
        send(app)


def test_exceptions_of_the_application_propagate() -> None:
    def app(environ: Any, start: Any) -> Any:
        raise KeyError("here")

    with pytest.raises(KeyError, match="here"):
        send(app)
