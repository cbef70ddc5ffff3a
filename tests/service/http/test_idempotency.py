"""The header Idempotency-Key, and the digest of a request."""

from __future__ import annotations

from typing import Any

import pytest

from deltawire.errors import Refused
from deltawire_service.http.idempotency import idempotency_key
from deltawire_service.http.request_context import RequestContext
from deltawire_service.http.uploads import request_digest

ENVIRON: dict[str, Any] = {
    "REQUEST_METHOD": "POST",
    "PATH_INFO": "/v1/models",
    "QUERY_STRING": "",
    "CONTENT_TYPE": "application/json",
}


def context(**environ: str) -> RequestContext:
    return RequestContext(ENVIRON | environ)


@pytest.mark.parametrize("key", ["a", "8e03978e-40d5-43dd-bc93-6894a57f9324", "a" * 255, "!~"])
def test_a_key_may_be_quoted(key: str) -> None:
    for header in (key, f'"{key}"', f"  {key} "):
        assert idempotency_key(context(HTTP_IDEMPOTENCY_KEY=header)) == key
    assert idempotency_key(context()) is None


@pytest.mark.parametrize(
    "header", ["", " ", '"', '""', '"a', 'a"', '"a"b"', "a b", "a" * 256, "\x00", "\xe9"]
)
def test_a_key_is_visible_ascii(header: str) -> None:
    with pytest.raises(Refused) as refused:
        idempotency_key(context(HTTP_IDEMPOTENCY_KEY=header))
    assert refused.value.code == "idempotency_key_invalid"


def test_everything_that_is_asked_for_is_in_the_digest() -> None:
    digests = {
        request_digest(context(), b"{}"),
        request_digest(context(), b"{ }"),
        *(request_digest(context(**{name: "other"}), b"{}") for name in ENVIRON),
        request_digest(context(PATH_INFO="/v1/models\n"), b"{}"),
    }
    assert len(digests) == 7
    assert request_digest(context(HTTP_ACCEPT="*/*"), memoryview(b"{}")) in digests
