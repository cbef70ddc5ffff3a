"""What stands at an address and is no service: each case says the address, what is wrong and the mend."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import requests
from support.service import free_port

from deltawire import Client, DeltawireError, Refused, Retries, ServiceFailed, Unreachable
from deltawire.transport import HTTPTransport, Request, Response, WSGITransport
from deltawire_service.app import create_app
from deltawire_service.settings import Settings

ONCE = Retries(attempts=1)


@contextmanager
def answering(status: int, headers: dict[str, str], body: bytes) -> Iterator[str]:
    """Serve one answer to every request, at the address that is yielded."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            sent = {"X-Request-Id": self.headers["X-Request-Id"], "Content-Length": str(len(body))} | headers
            for name, value in sent.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def message(client: Client, kind: type[DeltawireError]) -> str:
    with pytest.raises(kind) as caught:
        client.limits()
    return str(caught.value)


def test_a_redirect_names_where_it_leads() -> None:
    location = "https://example.org/v1/limits"
    with answering(308, {"Location": location}, b"") as url:
        said = message(Client(url, retries=ONCE), ServiceFailed)
    assert (
        url in said
        and f"answered 308 (no content type) with a redirect to {location}: is that the url?" in said
    )


DAMAGED = gzip.compress(b'{"limits": {}}' * 99, mtime=0)[:-20] + b"x" * 20


@pytest.mark.parametrize("body", [b"no gzip at all", DAMAGED], ids=["none", "damaged"])
def test_a_body_that_is_not_gzip_is_said_so(body: bytes) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    with answering(200, headers, body) as url:
        said = message(Client(url, retries=ONCE), ServiceFailed)
    assert said == f"{url} answered with a body that its Content-Encoding does not fit"


def test_a_dead_proxy_is_named_without_its_password() -> None:
    port = free_port()
    session = requests.Session()
    session.proxies = {"http": f"http://user:secret@127.0.0.1:{port}"}
    said = message(Client("http://service.invalid", session=session, retries=ONCE), Unreachable)
    assert f"the proxy http://127.0.0.1:{port} does not lead to http://service.invalid" in said
    assert "NO_PROXY" in said and "secret" not in said


class Below(WSGITransport):
    """A transport whose requests go below `/v1`, as with a url that ends so."""

    def send(self, request: Request) -> Response:
        return super().send(replace(request, path=f"/v1{request.path}"))


def test_a_url_with_the_route_in_it_is_suspected() -> None:
    client = Client(transport=Below(create_app(Settings(log_level="error"))))
    assert message(client, Refused).endswith("is the url the address of the service alone, without /v1?")


@pytest.mark.parametrize(
    "url, expected",
    [
        ("", "got an empty string: leave it out for a service in this process"),
        ("ftp://h", "expected http:// or https://, got ftp://"),
        ("127.0.0.1:8000", "with its scheme, as in http://127.0.0.1:8000"),
    ],
)
def test_a_url_that_is_none_is_refused_at_once(url: Any, expected: str) -> None:
    with pytest.raises(ValueError, match="url: ") as caught:
        HTTPTransport(url)
    assert expected in str(caught.value)


def test_a_host_that_has_no_address_is_named() -> None:
    text = message(Client("http://deltawire.invalid:8000", retries=ONCE), Unreachable)
    assert "the host 'deltawire.invalid' of http://deltawire.invalid:8000 is not known here" in text


def test_http_in_place_of_https_is_said_without_pools_and_retries() -> None:
    with answering(200, {}, b"{}") as url:
        text = message(Client(url.replace("http:", "https:"), retries=ONCE), Unreachable)
    assert "is it http://?" in text and "Max retries" not in text


@pytest.mark.parametrize("timeout", [0, -1, "5", None, (1,), (1, 2, 3), (1, None), float("nan"), True])
def test_a_timeout_that_is_no_seconds_is_refused(timeout: Any) -> None:
    with pytest.raises(ValueError, match="timeout: expected seconds above 0"):
        Client("http://127.0.0.1:9", timeout=timeout)


def test_one_timeout_is_for_connecting_and_for_waiting() -> None:
    seen = []

    class Session(requests.Session):
        def send(self, request: requests.PreparedRequest, **settings: Any) -> requests.Response:
            seen.append(settings["timeout"])
            raise requests.ConnectionError

    with Session() as session, pytest.raises(Unreachable):
        Client("http://127.0.0.1:9", timeout=1, session=session, retries=ONCE).limits()
    assert seen == [(1.0, 1.0)]
