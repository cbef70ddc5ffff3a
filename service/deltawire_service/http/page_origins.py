"""Requests that pages of other sites make a browser send: none of them may compute.

A browser says where a request comes from, in `Sec-Fetch-Site` or in `Origin`. Other programs send neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

from deltawire_service.faults import ServiceError
from deltawire_service.http.request_context import RequestContext, with_context

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""They compute nothing, and without CORS a foreign page cannot read their answers."""


class OriginNotAllowed(ServiceError):
    """A page of another site has made this request."""

    code = "origin_not_allowed"
    detail = "pages of other origins may compute here only if DELTAWIRE_CORS_ORIGINS names theirs"


def check_origins(app: Flask, origins: frozenset[str]) -> None:
    """Refuse requests of foreign pages, unless their origin (`https://example.org`) is among these."""

    def check_origin(context: RequestContext) -> None:
        if context.method not in SAFE_METHODS and not is_allowed(context.environ, origins):
            raise OriginNotAllowed

    app.before_request(with_context(check_origin))


def is_allowed(environ: WSGIEnvironment, origins: frozenset[str]) -> bool:
    """Return whether no page, a page of the service itself, or one of these origins sends a request."""
    origin = environ.get("HTTP_ORIGIN")
    if origin in origins:
        return True
    site = environ.get("HTTP_SEC_FETCH_SITE")
    if site is not None:
        return site in ("same-origin", "none")
    # A proxy that ends TLS makes http of https: the scheme says nothing.
    return origin is None or origin.partition("://")[2].lower() == environ.get("HTTP_HOST", "").lower()
