"""POST /v1/forward: values of chosen nodes."""

from __future__ import annotations

import numpy as np
import pytest
from flask.testing import FlaskClient
from support.posting import GONE, changed, good, pointwise

from deltawire_service.app import create_app
from deltawire_service.settings import Settings


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Settings(log_level="error")).test_client()


def test_values_are_those_of_the_gradients_request(client: FlaskClient) -> None:
    asked = good() | {"values": ["scores", "loss"]}
    values = client.post("/v1/forward", json=asked).json["values"]
    assert values == client.post("/v1/gradients", json=asked).json["values"]


def test_labels_are_not_needed_for_predictions(client: FlaskClient) -> None:
    answer = client.post("/v1/forward", json=changed(("/data/y", GONE)) | {"values": ["scores"]})
    assert answer.status_code == 200
    request = good()
    W, b = (np.array(request["params"][f"scores.{name}"]) for name in ("weight", "bias"))
    np.testing.assert_allclose(answer.json["values"]["scores"], np.array(request["data"]["x"]) @ W.T + b)


def test_a_network_without_a_loss_has_values(client: FlaskClient) -> None:
    network = {"inputs": {"x": {"shape": [2]}}, "nodes": [{"kind": "tanh"}]}
    answer = client.post(
        "/v1/forward", json={"network": network, "data": {"x": [[0, 0]]}, "values": ["tanh1"]}
    )
    assert answer.json["values"] == {"tanh1": [[0.0, 0.0]]}


@pytest.mark.parametrize(
    "request_body, code, pointer",
    [
        (good() | {"values": []}, "field_invalid", "/values"),
        (good() | {"values": ["score"]}, "unknown_name", "/values/0"),
        (good() | {"values": ["scores"], "wrt": {}}, "field_unknown", "/wrt"),
        (changed(("/data/y", GONE)) | {"values": ["loss"]}, "missing_data", "/data/y"),
        (changed(("/data/x", GONE)) | {"values": ["scores"]}, "missing_data", "/data/x"),
        (changed(("/data/y/0", 3)) | {"values": ["scores"]}, "label_out_of_range", "/data/y/0"),
        (
            {k: v for k, v in pointwise("exp", 1e4).items() if k != "wrt"} | {"values": ["f"]},
            "non_finite",
            "/network/nodes/0",
        ),
    ],
)
def test_wrong_requests(
    client: FlaskClient, request_body: dict[str, object], code: str, pointer: str
) -> None:
    answer = client.post("/v1/forward", json=request_body)
    assert (answer.status_code, answer.json["code"], answer.json["errors"][0]["pointer"]) == (
        422,
        code,
        pointer,
    )


def test_what_is_not_finite_comes_back_on_request(client: FlaskClient) -> None:
    request = {k: v for k, v in pointwise("exp", 1e4).items() if k != "wrt"}
    answer = client.post("/v1/forward", json=request | {"values": ["f"], "non_finite": "return"})
    assert answer.json["values"] == {"f": ["Infinity"]}


def test_without_values_the_outputs_come_as_far_as_the_data_lead(client: FlaskClient) -> None:
    whole = client.post("/v1/forward", json=good()).json["values"]
    scores = client.post("/v1/forward", json=changed(("/data/y", GONE)) | {"values": None}).json["values"]
    assert (set(whole), set(scores)) == ({"loss"}, {"scores"})
    refused = client.post("/v1/forward", json=good() | {"values": []})
    assert refused.status_code == 422 and "name at least one node" in refused.json["detail"]
