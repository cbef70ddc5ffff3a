"""Routes with a layer of `orders` 1: the first derivative is answered, more is refused by name, never 500."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from support.layers import registry
from support.simulated import Simulated

from deltawire_service.app import create_app
from deltawire_service.settings import Settings

NETWORK = {
    "inputs": {"x": {"shape": [2]}},
    "nodes": [{"name": "sim", "kind": "simulated"}, {"name": "loss", "kind": "sum"}],
}
POINT: dict[str, Any] = {"network": NETWORK, "params": {"sim.w": 1.5}, "data": {"x": [[1.0, -0.5]]}}
ALONG = {"data": {"x": [[1.0, 0.0]]}}


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Settings(log_level="error"), registry(simulated=Simulated)).test_client()


def test_the_catalogue_tells_the_orders(client: FlaskClient) -> None:
    assert client.get("/v1/layers/simulated").json["orders"] == 1
    assert client.get("/v1/layers/tanh").json["orders"] == 2


@pytest.mark.parametrize(
    ("route", "options"),
    [
        ("gradients", {"wrt": {"data": True}}),
        ("gradients", {"per_example": True}),
        ("gradients", {"trace": True}),
        ("forward", {"values": ["sim"]}),
        ("vjp", {"cotangents": {"sim": [[1.0, 0.0]]}}),
        ("jacobian", {"outputs": ["sim"]}),
        ("check", {}),
    ],
)
def test_first_derivatives_are_answered(client: FlaskClient, route: str, options: dict[str, Any]) -> None:
    answer = client.post(f"/v1/{route}", json=POINT | options)
    assert answer.status_code == 200, answer.text
    if route == "check":
        assert answer.json["passed"]
        assert {array["worst"][0]["complex_step"] for array in answer.json["arrays"]} == {None}


@pytest.mark.parametrize(
    ("route", "options", "pointer"),
    [
        ("jvp", {"tangents": ALONG, "outputs": ["sim"]}, "/network/nodes/0"),
        ("hvp", {"vectors": ALONG}, "/network/nodes/0"),
        ("hvp", {"vectors": {"params": {"sim.w": 1.0}}}, "/network/nodes/0"),
        ("hvp", {"vectors": ALONG, "cotangents": {"sim": [[1.0, 0.0]]}}, "/network/nodes/0"),
        ("hvp", {"diagonal": {"samples": 2}}, "/network/nodes/0"),
        ("jacobian", {"outputs": ["sim"], "mode": "forward"}, "/mode"),
    ],
)
def test_more_is_refused_by_name(
    client: FlaskClient, route: str, options: dict[str, Any], pointer: str
) -> None:
    answer = client.post(f"/v1/{route}", json=POINT | options)
    (fault,) = answer.get_json(force=True)["errors"]
    assert (answer.status_code, fault["code"], fault["pointer"]) == (422, "first_order_only", pointer)
    assert fault["detail"].startswith("node 'sim' (simulated) has first derivatives only: ")
