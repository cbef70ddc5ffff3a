"""POST /v1/gradients: the numbers, and every option."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from support.derivatives import large, refused, same_in_both_media_types
from support.posting import changed, good

from deltawire import wire
from deltawire_service.app import create_app
from deltawire_service.settings import Settings


@pytest.fixture(scope="module")
def client() -> Iterator[FlaskClient]:
    yield create_app(Settings(log_level="error")).test_client()


def post(client: FlaskClient, **options: Any) -> dict[str, Any]:
    answer = client.post("/v1/gradients", json=good() | options)
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def by_hand(scale: float = 1 / 3) -> dict[str, np.ndarray]:
    """Softmax regression, written out."""
    request = good()
    W, b = (np.array(request["params"][f"scores.{name}"]) for name in ("weight", "bias"))
    x, y = (np.array(request["data"][name]) for name in ("x", "y"))
    scores = x @ W.T + b
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    delta = (p - np.eye(3)[y]) * scale
    losses = -np.log(p[np.arange(3), y])
    gradients = {"W": delta.T @ x, "b": delta.sum(axis=0), "x": delta @ W}
    return {"losses": losses, "scores": scores, "delta": delta} | gradients


def test_what_comes_back_without_asking(client: FlaskClient) -> None:
    answer, expected = post(client), by_hand()
    assert answer.keys() == {"loss", "gradients", "network_id"}
    assert answer["gradients"].keys() == {"params", "data"}
    assert answer["gradients"]["data"] == {}
    np.testing.assert_allclose(answer["loss"], expected["losses"].mean())
    np.testing.assert_allclose(answer["gradients"]["params"]["scores.weight"], expected["W"])
    np.testing.assert_allclose(answer["gradients"]["params"]["scores.bias"], expected["b"])
    assert len(answer["network_id"]) == 64


def test_everything_that_can_be_asked_for(client: FlaskClient) -> None:
    expected = by_hand(scale=1.0)
    wrt = {"params": ["*.bias"], "data": ["x"]}
    nodes = {"values": ["scores", "loss"], "deltas": ["scores"]}
    answer = post(client, wrt=wrt, reduction="sum", losses=True, **nodes)
    np.testing.assert_allclose(answer["loss"], expected["losses"].sum())
    assert answer["gradients"]["params"].keys() == {"scores.bias"}
    np.testing.assert_allclose(answer["gradients"]["data"]["x"], expected["x"])
    np.testing.assert_allclose(answer["losses"], expected["losses"])
    np.testing.assert_allclose(answer["values"]["scores"], expected["scores"])
    np.testing.assert_allclose(answer["values"]["loss"], expected["losses"])
    np.testing.assert_allclose(answer["deltas"]["scores"], expected["delta"])


def test_nothing_can_be_asked_for_too(client: FlaskClient) -> None:
    answer = post(client, wrt={"params": False})
    assert answer["gradients"] == {"params": {}, "data": {}}


def test_float32_is_computed_in_float32(client: FlaskClient) -> None:
    wide = post(client)["gradients"]["params"]["scores.weight"]
    narrow = post(client, dtype="float32")["gradients"]["params"]["scores.weight"]
    np.testing.assert_allclose(narrow, wide, rtol=1e-5)
    assert narrow != wide
    assert np.array_equal(np.float32(narrow).astype(float), np.array(np.float32(narrow), float))
    encoded = post(client, dtype="float32", tensors="base64")["gradients"]["params"]["scores.weight"]
    assert encoded["dtype"] == "float32"
    decoded = np.frombuffer(base64.b64decode(encoded["base64"]), "<f4").reshape(encoded["shape"])
    np.testing.assert_array_equal(decoded, np.float32(narrow))


def test_lists_and_base64_are_read_as_the_same_numbers(client: FlaskClient) -> None:
    def encoded(numbers: Any, dtype: str) -> dict[str, Any]:
        array = np.array(numbers, dtype)
        return {"dtype": dtype, "shape": array.shape, "base64": base64.b64encode(array.tobytes()).decode()}

    request = good()
    params = {name: encoded(numbers, "float64") for name, numbers in request["params"].items()}
    data = {"x": encoded(request["data"]["x"], "float64"), "y": encoded(request["data"]["y"], "int64")}
    assert post(client, params=params, data=data) == post(client)


def test_the_same_network_has_the_same_id_however_it_is_written(client: FlaskClient) -> None:
    longhand = changed(
        ("/network/version", 1),
        ("/network/loss", "loss"),
        ("/network/nodes/0/config/bias", True),
        ("/network/inputs/x/shared", False),
    )
    assert post(client, network=longhand["network"])["network_id"] == post(client)["network_id"]
    other = changed(("/network/nodes/0/name", "other"))
    params = {f"other.{name}": good()["params"][f"scores.{name}"] for name in ("weight", "bias")}
    other["network"]["nodes"][1]["inputs"][0] = "other"
    assert post(client, network=other["network"], params=params)["network_id"] != post(client)["network_id"]


def test_a_trace_tells_both_passes_in_order(client: FlaskClient) -> None:
    answer = client.post("/v1/gradients", json=good() | {"trace": True, "reduction": "sum"})
    trace = answer.json["trace"]
    assert [step["node"] for step in trace["forward"]] == ["scores", "loss"]
    loss, scores = trace["backward"]
    assert (loss["node"], loss["delta"]["numbers"]) == ("loss", [1, 1, 1])
    (sent,) = loss["sends"]
    assert (sent["input"], sent["to"]) == (0, "scores") and "local" not in sent
    assert sent["delta"] == scores["delta"] and sent["delta"]["shape"] == [3, 3]
    shown = {name: share["numbers"] for name, share in scores["gradients"].items()}
    assert shown == answer.json["gradients"]["params"]
    assert "trace" not in client.post("/v1/gradients", json=good()).json


def test_a_trace_is_answered_in_json_only(client: FlaskClient) -> None:
    headers = {"Accept": "application/vnd.safetensors"}
    answer = client.post("/v1/gradients", json=good() | {"trace": True}, headers=headers)
    assert answer.status_code == 422
    (fault,) = answer.json["errors"]
    assert (fault["pointer"], fault["code"]) == ("/trace", "field_invalid")
    assert "Accept: application/json" in fault["detail"]


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/v1/gradients", "cotangents/h"),
        ("/v1/vjp", "tangents/params/x"),
        ("/v1/plan", "params/scores.bias"),
        ("/v1/init", "data/x"),
    ],
)
def test_a_tensor_at_a_place_the_route_does_not_have_is_an_unknown_field(path: str, place: str) -> None:
    document: dict[str, Any] = {"network": good()["network"]}
    *keys, last = place.split("/")
    inner = document
    for key in keys:
        inner = inner.setdefault(key, {})
    inner[last] = np.zeros(3)
    body = wire.encode(document, wire.SAFETENSORS)
    answer = create_app().test_client().post(path, data=body, content_type=wire.SAFETENSORS)
    assert answer.status_code == 422
    assert {"pointer": f"/{keys[0]}", "code": "field_unknown"}.items() <= answer.json["errors"][0].items()


def test_gradients_of_each_example_add_up_to_the_gradient(client: FlaskClient) -> None:
    each = post(client, per_example=True, wrt={"data": True})["gradients"]
    total = post(client, reduction="sum", wrt={"data": True})["gradients"]
    for name, gradient in total["params"].items():
        np.testing.assert_allclose(np.sum(each["params"][name], axis=0), gradient, rtol=1e-12)
    assert each["data"] == total["data"]
    assert same_in_both_media_types(client, "/v1/gradients", per_example=True, wrt={"data": True})


def test_gradients_of_each_example_have_no_trace(client: FlaskClient) -> None:
    request = good() | {"per_example": True, "trace": True}
    assert refused(client, "/v1/gradients", request) == ("field_invalid", "/trace")


def test_gradients_of_each_example_that_are_too_large_are_refused(client: FlaskClient) -> None:
    request = large(1000, 100, 1000) | {"per_example": True}
    assert refused(client, "/v1/gradients", request) == ("memory_plan_exceeded", "/network")
