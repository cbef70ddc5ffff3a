"""Bodies over HTTP: which are read, and which are turned away before they cost anything."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from support.posting import good

from deltawire_service.app import create_app
from deltawire_service.settings import Settings


class Untouchable(BytesIO):
    """A body that must not be read."""

    def read(self, *arguments: Any) -> bytes:
        raise AssertionError("the body was read")

    readline = readinto = read


@pytest.mark.parametrize(
    "status, variable, value",
    [
        (413, "CONTENT_LENGTH", str(16 * 2**20 + 1)),
        (411, "HTTP_TRANSFER_ENCODING", "chunked"),
        (415, "CONTENT_TYPE", "application/x-www-form-urlencoded"),
        (415, "CONTENT_TYPE", "application/jsonp"),
        (415, "HTTP_CONTENT_ENCODING", "gzip"),
        (415, "HTTP_CONTENT_ENCODING", "br, zstd"),
        (406, "HTTP_ACCEPT", "application/xml"),
        (406, "HTTP_ACCEPT", "application/json;q=0"),
    ],
)
def test_a_body_is_turned_away_before_it_is_read(status: int, variable: str, value: str) -> None:
    client = create_app(Settings()).test_client()
    environ = {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": "2", variable: value}
    answer = client.post("/v1/gradients", input_stream=Untouchable(), environ_overrides=environ)
    assert answer.status_code == status, answer.text


def test_the_test_above_would_notice_a_body_that_is_read() -> None:
    client = create_app(Settings()).test_client()
    environ = {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": "2"}
    answer = client.post("/v1/gradients", input_stream=Untouchable(), environ_overrides=environ)
    assert answer.status_code == 500


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "application/json"},
        {"Accept": "*/*"},
        {"Accept": "text/html, application/*;q=0.1"},
        {"Content-Encoding": "identity"},
        {"Content-Type": "application/json; charset=utf-8"},
        {"Content-Type": "Application/JSON"},
    ],
)
def test_usual_headers_are_fine(headers: dict[str, str]) -> None:
    answer = create_app(Settings()).test_client().post("/v1/gradients", json=good(), headers=headers)
    assert answer.status_code == 200, answer.text


def test_the_limit_itself_is_read() -> None:
    body = b'{"data": {}}'
    for limit, status in ((len(body), 422), (len(body) - 1, 413)):
        client = create_app(Settings(json_body_bytes=limit)).test_client()
        answer = client.post("/v1/gradients", data=body, content_type="application/json")
        assert answer.status_code == status
    assert str(limit) in answer.json["detail"]


def test_answers_are_strict_json_written_as_asked() -> None:
    client = create_app(Settings()).test_client()
    lists = client.post("/v1/gradients", json=good())
    assert lists.mimetype == "application/json"
    encoded = client.post("/v1/gradients", json=good() | {"tensors": "base64"})
    assert len(lists.json["gradients"]["params"]["scores.weight"]) == 3
    weight = encoded.json["gradients"]["params"]["scores.weight"]
    assert (weight["dtype"], weight["shape"]) == ("float64", [3, 2])
