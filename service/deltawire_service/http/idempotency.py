"""The header Idempotency-Key (IETF draft-ietf-httpapi-idempotency-key-header-07), and what it stands for."""

from __future__ import annotations

import re
from hashlib import sha256

from deltawire.errors import Fault, Refused
from deltawire_service.http.request_context import RequestContext

HEADER, VARIABLE = "Idempotency-Key", "HTTP_IDEMPOTENCY_KEY"

BARE = re.compile(r"[!#-~]{1,255}\Z", re.ASCII)
"""Visible characters but the quotation mark."""


def idempotency_key(context: RequestContext) -> str | None:
    """Return the key of a request, without its quotation marks; None where it has none.

    Raises:
        Refused: it is not well formed.
    """
    header = context.environ.get(VARIABLE)
    if header is None:
        return None
    key: str = header.strip()
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not BARE.match(key):
        expected = "1 to 255 visible characters, bare or in quotation marks, such as a UUID"
        raise Refused([Fault("", "idempotency_key_invalid", f"{HEADER} is {expected}")])
    return key


def request_digest(context: RequestContext, body: bytes | memoryview) -> bytes:
    """Return the SHA-256 of a request: its method, path, query, Content-Type and body.

    Args:
        context: the request.
        body: its body, as it came.
    """
    environ = context.environ
    names = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE")
    digest = sha256("\n".join(environ.get(name, "") for name in names).encode("utf-8", "surrogateescape"))
    digest.update(b"\n")
    digest.update(body)
    return digest.digest()
