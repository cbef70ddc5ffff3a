"""POST /v1/check: right layers pass, a wrong one is found at its place."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from flask.testing import FlaskClient
from support.layers import registry
from support.posting import good

from deltawire_layers import Activation, Layer
from deltawire_service.app import create_app
from deltawire_service.settings import Settings


class Forgetful(Layer):
    """y = 3 x, for x (...), its δ forgetting the factor."""

    def output_shape(self, x: tuple[int, ...]) -> tuple[int, ...]:
        return x

    def forward(self, params: Mapping[str, np.ndarray], x: np.ndarray) -> Activation:
        return Activation(3 * x, deltas=(lambda delta: delta,))


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Settings(log_level="error"), registry(forgetful=Forgetful)).test_client()


def test_right_layers_pass(client: FlaskClient) -> None:
    answer = client.post("/v1/check", json=good()).json
    assert answer["passed"]
    arrays = {array["name"]: array for array in answer["arrays"]}
    assert arrays.keys() == {"params/scores.weight", "params/scores.bias", "data/x"}
    assert arrays["params/scores.weight"]["numbers"] == 6 == arrays["params/scores.weight"]["checked"]
    worst = arrays["data/x"]["worst"][0]
    assert worst["relative_difference"] < 1e-12 and worst["relative_difference_to_differences"] < 1e-6


def test_a_wrong_layer_is_found(client: FlaskClient) -> None:
    network = {"inputs": {"x": {"shape": [2]}}, "nodes": [{"kind": "forgetful"}, {"kind": "sum"}]}
    answer = client.post("/v1/check", json={"network": network, "data": {"x": [[1, 2]]}}).json
    assert not answer["passed"]
    worst = answer["arrays"][0]["worst"][0]
    assert (worst["gradient"], worst["complex_step"]) == (1.0, 3.0)


def test_deltas_are_checked_too(client: FlaskClient) -> None:
    nodes = [{"name": "a", "kind": "tanh"}, {"name": "b", "kind": "forgetful"}, {"kind": "sum"}]
    network = {"inputs": {"x": {"shape": [2]}}, "nodes": nodes}
    asked = {"network": network, "data": {"x": [[1, 2]]}, "wrt": {"data": False}, "deltas": ["a", "b"]}
    answer = client.post("/v1/check", json=asked).json
    found = {array["name"]: array["passed"] for array in answer["arrays"]}
    assert found == {"deltas/a": False, "deltas/b": True}


def test_places_are_bounded(client: FlaskClient) -> None:
    answer = client.post("/v1/check", json=good() | {"samples": 2, "wrt": {"data": False}}).json
    assert [array["checked"] for array in answer["arrays"]] == [2, 2]
    refused = client.post("/v1/check", json=good() | {"samples": 1001})
    assert refused.status_code == 422 and refused.json["errors"][0]["pointer"] == "/samples"
