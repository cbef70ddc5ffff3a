"""Requests to a WSGI application in this process, without a socket (PEP 3333)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any, NoReturn, Self
from urllib.parse import unquote_to_bytes

from deltawire.transport.transport import Request, Response

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

ERRORS = "deltawire.errors"
"""The key in a WSGI environment for a list that gets the exception that a service answers."""

HOST = "localhost"
PORT = "80"


class WSGITransport:
    """Calls a WSGI application. Timeouts, proxies and certificates do not apply; exceptions propagate.

    It cannot be pickled, since an application cannot; a deepcopy shares the application.
    """

    def __init__(self, app: WSGIApplication):
        self._app = app

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._app!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a WSGITransport cannot be pickled, for its application cannot: pickle a Client()")

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def send(self, request: Request) -> Response:
        """Call the application and return its response; see `Transport.send`."""
        start, environ, errors = StartResponse(), environ_of(request), list[Exception]()
        environ[ERRORS] = errors
        body = self._app(environ, start)
        try:
            for piece in body:
                start.write(piece)
        finally:
            if close := getattr(body, "close", None):
                close()
        if start.status is None:
            raise RuntimeError("the WSGI application did not call start_response")
        error = errors.pop() if errors else None  # the environment, which its traceback has, keeps none
        return Response(int(start.status[:3]), dict(start.headers), start.body, error)

    def close(self) -> None:
        """Do nothing: there are no connections."""


class StartResponse:
    """The `start_response` callable of one request; keeps what the application passes to it."""

    def __init__(self) -> None:
        self.status: str | None = None
        self.headers: list[tuple[str, str]] = []
        self.body = bytearray()  # writable, so that the arrays in it need no copy

    def __call__(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /
    ) -> Callable[[bytes], object]:
        """Start the response. An application may start it anew with `exc_info` until it has sent bytes."""
        if exc_info:
            try:
                if self.body:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # breaks the cycle between the traceback and this frame
        elif self.status is not None:
            raise RuntimeError("the WSGI application called start_response twice")
        self.status, self.headers = status, list(headers)
        return self.write

    def write(self, piece: bytes) -> None:
        """Add bytes to the body."""
        if self.status is None:
            raise RuntimeError("the WSGI application sent bytes before it called start_response")
        self.body += piece


def environ_of(request: Request) -> WSGIEnvironment:
    """Return the WSGI environment of a request."""
    path, _, query = request.path.partition("?")
    body = b"".join(request.body or ())
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),  # bytes as text, as PEP 3333 wants them
        "QUERY_STRING": query,
        "SERVER_NAME": HOST,
        "SERVER_PORT": PORT,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": HOST,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if request.body is not None:
        environ["CONTENT_LENGTH"] = str(len(body))
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return environ
