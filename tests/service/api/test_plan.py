"""POST /v1/plan: what a network needs, without a number computed."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from support.posting import changed, good

from deltawire_service.app import create_app
from deltawire_service.settings import Settings


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
    assert answer["loss"] == {"loss": 1.0}
    assert answer["given_bytes"] == 8 * (9 + 1000 * 3)
    assert answer["peak_bytes"] == answer["given_bytes"] + answer["answered_bytes"] + answer["work_bytes"]
    assert answer["fits"] and answer["limit_bytes"] == Settings().planned_bytes
    assert answer["passes"] == 3  # values, the delta of the scores, gradients of the parameters


def test_float32_takes_half(client: FlaskClient) -> None:
    plans = [
        client.post("/v1/plan", json={"network": good()["network"], "dtype": f"float{bits}"}).json
        for bits in (32, 64)
    ]
    assert 2 * plans[0]["peak_bytes"] == plans[1]["peak_bytes"]


def test_a_plan_over_the_limit_is_an_answer(client: FlaskClient) -> None:
    answer = client.post("/v1/plan", json={"network": good()["network"], "batch": 2**30})
    assert answer.status_code == 200 and not answer.json["fits"]


@pytest.mark.parametrize(
    "request_body, code, pointer",
    [
        ({"network": good()["network"], "batch": 0}, "field_invalid", "/batch"),
        ({"network": good()["network"], "batch": 1.5}, "field_invalid", "/batch"),
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
