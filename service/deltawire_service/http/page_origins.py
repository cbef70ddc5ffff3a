"""Requests that pages of other sites make a browser send: none of them may compute.

A browser says where a request comes from, in `Sec-Fetch-Site` or in `Origin`. Other programs send neither.
"""

from __future__ import annotations

from flask import Flask, request

from deltawire_service.faults import ServiceError

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""They compute nothing, and without CORS a foreign page cannot read their answers."""


class OriginNotAllowed(ServiceError):
    """A page of another site has made this request."""

    code = "origin_not_allowed"
    detail = "pages of other origins may compute here only if DELTAWIRE_CORS_ORIGINS names theirs"


def check_origins(app: Flask, origins: frozenset[str]) -> None:
    """Refuse requests of foreign pages, unless their origin (`https://example.org`) is among these."""

    @app.before_request
    def check_origin() -> None:
        if request.method not in SAFE_METHODS and not is_allowed(origins):
            raise OriginNotAllowed


def is_allowed(origins: frozenset[str]) -> bool:
    """Return whether no page, a page of the service itself, or one of these origins sends this request."""
    origin = request.environ.get("HTTP_ORIGIN")
    if origin in origins:
        return True
    site = request.environ.get("HTTP_SEC_FETCH_SITE")
    if site is not None:
        return site in ("same-origin", "none")
    # A proxy that ends TLS makes http of https: the scheme says nothing.
    return (
        origin is None or origin.partition("://")[2].lower() == request.environ.get("HTTP_HOST", "").lower()
    )
