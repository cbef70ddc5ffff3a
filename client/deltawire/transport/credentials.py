"""How a client proves its identity: an API key, passed by itself or in the URL."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth

FORBIDDEN = ' "<>\\^`{|}'
"""Characters that a URL does not have unless they are percent-encoded (RFC 3986)."""


ADDRESS = "http://127.0.0.1:8000"
"""An address as messages show one."""


class Bearer(AuthBase):
    """Sends a key as a bearer token (RFC 6750)."""

    def __init__(self, key: str):
        self._key = key

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


def check_key(api_key: str | None) -> None:
    """Raise ValueError for a key that cannot be sent in a header."""
    sendable = isinstance(api_key, str) and api_key.isascii() and api_key.isprintable()
    if api_key is not None and not (sendable and api_key and " " not in api_key):
        raise ValueError("api_key: a key is made of ASCII letters, digits and punctuation")


def no_credentials(request: PreparedRequest) -> PreparedRequest:
    """Leave a request as it is. Without this, `requests` would send what ~/.netrc has for the host."""
    return request


def credentials(url: str, api_key: str | None) -> tuple[str, AuthBase | None]:
    """Split a URL into an address without user and password, so that no message shows a key, and the key.

    Args:
        url: Of a service: http or https, a host, and perhaps a port and a path.
        api_key: Sent as a bearer token; by default user and password of the URL are sent with HTTP Basic.

    Raises:
        ValueError: The URL is not the address of a service, or the key cannot be sent in a header.
    """
    check_key(api_key)
    address, user = _split(url)
    if api_key is not None:
        return address, Bearer(api_key)
    if user is None:
        return address, None
    name, _, password = user.partition(":")
    return address, HTTPBasicAuth(unquote(name).encode(), unquote(password).encode())


def _split(url: Any) -> tuple[str, str | None]:
    """Return the address and the `user:password` of a URL. Messages do not quote it: it may hold a key."""
    if url == "":
        raise ValueError(
            f"url: expected one with its scheme, as in {ADDRESS}, got an empty string: leave it out for a "
            "service in this process"
        )
    if not isinstance(url, str) or "://" not in url:
        raise ValueError(f"url: expected one with its scheme, as in {ADDRESS}")
    if not url.isprintable() or any(mark in url for mark in FORBIDDEN):
        raise ValueError("url: it has characters that no URL has; a path is percent-encoded")
    if "?" in url or "#" in url:
        raise ValueError("url: expected the address of a service, which has no ? and no #")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(
            f"url: expected a host, and a port from 1 to 65535, as in {ADDRESS}: {error}"
        ) from None
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"url: expected http:// or https://, got {parts.scheme}://: a service speaks HTTP")
    user, at, host = parts.netloc.rpartition("@")
    if not parts.hostname or port == 0 or host.endswith(":"):
        raise ValueError(f"url: expected a host, and perhaps a port, as in {ADDRESS}")
    return f"{parts.scheme}://{host}{parts.path.rstrip('/')}", user if at else None
