"""Requests over HTTP: what is sent, with which credentials, and that responses are the request's own."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests
from support.posting import good

from deltawire import Client, Retries, ServiceFailed, Unreachable
from deltawire.errors import ConnectionLost

Seen = tuple[str, str, dict[str, str], bytes]


@contextmanager
def listening(cookie: str = "") -> Iterator[tuple[str, list[Seen]]]:
    """The address of a server that answers {} to all, and what it is sent: method, path, headers, body."""
    seen: list[Seen] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = {key.lower(): value for key, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            seen.append((self.command, self.path, headers, body))
            self.send_response(200)
            self.send_header("X-Request-Id", headers["x-request-id"])
            if cookie:
                self.send_header("Set-Cookie", f"{cookie}; Path=/")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_POST = do_GET

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def call_all(client: Client) -> None:
    """Calls with a body of arrays, one of JSON, and without, each of them twice."""
    x = good()
    for _ in range(2):
        with suppress(ServiceFailed):  # {} is no answer of a service
            client.gradients(x["network"], x["params"], x["data"])
        client.plan(x["network"])
        client.limits()
        with suppress(ServiceFailed):
            client.published("a b")


@pytest.mark.parametrize("path", ["", "/", "/base", "/base/é"])
@pytest.mark.parametrize("key", [None, "secret"])
@pytest.mark.parametrize("cookie", ["", "worker=1"])
def test_a_session_of_the_clients_own_sends_what_any_other_would(
    path: str, key: str | None, cookie: str
) -> None:
    with listening(cookie) as (url, seen):
        with Client(url + path, api_key=key) as client:
            call_all(client)
        with requests.Session() as session, Client(url + path, api_key=key, session=session) as client:
            call_all(client)
    ids = {headers.pop("x-request-id") for _, _, headers, _ in seen}
    assert len(ids) == len(seen) == 16
    assert seen[:8] == seen[8:]
    assert [headers.get("cookie", "") for _, _, headers, _ in seen[:8]] == ["", *[cookie] * 7]


@pytest.fixture
def netrc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A ~/.netrc with a password for this machine."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


def authorizations(url: str, seen: list[Seen], **options: Any) -> set[str | None]:
    """What a client sends to prove its identity, in every request."""
    seen.clear()
    with Client(url, **options) as client:
        call_all(client)
    return {headers.get("authorization") for _, _, headers, _ in seen}


def session(**attributes: Any) -> requests.Session:
    """A session with an `auth`, or an Authorization header."""
    made = requests.Session()
    made.auth = attributes.get("auth")
    made.headers.update(attributes.get("headers", {}))
    return made


def test_netrc_is_never_sent(netrc: None) -> None:
    header = {"Authorization": "Bearer mine"}
    with listening() as (url, seen):
        with_user = url.replace("://", "://you:key@")
        assert authorizations(url, seen) == {None}
        assert authorizations(url, seen, session=session()) == {None}
        assert authorizations(url, seen, api_key="key") == {"Bearer key"}
        assert authorizations(with_user, seen) == {"Basic eW91OmtleQ=="}
        assert authorizations(url, seen, session=session(headers=header)) == {"Bearer mine"}
        assert authorizations(url, seen, session=session(auth=("you", "key"))) == {"Basic eW91OmtleQ=="}
        assert authorizations(url, seen, session=session(headers=header), api_key="key") == {"Bearer key"}


class Misdirected(BaseHTTPRequestHandler):
    """Answers the first request as it should, later ones with the id and the numbers of the first."""

    protocol_version = "HTTP/1.1"
    first = ""
    status = 200
    connections = 0

    def setup(self) -> None:
        super().setup()
        type(self).connections += 1

    def do_GET(self) -> None:
        own = self.headers["X-Request-Id"]
        first = type(self).first = type(self).first or own
        body = b'{"layers": []}'
        self.send_response(200 if own == first else self.status)
        self.send_header("X-Request-Id", first)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.mark.parametrize("status", [200, 422, 503])
def test_a_response_to_another_request_is_an_error_whatever_its_status(status: int) -> None:
    handler = type("Handler", (Misdirected,), {"status": status})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        with Client(f"http://127.0.0.1:{server.server_port}") as client:
            assert client.layers() == []
            for connections in (1, 2):
                with pytest.raises(ServiceFailed, match="to another request .X-Request-Id") as failed:
                    client.layers()
                assert (failed.value.code, failed.value.status) == ("answer_invalid", status)
                assert failed.value.request_id != handler.first
                assert handler.connections == connections  # and the next request opens a new one
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Dropping(requests.Session):
    """A session to a host that drops packets while `dropping`; `timeouts` are those of its requests."""

    def __init__(self) -> None:
        super().__init__()
        self.dropping = True
        self.timeouts: list[Any] = []

    def send(self, request: requests.PreparedRequest, **settings: Any) -> requests.Response:
        self.timeouts.append(settings["timeout"])
        if self.dropping:
            raise requests.ConnectTimeout
        return super().send(request, **settings)


def test_a_host_that_has_never_answered_is_given_up_after_the_startup() -> None:
    session, retries = Dropping(), Retries(attempts=1)
    with listening() as (url, _):
        client = Client(url, session=session, retries=retries)
        with pytest.raises(
            Unreachable, match=r"no service answers at .* within 1\.5 s: start one with `delta"
        ):
            client.limits()
        session.dropping = False
        client.limits()
        session.dropping = True
        with pytest.raises(Unreachable, match=r"within 5 s: start one"):
            client.limits()
        brief = Client(url, session=session, retries=retries, timeout=(0.5, 60.0))
        with pytest.raises(Unreachable, match=r"within 0\.5 s"):
            brief.limits()
    assert session.timeouts == [(1.5, 60), (1.5, 60), (5, 60), (0.5, 60)]


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"])
def test_a_connection_that_ends_before_the_response_is_whole_was_no_absence(sent: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        answering = Thread(target=_answer_once, args=(server, sent))
        answering.start()
        client = Client(f"http://{host}:{port}", retries=Retries(attempts=1))
        with pytest.raises(ConnectionLost, match="ended the connection before its response was whole"):
            client.limits()
        answering.join()


def _answer_once(server: socket.socket, sent: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(sent)
