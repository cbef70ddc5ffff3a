"""Reused forward passes over HTTP: said in `Server-Timing`, and never of numbers that may have changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from support.publishing import publish

from deltawire import Client, wire
from deltawire.derivatives import vjp
from deltawire_service.app import create_app
from deltawire_service.engine.execute import kept_passes
from deltawire_service.settings import Settings

NETWORK: dict[str, Any] = {
    "inputs": {"x": {"shape": [3]}},
    "nodes": [
        {"name": "hidden", "kind": "linear", "config": {"units": 4}, "inputs": ["x"]},
        {"name": "y", "kind": "tanh"},
        {"name": "loss", "kind": "sum"},
    ],
    "loss": "loss",
}
PARAMS = {"hidden.weight": np.arange(12.0).reshape(4, 3) / 9, "hidden.bias": np.array([0.1, -0.2, 0.3, 0.0])}
X = np.array([[0.5, -1.0, 2.0], [1.0, 0.0, -0.5]])
ONES = np.ones((2, 4))


@pytest.fixture(autouse=True)
def small_passes_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_passes, "LEAST_OPERATIONS", 0)


def service(**settings: Any) -> FlaskClient:
    return create_app(Settings(log_level="error", **settings)).test_client()


def post(client: FlaskClient, path: str, media_type: str = wire.JSON, key: str = "", **body: Any) -> Any:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    answer = client.post(path, data=wire.encode(body, media_type), content_type=media_type, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


def reused(answer: Any) -> bool:
    return "reused;dur=" in answer.headers["Server-Timing"]


def product(client: FlaskClient, x: Any = X, media_type: str = wire.JSON, key: str = "", **body: Any) -> Any:
    body = {"network": NETWORK, "params": PARAMS, "data": {"x": x}, "cotangents": {"y": ONES}} | body
    return post(client, "/v1/vjp", media_type, key, **body, wrt={"data": True})


@pytest.mark.parametrize("media_type", [wire.JSON, wire.SAFETENSORS])
def test_a_product_after_its_value(media_type: str) -> None:
    client, plain = service(), service(kept_pass_bytes=0)
    body = {"network": NETWORK, "params": PARAMS, "values": ["y"]}
    assert not reused(product(client, media_type=media_type))
    for x in (X + 1, X + 2):
        assert not reused(post(client, "/v1/forward", media_type, **body, data={"x": x}))
        answer = product(client, x, media_type)
        assert reused(answer)
        assert answer.data == product(plain, x, media_type).data


def test_0_keeps_none() -> None:
    client = service(kept_pass_bytes=0)
    assert not reused(product(client)) and not reused(product(client))


def test_another_key_never_finds_it(tmp_path: Path) -> None:
    from hashlib import sha256

    keys = "\n".join(f"{sha256(key.encode()).hexdigest()} {key}" for key in ("ann", "bob"))
    client = service(api_keys=keys)
    assert not reused(product(client, key="ann"))
    assert not reused(product(client, key="bob"))
    assert reused(product(client, key="ann"))


def test_a_published_network_by_name(tmp_path: Path) -> None:
    publish(tmp_path, "small", network=NETWORK, params=PARAMS, values=["y"])
    client = service(networks_dir=str(tmp_path))
    body = {"network": {"name": "small"}, "data": {"x": X}, "cotangents": {"y": ONES}}
    answers = [post(client, "/v1/vjp", **body) for _ in range(2)]
    assert [reused(answer) for answer in answers] == [False, True]


def test_a_model_learns_between_a_value_and_its_product(tmp_path: Path) -> None:
    client = service(data_dir=str(tmp_path), trainer=False)
    optimizer = {"kind": "sgd", "config": {"learning_rate": 0.1}}
    created = client.post("/v1/models", json={"name": "m", "network": NETWORK, "optimizer": optimizer})
    assert created.status_code == 201, created.text
    body = {"data": {"x": X}, "cotangents": {"y": ONES}, "wrt": {"data": True}}
    answers = [post(client, "/v1/models/m/vjp", **body) for _ in range(2)]
    post(client, "/v1/models/m/steps", data={"x": X})
    answers.append(post(client, "/v1/models/m/vjp", **body))
    assert not any(map(reused, answers))
    products = [answer.json["products"] for answer in answers]
    assert products[0] == products[1] != products[2]


def test_arrays_that_a_caller_writes_to_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DELTAWIRE_KEPT_PASS_BYTES", "1000000")
    client, x = Client(), X.copy()

    def derivative() -> Any:
        return vjp(client, NETWORK, PARAMS, {"x": x}, {"y": ONES})["hidden.weight"]

    first = derivative()
    x += 1
    assert not np.array_equal(derivative(), first)


def test_a_training_keeps_none() -> None:
    client, body = service(), {"network": NETWORK, "params": PARAMS, "data": {"x": X}}
    for wrt in (False, True, True):
        assert not reused(post(client, "/v1/gradients", **body, wrt={"params": wrt}))


def test_the_loss_of_umbridge_before_its_gradient(tmp_path: Path) -> None:
    publish(tmp_path, "small", network=NETWORK, params=PARAMS, values=["y"])
    client = service(networks_dir=str(tmp_path))
    theta = np.concatenate([PARAMS[name].ravel() for name in ("hidden.weight", "hidden.bias")])
    point = {"name": "small.loglik", "input": [theta.tolist()], "config": {"data": {"x": X.tolist()}}}
    calls = [("/Evaluate", point), ("/Gradient", point | {"outWrt": 0, "inWrt": 0, "sens": [1]})]
    answers = [client.post(path, json=body) for _ in range(2) for path, body in calls]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert [reused(answer) for answer in answers] == [False, False, True, True]
    assert answers[1].data == answers[3].data and answers[0].data == answers[2].data


@pytest.mark.parametrize("protocol", ["tesseract", "umbridge"])
def test_the_protocols_of_others(protocol: str, tmp_path: Path) -> None:
    publish(tmp_path, "small", network=NETWORK, params=PARAMS, values=["y"])
    client = service(networks_dir=str(tmp_path))
    if protocol == "tesseract":
        inputs = {"inputs": {"x": X.tolist()}}
        wanted = {"vjp_inputs": ["x"], "vjp_outputs": ["y"], "cotangent_vector": {"y": ONES.tolist()}}
        calls = [
            ("/tesseract/small/apply", inputs),
            ("/tesseract/small/vector_jacobian_product", inputs | wanted),
        ]
    else:
        point = {"name": "small", "input": [X[0].tolist()]}
        calls = [("/Evaluate", point), ("/Gradient", point | {"outWrt": 0, "inWrt": 0, "sens": [1, 1, 1, 1]})]
    answers = [client.post(path, json=body) for _ in range(2) for path, body in calls]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert [reused(answer) for answer in answers] == [False, False, True, True]
    assert answers[1].data == answers[3].data and answers[0].data == answers[2].data
