"""Clients that wait before they send a body: `Expect: 100-continue` (RFC 9110, 10.1.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def waits_for_continue(environ: WSGIEnvironment) -> bool:
    """Return whether the client of a request waits for 100 (Continue); HTTP/1.0 does not know it."""
    expectation = environ.get("HTTP_EXPECT", "").lower()
    return expectation == "100-continue" and environ.get("SERVER_PROTOCOL") != "HTTP/1.0"


def ask_for_body(environ: WSGIEnvironment) -> None:
    """Send 100 (Continue) to a client that waits for it. Other servers than gunicorn do so by themselves."""
    if "gunicorn.socket" in environ and waits_for_continue(environ):
        environ["gunicorn.socket"].sendall(CONTINUE)
