"""Bodies that would not be read are not received."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
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
from deltawire_service.http.uploads import OF_MODELS, takes_uploads
from deltawire_service.settings import Settings

SETTINGS = Settings(json_body_bytes=1000, binary_body_bytes=9000)


APP = create_app(Settings(log_level="error"))


@takes_uploads(OF_MODELS)
def take() -> str:
    return ""


APP.add_url_rule("/v1/models", view_func=take, methods=["POST"])


def request_bodies(keys: Any = None, settings: Settings = SETTINGS) -> RequestBodies:
    queue = ComputeQueue(1, 1.0, 2**30, lambda: 0.0)
    return RequestBodies(settings, APP.url_map, APP.view_functions, HostNames(frozenset()), keys or {}, queue)


def refusal(
    path: str,
    length: int,
    keys: Any = None,
    method: str = "POST",
    settings: Settings = SETTINGS,
    **headers: str,
) -> Exception | None:
    named = {"HOST": "localhost", "CONTENT-TYPE": wire.JSON}
    named |= {name.replace("_", "-").upper(): value for name, value in headers.items()}
    return request_bodies(keys, settings).refusal(method, path, named, length)


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


MIB = 2**20


@pytest.mark.parametrize(
    "path, media_type, length, is_received, is_file",
    [
        ("/v1/models", wire.SAFETENSORS, MIB - 1, True, False),
        ("/v1/models", wire.SAFETENSORS, MIB, True, True),
        ("/v1/models", wire.SAFETENSORS, 2**32, True, True),
        ("/v1/models", wire.SAFETENSORS, 2**32 + 1, False, True),
        ("/v1/models", wire.JSON, 16 * MIB, True, False),
        ("/v1/models", wire.JSON, 16 * MIB + 1, False, False),
        ("/v1/gradients", wire.SAFETENSORS, 64 * MIB, True, False),
        ("/v1/gradients", wire.SAFETENSORS, 64 * MIB + 1, False, False),
    ],
)
def test_marked_routes_take_large_binary_bodies_in_files(
    path: str, media_type: str, length: int, is_received: bool, is_file: bool, tmp_path: Path
) -> None:
    settings = Settings(data_dir=str(tmp_path))
    assert (refusal(path, length, settings=settings, content_type=media_type) is None) == is_received
    headers = {"CONTENT-TYPE": media_type}
    folder = request_bodies(settings=settings).upload_folder("POST", path, headers, length)
    assert folder == (tmp_path / "uploads" if is_file else None)


def test_without_a_folder_for_data_all_bodies_have_the_same_limits() -> None:
    for length, is_received in ((64 * MIB, True), (64 * MIB + 1, False)):
        error = refusal("/v1/models", length, settings=Settings(), content_type=wire.SAFETENSORS)
        assert (error is None) == is_received
    headers = {"CONTENT-TYPE": wire.SAFETENSORS}
    assert request_bodies().upload_folder("POST", "/v1/models", headers, 64 * MIB) is None
