"""The header Idempotency-Key (IETF draft-ietf-httpapi-idempotency-key-header-07)."""

from __future__ import annotations

import re

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
