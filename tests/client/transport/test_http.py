"""What is sent: a session of the client's own sends what any other session would have prepared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import requests
from support.posting import good

from deltawire import Client, ServiceFailed

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


def test_netrc_proves_who_asks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with listening() as (url, seen), Client(url) as client:
        call_all(client)
    assert {headers["authorization"] for _, _, headers, _ in seen} == {"Basic bWU6c2VjcmV0"}
