"""Bodies over HTTP: which are read, and which are turned away before they cost anything."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import orjson
import pytest
from flask import Blueprint
from support.posting import good

from deltawire import wire
from deltawire_service.app import create_app
from deltawire_service.http import bodies
from deltawire_service.http.request_context import RequestContext, current_request, with_context
from deltawire_service.server.bodies.received_body import ReceivedBody
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


def binary(request: dict[str, Any]) -> bytes:
    for place in ("params", "data"):
        request[place] = {name: np.array(tensor) for name, tensor in request[place].items()}
    return wire.encode(request, wire.SAFETENSORS)


@pytest.mark.parametrize("accept", [None, "*/*", wire.JSON, wire.SAFETENSORS])
@pytest.mark.parametrize("sent", wire.MEDIA_TYPES)
def test_media_types_of_request_and_answer_are_independent(sent: str, accept: str | None) -> None:
    client = create_app(Settings(log_level="error")).test_client()
    body = wire.encode(good(), sent) if sent == wire.JSON else binary(good())
    headers = {"Accept": accept} if accept else {}
    answer = client.post("/v1/gradients", data=body, content_type=sent, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == (accept if accept in wire.MEDIA_TYPES else sent)
    grads = wire.decode(answer.data, answer.mimetype, part="response")["gradients"]["params"]
    expected = client.post("/v1/gradients", json=good()).json["gradients"]["params"]
    assert {name: np.array(grad).tolist() for name, grad in grads.items()} == expected


def test_what_is_offered_is_listed() -> None:
    client = create_app(Settings(log_level="error")).test_client()
    answer = client.post("/v1/gradients", json=good(), headers={"Accept": "text/html"})
    assert all(media_type in answer.json["detail"] for media_type in wire.MEDIA_TYPES)
    answer = client.post("/v1/gradients", data=b"{}", content_type="text/html")
    assert all(media_type in answer.json["detail"] for media_type in wire.MEDIA_TYPES)
    answer = client.get("/v1/limits", headers={"Accept": wire.SAFETENSORS})
    assert (answer.status_code, answer.json["detail"]) == (406, f"answers are {wire.JSON}")


def test_binary_bodies_have_limits_of_their_own() -> None:
    body = binary(good())
    for settings, status in (
        (Settings(json_body_bytes=1), 200),
        (Settings(binary_body_bytes=len(body) - 1), 413),
        (Settings(tensor_header_bytes=50), 413),
    ):
        client = create_app(settings).test_client()
        assert client.post("/v1/gradients", data=body, content_type=wire.SAFETENSORS).status_code == status


@pytest.mark.parametrize("accept", wire.MEDIA_TYPES)
@pytest.mark.parametrize("tensors", wire.TENSORS)
def test_a_large_answer_goes_to_the_server_in_pieces(accept: str, tensors: str) -> None:
    network = {"inputs": {"x": {"shape": [1300]}}, "nodes": [{"kind": "linear", "config": {"units": 1300}}]}
    body = orjson.dumps({"network": network, "tensors": tensors})
    client = create_app(Settings(log_level="error")).test_client()
    answer = client.post(
        "/v1/init", data=body, content_type=wire.JSON, headers={"Accept": accept}, buffered=False
    )
    pieces = list(answer.response)
    assert len(pieces) > 3 and max(map(len, pieces)) <= bodies.PIECE_BYTES
    assert int(answer.headers["Content-Length"]) == sum(map(len, pieces))
    weight = wire.decode(b"".join(pieces), accept, part="response")["params"]["linear1.weight"]
    assert wire.read_tensor(weight, "float64").shape == (1300, 1300)


def test_views_are_copied_in_pieces_of_a_bounded_size() -> None:
    numbers = np.arange(bodies.PIECE_BYTES / 4)
    pieces = list(bodies.pieces_of([b"head", numbers.data.cast("B")]))
    assert b"".join(pieces) == b"head" + numbers.tobytes()
    assert {type(piece) for piece in pieces} == {bytes} and max(map(len, pieces)) == bodies.PIECE_BYTES


def test_small_views_go_together() -> None:
    """The parameters of a network are many small arrays: to send each by itself would take longer."""
    arrays = [np.full(1 + number, number % 256, np.uint8) for number in range(100)]
    large = np.ones(2 * bodies.PIECE_BYTES, np.uint8)
    views = [array.data for array in (*arrays, large, *arrays)]
    pieces = list(bodies.pieces_of([b"head", *views, b"tail"]))
    assert b"".join(pieces) == b"head" + b"".join(views) + b"tail"
    assert len(pieces) == 6 and max(map(len, pieces)) == bodies.PIECE_BYTES


LONGEST = {"float32": np.float32("-0.0000103939665"), "float64": np.float64("-2.2250738585072014e-308")}


@pytest.mark.parametrize("dtype", list(LONGEST))
@pytest.mark.parametrize("rank", [1, 2, 8])
def test_no_answer_is_longer_than_planned(dtype: str, rank: int) -> None:
    array = np.full((300, *(rank - 1) * [1]), LONGEST[dtype])
    for answered, tensors in ((wire.JSON, "lists"), (wire.JSON, "base64"), (wire.SAFETENSORS, "lists")):
        cost = bodies.body_cost(dtype, wire.JSON, answered, tensors)
        text = wire.encode({"values": {"x": array}}, answered, tensors, "response")
        assert len(text) - 200 <= cost.written_bytes([array.shape]) <= 1.3 * len(text)


@pytest.mark.parametrize(
    "headers, expected",
    [
        ({"CONTENT_TYPE": wire.JSON}, 900),
        ({}, 900),
        ({"CONTENT_TYPE": wire.SAFETENSORS}, 0),
        ({"CONTENT_TYPE": wire.JSON, "HTTP_INFERENCE_HEADER_CONTENT_LENGTH": "0"}, 900),
        ({"CONTENT_TYPE": wire.JSON, "HTTP_CONTENT_ENCODING": "identity"}, 900),
    ],
)
def test_no_header_hides_the_bytes_of_json(headers: dict[str, str], expected: int) -> None:
    assert bodies.json_bytes(RequestContext({"CONTENT_LENGTH": "900", **headers})) == expected


@pytest.mark.parametrize("announced, expected", [(2000, 900), (500, 500)])
def test_the_header_of_a_binary_body_is_json(announced: int, expected: int) -> None:
    received = ReceivedBody(announced.to_bytes(8, "little") + bytes(892))
    environ = {"CONTENT_LENGTH": "900", "CONTENT_TYPE": wire.SAFETENSORS, "wsgi.input": received}
    assert bodies.json_bytes(RequestContext(environ)) == expected
    assert len(received.whole()) == 900  # nothing of it is read
    short = environ | {"wsgi.input": ReceivedBody(b"1234567")}
    assert bodies.json_bytes(RequestContext(short)) == 0


def test_a_view_says_what_its_answer_may_be() -> None:
    app = create_app(Settings(log_level="error"))
    v1 = Blueprint("numbers", __name__, url_prefix="/v1")
    v1.before_request(with_context(bodies.negotiate))

    @v1.get("/numbers")
    @bodies.answers_in(wire.SAFETENSORS, wire.JSON)
    def numbers() -> str:
        return current_request().response_media_type

    app.register_blueprint(v1)
    client = app.test_client()
    for accept, status, media_type in (
        (None, 200, wire.SAFETENSORS),
        (wire.SAFETENSORS, 200, wire.SAFETENSORS),
        (wire.JSON, 200, wire.JSON),
        ("text/csv", 406, None),
    ):
        answer = client.get("/v1/numbers", headers={"Accept": accept} if accept else {})
        assert (answer.status_code, media_type) == (status, answer.text if status == 200 else None)


def test_a_header_of_another_protocol_is_not_looked_at() -> None:
    client = create_app(Settings(log_level="error")).test_client()
    for length in ("0", "9" * 5000):
        headers = {"Inference-Header-Content-Length": length}
        assert client.post("/v1/gradients", json=good(), headers=headers).status_code == 200
