"""Bodies that would not be read are not received."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from werkzeug.exceptions import MethodNotAllowed, NotFound

from deltawire import wire
from deltawire.errors import Refused
from deltawire_service.admission.api_keys import Key
from deltawire_service.admission.authentication import Unauthorized
from deltawire_service.admission.compute_queue import ComputeQueue, Overloaded
from deltawire_service.admission.request_bodies import RequestBodies
from deltawire_service.app import create_app
from deltawire_service.http.hosts import HostInvalid, HostNames, HostNotAllowed
from deltawire_service.settings import Settings

SETTINGS = Settings(json_body_bytes=1000, binary_body_bytes=9000)


ROUTES = create_app(Settings(log_level="error")).url_map


def refusal(
    path: str, length: int, keys: Any = None, method: str = "POST", **headers: str
) -> Exception | None:
    queue = ComputeQueue(1, 1.0, 2**30, lambda: 0.0)
    named = {"HOST": "localhost", "CONTENT-TYPE": wire.JSON}
    named |= {name.replace("_", "-").upper(): value for name, value in headers.items()}
    bodies = RequestBodies(SETTINGS, ROUTES, HostNames(frozenset()), keys or {}, queue)
    return bodies.refusal(method, path, named, length)


@pytest.mark.parametrize(
    "path, media_type, length, is_received",
    [
        ("/v1/plan", wire.JSON, 1000, True),
        ("/v1/plan", wire.JSON, 1001, False),
        ("/v1/plan", "Application/JSON; charset=utf-8", 1001, False),
        ("/v1/plan", wire.SAFETENSORS, 9000, True),
        ("/v1/plan", wire.SAFETENSORS, 9001, False),
        ("/v2/models/m/infer", wire.JSON, 9000, True),
        ("/v2/models/m/infer", wire.JSON, 9001, False),
        ("/v1/plan", "text/plain", 9, False),
    ],
)
def test_by_their_length(path: str, media_type: str, length: int, is_received: bool) -> None:
    error = refusal(path, length, content_type=media_type)
    assert (error is None) == is_received
    if isinstance(error, Refused):
        assert error.faults[0].code == ("media_type_unsupported" if length == 9 else "body_too_large")


@pytest.mark.parametrize(
    "path, method, host, error",
    [
        ("/nowhere", "POST", "localhost", NotFound),
        ("/v1/%70lan", "POST", "127.0.0.1:80", None),
        ("/livez", "POST", "localhost", MethodNotAllowed),
        ("/v1/plan", "POST", "rebound.example", HostNotAllowed),
        ("/v1/plan", "POST", "a b", HostInvalid),
    ],
)
def test_by_their_route_and_host(path: str, method: str, host: str, error: type[Exception] | None) -> None:
    assert type(refusal(path, 9, method=method, host=host)) is (error or type(None))


def test_by_their_key() -> None:
    keys = {sha256(b"abc").digest(): Key("me", 0)}
    assert refusal("/v1/plan", 9, keys, authorization="Bearer abc") is None
    for headers in ({}, {"authorization": "Bearer abd"}, {"authorization": "Basic !"}):
        assert isinstance(refusal("/v1/plan", 9, keys, **headers), Unauthorized)


def test_by_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: ComputeQueue) -> None:
        raise Overloaded(3)

    monkeypatch.setattr(ComputeQueue, "check_capacity", full)
    error = refusal("/v1/plan", 9)
    assert isinstance(error, Overloaded) and error.retry_after == 3
