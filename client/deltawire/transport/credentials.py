"""How a client proves its identity: an API key, passed by itself or in the URL."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit, urlunsplit

from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth


class Bearer(AuthBase):
    """Sends a key as a bearer token (RFC 6750)."""

    def __init__(self, key: str):
        self._key = key

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


def check_key(api_key: str | None) -> None:
    """Raise ValueError for a key that cannot be sent in a header."""
    if api_key is not None and not (
        api_key and api_key.isascii() and api_key.isprintable() and " " not in api_key
    ):
        raise ValueError("api_key: a key is made of ASCII letters, digits and punctuation")


def credentials(url: str, api_key: str | None) -> tuple[str, AuthBase | None]:
    """Split a URL into an address without user and password, so that no message shows a key, and the key.

    Raises:
        ValueError: The URL has no scheme, or the key cannot be sent in a header.
    """
    if not isinstance(url, str) or "://" not in url:
        raise ValueError("url: expected one with its scheme, as in http://127.0.0.1:8000")
    check_key(api_key)
    url = url.rstrip("/")
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    url = urlunsplit(parts._replace(netloc=host)) if at else url
    if api_key is not None:
        return url, Bearer(api_key)
    if not at:
        return url, None
    name, _, password = user.partition(":")
    return url, HTTPBasicAuth(unquote(name).encode(), unquote(password).encode())
