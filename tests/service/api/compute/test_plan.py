"""POST /v1/plan: what a network needs, without a number computed."""

from __future__ import annotations

import numpy as np
import pytest
from flask.testing import FlaskClient
from support.posting import changed, good

from deltawire import wire
from deltawire_service.app import create_app
from deltawire_service.settings import Settings

BINARY = {"media_type": wire.SAFETENSORS}


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Settings(log_level="error")).test_client()


def test_shapes_parameters_and_memory(client: FlaskClient) -> None:
    answer = client.post("/v1/plan", json={"network": good()["network"], "batch": 1000}).json
    assert answer["nodes"] == [
        {"name": "scores", "kind": "linear", "inputs": ["x"], "shape": [3]},
        {"name": "loss", "kind": "softmax_nll", "inputs": ["scores", "y"], "shape": []},
    ]
    assert answer["parameters"] == [
        {"name": "scores.weight", "shape": [3, 2], "numbers": 6},
        {"name": "scores.bias", "shape": [3], "numbers": 3},
    ]
    assert answer["ranges"] == {"y": [0, 2]}
    assert answer["loss"] == {"loss": 1.0}
    assert answer["given_bytes"] == 8 * (9 + 1000 * 3)
    assert answer["peak_bytes"] == answer["given_bytes"] + max(
        answer["read_bytes"], answer["answered_bytes"] + max(answer["work_bytes"], answer["written_bytes"])
    )
    assert answer["fits"] and answer["limit_bytes"] == Settings().planned_bytes
    assert 0 < answer["operations"] < answer["limit_operations"] == Settings().planned_operations
    assert answer["passes"] == 3  # values, the delta of the scores, gradients of the parameters


def test_float32_takes_half(client: FlaskClient) -> None:
    plans = [
        client.post("/v1/plan", json={"network": good()["network"], "dtype": f"float{bits}"} | BINARY).json
        for bits in (32, 64)
    ]
    assert 2 * plans[0]["peak_bytes"] == plans[1]["peak_bytes"]


def test_lists_of_numbers_take_more_than_their_arrays(client: FlaskClient) -> None:
    asked = {"network": good()["network"], "batch": 1000, "values": ["scores"]}
    lists, binary = (client.post("/v1/plan", json=asked | media_type).json for media_type in ({}, BINARY))
    assert binary["read_bytes"] == binary["given_bytes"] == lists["given_bytes"]
    assert lists["read_bytes"] >= 3009 * (24 + 8 + 25) + 1000 * 88  # floats in lists, and their text
    assert lists["written_bytes"] >= 3 * binary["written_bytes"]


def test_a_plan_that_fits_only_in_binary_is_refused_in_lists() -> None:
    asked = {"network": good()["network"], "batch": 1000}
    service = create_app(Settings(log_level="error")).test_client()
    needs = service.post("/v1/plan", json=asked | BINARY).json["peak_bytes"]
    service = create_app(Settings(log_level="error", planned_bytes=needs)).test_client()
    assert service.post("/v1/plan", json=asked | BINARY).json["fits"]
    assert not service.post("/v1/plan", json=asked).json["fits"]
    data = {"x": np.ones((1000, 2)), "y": np.zeros(1000, np.int64)}
    document = {"network": asked["network"], "params": good()["params"], "data": data}
    tensors = {name: np.array(leaf, np.float64) for name, leaf in good()["params"].items()}
    for media_type, params, status in (
        (wire.JSON, good()["params"], 422), (wire.SAFETENSORS, tensors, 200),
    ):  # fmt: skip
        body = wire.encode(document | {"params": params}, media_type)
        answer = service.post("/v1/gradients", data=body, content_type=media_type)
        assert answer.status_code == status
    assert answer.mimetype == wire.SAFETENSORS


def test_a_plan_of_too_many_operations_does_not_fit() -> None:
    service = create_app(Settings(planned_operations=100)).test_client()
    answer = service.post("/v1/plan", json={"network": good()["network"]})
    assert answer.status_code == 200 and not answer.json["fits"]
    assert answer.json["operations"] > answer.json["limit_operations"] == 100


def test_a_plan_over_the_limit_is_an_answer(client: FlaskClient) -> None:
    answer = client.post("/v1/plan", json={"network": good()["network"], "batch": 2**30})
    assert answer.status_code == 200 and not answer.json["fits"]


@pytest.mark.parametrize(
    "request_body, code, pointer",
    [
        ({"network": good()["network"], "batch": 0}, "field_invalid", "/batch"),
        ({"network": good()["network"], "batch": 1.5}, "field_invalid", "/batch"),
        ({"network": good()["network"], "media_type": "text/html"}, "field_invalid", "/media_type"),
        ({"network": good()["network"], "wrt": {"data": ["y"]}}, "not_differentiable", "/wrt/data/0"),
        (
            {"network": changed(("/network/nodes/0/config/units", 10**9))["network"]},
            "memory_plan_exceeded",
            "/network",
        ),
    ],
)
def test_wrong_requests(
    client: FlaskClient, request_body: dict[str, object], code: str, pointer: str
) -> None:
    answer = client.post("/v1/plan", json=request_body)
    assert (answer.status_code, answer.json["code"], answer.json["errors"][0]["pointer"]) == (
        422,
        code,
        pointer,
    )
