"""The key of a request: a bearer token, or with HTTP Basic the password, or the user without a password.

HTTP Basic is for clients that can put a key nowhere but in their URL.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from hashlib import sha256
from math import inf
from time import monotonic

from flask import Flask, request

from deltawire_service.admission.api_keys import Key
from deltawire_service.admission.rate_limits import RateLimited, Rates
from deltawire_service.faults import ServiceError
from deltawire_service.http.request_context import current_request

OPEN = frozenset({"/livez", "/readyz"})
"""Routes that need no key: health checks have none, and learn nothing from them."""

SIGNED = "/v1/blobs/"
"""The beginning of paths that need no key: their links are signed."""

CHALLENGES = ('Bearer realm="deltawire"', 'Basic realm="deltawire", charset="UTF-8"')


class Unauthorized(ServiceError):
    """The request has no key, or none that is known."""

    code = "unauthorized"
    detail = "the service does not know the API key of the request"
    headers = tuple(("WWW-Authenticate", scheme) for scheme in CHALLENGES)


def require_key(app: Flask, keys: Mapping[bytes, Key]) -> None:
    """Refuse requests without a known key, and those above the rate of their key."""
    rates = Rates(len(keys))

    @app.before_request
    def authenticate() -> None:
        if request.path in OPEN or request.path.startswith(SIGNED):
            return
        context = current_request()
        context.requires_key = True
        authorization = request.headers.get("Authorization", "")
        key = find_key(keys, authorization)
        if key is None:
            raise Unauthorized(missing_key(authorization))
        context.key = key
        if key.requests_per_second < inf and (wait := rates.take(key, monotonic())):
            raise RateLimited(int(wait) + 1)


def find_key(keys: Mapping[bytes, Key], authorization: str) -> Key | None:
    """Return the known key in a header `Authorization`, if any. An empty key is none."""
    known = (keys.get(sha256(secret).digest()) for secret in presented(authorization) if secret)
    return next((key for key in known if key), None)


def missing_key(authorization: str) -> str:
    """Return why a header `Authorization` has no key; empty if it has one. The header is not quoted."""
    ways = "send a key as `Authorization: Bearer KEY`, or with HTTP Basic"
    if not authorization:
        return f"the request has no API key: {ways}"
    if any(presented(authorization)):
        return ""
    return f"the header Authorization holds no API key: {ways}"


def presented(authorization: str) -> list[bytes]:
    """Return the secrets that a header `Authorization` may mean as a key, known or not."""
    scheme, _, rest = authorization.partition(" ")
    credentials = rest.strip(" ").encode("latin-1", "replace")  # the bytes sent: servers decode headers so
    if scheme.lower() == "bearer":
        return [credentials]
    if scheme.lower() != "basic":
        return []
    try:
        pair = base64.b64decode(credentials, validate=True)
    except binascii.Error:
        return []
    if b":" not in pair:
        return []
    # `user:KEY`, or `KEY:` alone, where the key itself may hold colons.
    return [pair.partition(b":")[2], pair.removesuffix(b":")]
