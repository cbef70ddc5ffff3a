"""Headers are parsed once, and long ones are not kept."""

from __future__ import annotations

import gc
import tracemalloc

import pytest

from deltawire_service.http import bodies
from deltawire_service.http.flask_app import Application
from deltawire_service.http.header_cache import CACHED, CACHED_CHARACTERS, header_cache
from deltawire_service.http.hosts import HostNames
from deltawire_service.http.request_context import RequestContext


def test_a_header_is_parsed_once() -> None:
    parsed = list[str]()
    parse = header_cache(lambda text, *rest: parsed.append(text) or text.upper())
    long = "a" * (CACHED_CHARACTERS + 1)
    assert [parse("a"), parse("a"), parse("a", "b"), parse(long), parse(long)] == [
        *("A", "A", "A"),
        *(2 * [long.upper()]),
    ]
    assert parsed == ["a", "a", long, long]


def test_no_more_than_some_results_are_kept() -> None:
    parsed = list[str]()
    parse = header_cache(lambda text: parsed.append(text))
    for number in range(CACHED + 1):
        parse(str(number))
    parse(str(CACHED))
    parse("0")
    assert parsed == [*map(str, range(CACHED + 1)), "0"]


@pytest.mark.parametrize("header", ["CONTENT_TYPE", "HTTP_ACCEPT", "HTTP_HOST", "HTTP_CONNECTION"])
def test_long_headers_leave_nothing_behind(header: str) -> None:
    app, names = Application("test"), HostNames(None)

    def send(number: int, length: int) -> None:
        text = f"a{number:04}" + length // 2 * ".b"
        environ = {"REQUEST_METHOD": "POST", "wsgi.url_scheme": "http", "PATH_INFO": "/", header: text}
        context = RequestContext(environ)
        if header == "HTTP_ACCEPT":
            with app.test_request_context(), pytest.raises(Exception, match="answers are"):
                bodies.negotiate(context)
        elif header == "CONTENT_TYPE":
            with app.test_request_context():
                bodies.negotiate(context)
        elif header == "HTTP_HOST":
            names.check("/v1", text)
        if header.startswith("HTTP_"):
            app.create_url_adapter(app.request_class(environ | {"HTTP_ACCEPT": ""}))

    send(0, 5_000)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(2 * CACHED):
            send(number, 5_000)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < CACHED * 1_000
