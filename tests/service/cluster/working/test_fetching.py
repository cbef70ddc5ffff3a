"""Numbers in files of a service, as workers read them: from a shared folder, or over HTTP, checked."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import numpy as np
import pytest

from deltawire_service.cluster.array_sources import FileArrays, Place, views
from deltawire_service.cluster.working.fetching import FetchFailed, read_bytes
from deltawire_service.engine import DeadlineExceeded, call_until

NUMBERS = np.arange(6.0)

WHOLE = NUMBERS[1:].tobytes()
DIGEST = sha256(WHOLE).hexdigest()
SOURCE = FileArrays("blobs/1", 8, 40, "/v1/blobs/blobs/1?signed", (Place("x", 0, "<f8", (5,)),), DIGEST)


class Handler(BaseHTTPRequestHandler):
    """Answers with the last five numbers, or with fewer bytes than it has announced."""

    def do_GET(self) -> None:
        if not self.path.endswith("signed"):
            self.send_error(403)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(WHOLE)))
        self.end_headers()
        self.wfile.write(WHOLE[:10] if self.path.startswith("/short") else WHOLE)

    def log_message(self, *arguments: object) -> None:
        """Write nothing."""


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "1").write_bytes(NUMBERS.tobytes())
    return tmp_path


def numbers_of(source: FileArrays, service: str, folder: Path | None) -> list[float]:
    found: list[float] = views(read_bytes(source, service, folder), source.places)["x"].tolist()
    return found


def test_numbers_come_from_a_shared_folder_or_from_the_service(
    service: str, folder: Path, tmp_path: Path
) -> None:
    assert numbers_of(SOURCE, "", folder) == [1, 2, 3, 4, 5]
    assert numbers_of(SOURCE, service, None) == [1, 2, 3, 4, 5]
    assert numbers_of(SOURCE, service, tmp_path / "elsewhere") == [1, 2, 3, 4, 5]


def test_a_file_that_is_too_short_is_not_taken(service: str, folder: Path) -> None:
    (folder / "blobs" / "1").write_bytes(b"short")
    assert numbers_of(SOURCE, service, folder) == [1, 2, 3, 4, 5]
    with pytest.raises(FetchFailed, match="no address"):
        read_bytes(SOURCE, "", folder)


def test_other_numbers_than_meant_are_refused(service: str, folder: Path) -> None:
    (folder / "blobs" / "1").write_bytes((NUMBERS + 1).tobytes())
    with pytest.raises(FetchFailed, match="another digest"):
        read_bytes(SOURCE, "", folder)
    with pytest.raises(FetchFailed, match="another digest"):
        read_bytes(SOURCE._replace(digest=sha256(b"other").hexdigest()), service, None)


@pytest.mark.parametrize("link", ["/v1/blobs/blobs/1", "/short?signed"])
def test_an_answer_that_is_none_or_ends_early_is_refused(service: str, link: str) -> None:
    with pytest.raises(FetchFailed):
        read_bytes(SOURCE._replace(link=link), service, None)


def test_a_service_that_is_gone_is_told() -> None:
    with pytest.raises(FetchFailed, match="cannot be reached"):
        read_bytes(SOURCE, "http://127.0.0.1:9", None)


@pytest.mark.parametrize("accepts", [True, False], ids=["silent", "slow"])
def test_no_byte_is_waited_for_after_the_deadline(accepts: bool) -> None:
    """It was waited for 10 s after it, and the worker did nothing else."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        if not accepts:
            Thread(target=drip, args=(server,), daemon=True).start()
        address, began = f"http://127.0.0.1:{server.getsockname()[1]}", monotonic()
        with pytest.raises(DeadlineExceeded):
            call_until(began + 0.5, lambda: read_bytes(SOURCE._replace(size=2**22), address, None))
        assert monotonic() - began < 1.2


def drip(server: socket.socket) -> None:
    """Answer one request with 32 KiB each twentieth of a second."""
    connection, _ = server.accept()
    with connection, suppress(OSError):
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4194304\r\n\r\n")
        while True:
            connection.sendall(bytes(2**15))
            sleep(0.05)


def test_no_bytes_are_not_fetched() -> None:
    assert read_bytes(SOURCE._replace(size=0), "", None).size == 0


class Proxy(BaseHTTPRequestHandler):
    """A proxy that changes what it passes on, by what the address begins with."""

    def do_GET(self) -> None:
        way = self.path.split("/")[1]
        body, headers = WHOLE, dict[str, str]()
        if way == "always" or "gzip" in self.headers.get("Accept-Encoding", ""):
            body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
        if way == "longer":
            body += b"more"
        if way == "shorter":
            body = body[:-8]
        if way != "chunked":
            headers["Content-Length"] = str(len(body))
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Write nothing."""


@pytest.fixture(scope="module")
def proxy() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_proxy_that_may_compress_is_asked_not_to(proxy: str) -> None:
    assert read_bytes(SOURCE, f"{proxy}/willing", None).tobytes() == WHOLE


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("always", "Content-Encoding gzip"),
        ("longer", "Content-Length 44, expected 40"),
        ("shorter", "Content-Length 32, expected 40"),
        ("chunked", "Content-Length None"),
    ],
)
def test_numbers_that_were_changed_on_their_way_are_refused(proxy: str, way: str, reason: str) -> None:
    with pytest.raises(FetchFailed, match=reason):
        read_bytes(SOURCE, f"{proxy}/{way}", None)
