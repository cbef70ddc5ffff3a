"""gunicorn's worker with threads, and what it lacks.

It answers what is not well-formed HTTP with problem documents, refuses chunked bodies, asks for a body only
when it is going to be read, and never lets its main loop wait for a client.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from functools import partial
from http import HTTPStatus
from time import monotonic
from typing import Any
from uuid import uuid4

from gunicorn import util
from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker

from deltawire_service.http.security_headers import HEADERS
from deltawire_service.server.expectations import waits_for_continue

LINGER = 1.0
"""Seconds that a client has to take its last answer before its connection is closed."""

LINGER_BYTES = 2**26
"""Bytes that are read and thrown away meanwhile, at most: many clients read after their body is sent."""

LATEST = (1, 1)
"""The HTTP that is spoken, also with those who speak a later minor version (RFC 9110, 2.5)."""

DRAINED_BYTES = 2**16
"""Bytes of an unread body that gunicorn reads and throws away to keep the connection."""


class LengthRequired(errors.ParseException):  # type: ignore[misc]
    """The body is chunked: without a Content-Length, its size is unknown before it is read."""


REFUSALS: dict[type[BaseException], tuple[str, str]] = {
    LengthRequired: ("length_required", "send a Content-Length; chunked bodies are not read"),
    errors.UnsupportedTransferCoding: (
        "transfer_coding_unsupported",
        "send the body as it is, with a Content-Length and without Transfer-Encoding",
    ),
    errors.LimitRequestLine: ("uri_too_long", "the first line of a request has at most 4,094 bytes"),
    errors.LimitRequestHeaders: ("headers_too_large", "a request has at most 100 headers of 16 KiB each"),
    errors.ExpectationFailed: ("expectation_failed", "of expectations, only 100-continue can be met"),
    errors.InvalidResponseHeader: ("internal", "the service failed; its log has the details"),
    errors.InvalidResponseHeaderName: ("internal", "the service failed; its log has the details"),
    errors.ParseException: ("bad_request", "the request is not well-formed HTTP"),
}
"""Codes and details of gunicorn's exceptions, beside those of `problems.FOREIGN`."""


class Worker(ThreadWorker):  # type: ignore[misc]
    """One process of the service."""

    wsgi: Any

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self.wsgi = partial(answered, self.wsgi)

    def handle(self, conn: Any) -> Any:
        again = super().handle(conn)
        if again is False:
            # gunicorn would wait for the client to close in its main loop: all clients would wait with it.
            linger(conn.sock)
        return again

    def handle_request(self, req: Any, conn: Any) -> Any:
        codings = [value.strip().lower() for name, value in req.headers if name == "TRANSFER-ENCODING"]
        if codings:
            raise LengthRequired if codings == ["chunked"] else errors.UnsupportedTransferCoding("")
        req.version = min(req.version, LATEST)
        if "close" in connection_options(req.headers):
            req.force_close()
        # gunicorn would send 100 (Continue) at once; body_reader sends it when the body is to be read.
        vars(req)["_expected_100_continue"] = False
        return super().handle_request(req, conn)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer a request that cannot be read, and close: where the next one begins is unknown.

        Args:
            req: the request as far as it was read, or None.
            client: the socket of the connection.
            addr: the address of the client.
            exc: what was wrong.
        """
        # Imported late: they bring numpy, which must find the threads of BLAS set.
        from deltawire import wire
        from deltawire.errors import Fault
        from deltawire_service.http import problems

        refusals = {kind: Fault("", code, detail) for kind, (code, detail) in REFUSALS.items()}
        faults = problems.faults_of(exc, {**problems.FOREIGN, **refusals})
        code, request_id = faults[0].code, uuid4().hex
        problem = problems.document(faults, request_id)
        if code == "internal":
            self.log.error("failed, request_id=%s", request_id, exc_info=exc)
        else:
            self.log.info("refused as HTTP: %s, request_id=%s", code, request_id)  # never the caller's text
        body = wire.encode(problem, wire.JSON)
        headers = {
            "Connection": "close",
            "Content-Type": problems.MEDIA_TYPE,
            "Content-Length": str(len(body)),
            "X-Request-Id": request_id,
            **HEADERS,
        }
        status = HTTPStatus(problem["status"])
        lines = [f"HTTP/1.1 {status} {status.phrase}", *(f"{name}: {text}" for name, text in headers.items())]
        try:
            util.write_nonblock(client, "\r\n".join([*lines, "", ""]).encode() + body)
        except OSError as error:
            self.log.debug("the client has left: %s", error)


def answered(application: Any, environ: dict[str, Any], start_response: Any) -> Any:
    """Answer with an application, and announce that the connection closes when a body was not read.

    gunicorn would wait for the rest of a large body to throw it away, and for one that nobody asked for.

    Args:
        application: the WSGI application.
        environ, start_response: as WSGI has them.
    """

    def start(*arguments: Any) -> Any:
        unread = getattr(environ["wsgi.input"].reader, "length", 0)
        if unread > (0 if waits_for_continue(environ) else DRAINED_BYTES):
            start_response.__self__.force_close()
        return start_response(*arguments)

    return application(environ, start)


def connection_options(headers: Iterable[tuple[str, str]]) -> set[str]:
    """Return the options in all headers `Connection`, in small letters: `close, keep-alive` has two."""
    lists = (value for name, value in headers if name == "CONNECTION")
    return {option.strip(" \t").lower() for value in lists for option in value.split(",")}


def linger(sock: socket.socket) -> None:
    """End a connection so that the client can still take the answer.

    Closing at once, with bytes of the client unread, would reset the connection, and the answer would be lost
    (RFC 9112, 9.6).
    """
    end, read = monotonic() + LINGER, 0
    try:
        sock.shutdown(socket.SHUT_WR)
        while read < LINGER_BYTES and (left := end - monotonic()) > 0:
            sock.settimeout(left)
            if not (piece := sock.recv(2**16)):
                break
            read += len(piece)
        sock.shutdown(socket.SHUT_RDWR)  # closing it needs no waiting now
    except OSError:
        pass  # the connection has ended already
