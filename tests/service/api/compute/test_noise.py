"""`noise_seed` on every route that computes: the same bits for the same seed, the means without one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from deltawire import wire
from deltawire_service.app import create_app
from deltawire_service.settings import Settings

NETWORK: dict[str, Any] = {
    "inputs": {
        "x": {"shape": [2]},
        "y": {"shape": [2]},
        "keep": {"shape": [2], "noise": {"dropout": 0.5}},
        "epsilon": {"shape": [2], "noise": {"normal": 1}},
    },
    "nodes": [
        {"name": "z", "kind": "linear", "inputs": ["x"], "config": {"units": 2}},
        {"name": "kept", "kind": "multiply", "inputs": ["z", "keep"]},
        {"name": "noisy", "kind": "add", "inputs": ["kept", "epsilon"]},
        {"name": "curved", "kind": "tanh", "inputs": ["noisy"]},
        {"name": "loss", "kind": "squared_error", "inputs": ["curved", "y"]},
    ],
}
REQUEST: dict[str, Any] = {
    "network": NETWORK,
    "params": {"z.weight": [[0.5, -1.0], [0.25, 2.0]], "z.bias": [0.1, -0.2]},
    "data": {"x": [[1.0, 2.0], [3.0, -4.0], [0.5, 0.0]], "y": [[0.0, 0.1], [0.2, 0.3], [0.4, 0.5]]},
}
ONES = {"z.weight": [[1.0, 1.0], [1.0, 1.0]]}
ROUTES: dict[str, dict[str, Any]] = {
    "gradients": {"values": ["noisy"], "losses": True},
    "forward": {"values": ["noisy"]},
    "vjp": {"cotangents": {"noisy": [[1.0, 1.0]] * 3}, "values": ["noisy"]},
    "jvp": {"tangents": {"params": ONES}, "outputs": ["curved"]},
    "jacobian": {"outputs": ["curved"]},
    "hvp": {"vectors": {"params": ONES}, "diagonal": {"samples": 2}},
    "check": {},
}


@pytest.fixture(scope="module")
def client() -> Iterator[FlaskClient]:
    yield create_app(Settings(log_level="error")).test_client()


def post(client: FlaskClient, route: str, **options: Any) -> Any:
    answer = client.post(f"/v1/{route}", json=REQUEST | ROUTES[route] | options)
    assert answer.status_code == 200, answer.text
    return answer.json


@pytest.mark.parametrize("route", ROUTES)
def test_one_seed_gives_one_answer(client: FlaskClient, route: str) -> None:
    seeded = [json.dumps(post(client, route, noise_seed=seed)) for seed in (3, 3, 4, 2**64 - 1)]
    assert seeded[0] == seeded[1] and len(set(seeded)) == 3
    assert post(client, route) == post(client, route, noise_seed=None)
    assert json.dumps(post(client, route)) not in seeded


def test_without_a_seed_nothing_is_dropped(client: FlaskClient) -> None:
    values = post(client, "forward", values=["z", "noisy"])["values"]
    assert values["noisy"] == values["z"]


def test_the_noise_of_a_row_is_that_of_its_number(client: FlaskClient) -> None:
    data = {name: [rows[0]] * 3 for name, rows in REQUEST["data"].items()}
    rows = np.array(post(client, "forward", data=data, noise_seed=1)["values"]["noisy"])
    assert len({row.tobytes() for row in rows}) == 3
    fewer = {name: rows[:2] for name, rows in data.items()}
    again = np.array(post(client, "forward", data=fewer, noise_seed=1)["values"]["noisy"])
    np.testing.assert_allclose(again, rows[:2], rtol=1e-15)


def test_a_binary_body_has_the_seed_in_its_document(client: FlaskClient) -> None:
    document = REQUEST | ROUTES["gradients"] | {"noise_seed": 3}
    for part in ("params", "data"):
        document |= {part: {name: np.array(leaf) for name, leaf in document[part].items()}}
    body = b"".join(wire.encode_in_parts(document, wire.SAFETENSORS, part="request"))
    answer = client.post(
        "/v1/gradients", data=body, content_type=wire.SAFETENSORS, headers={"Accept": wire.JSON}
    )
    assert answer.json == post(client, "gradients", noise_seed=3)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, "1", True, [], {}])
@pytest.mark.parametrize("route", ["gradients", "forward"])
def test_what_is_no_seed_is_refused(client: FlaskClient, route: str, seed: Any) -> None:
    answer = client.post(f"/v1/{route}", json=REQUEST | ROUTES[route] | {"noise_seed": seed})
    (error,) = answer.json["errors"]
    assert (answer.status_code, error["pointer"], error["code"]) == (422, "/noise_seed", "field_invalid")


def test_noise_that_is_sent_is_refused(client: FlaskClient) -> None:
    data = REQUEST["data"] | {"keep": [[1.0, 1.0]] * 3}
    answer = client.post("/v1/gradients", json=REQUEST | {"data": data})
    (error,) = answer.json["errors"]
    assert (error["pointer"], error["code"]) == ("/data/keep", "unknown_data")
    assert "leave it out" in error["detail"]
