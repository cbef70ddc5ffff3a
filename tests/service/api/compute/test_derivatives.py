"""POST /v1/vjp, /v1/jvp, /v1/jacobian, /v1/hvp, and gradients per example: what comes in, what goes out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from support.posting import GONE, changed, good

from deltawire import wire
from deltawire_service.app import create_app
from deltawire_service.engine import Plan, Runner
from deltawire_service.http import bodies
from deltawire_service.observability.metrics import Metrics
from deltawire_service.settings import Settings

ONES = [[1.0, 0.0, -1.0]] * 3
ALONG = {"params": {"scores.bias": [1.0, 0.0, 0.0]}, "data": {"x": [[0.0, 1.0]] * 3}}


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Settings(log_level="error")).test_client()


def post(client: FlaskClient, path: str, **options: Any) -> dict[str, Any]:
    answer = client.post(path, json=good() | options)
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def test_vjp_of_a_linear_layer_is_what_one_can_compute_by_hand(client: FlaskClient) -> None:
    answer = post(client, "/v1/vjp", cotangents={"scores": ONES}, wrt={"data": True}, values=["scores"])
    request, delta = good(), np.array(ONES)
    W, x = np.array(request["params"]["scores.weight"]), np.array(request["data"]["x"])
    np.testing.assert_allclose(answer["products"]["params"]["scores.weight"], delta.T @ x)
    np.testing.assert_allclose(answer["products"]["params"]["scores.bias"], delta.sum(axis=0))
    np.testing.assert_allclose(answer["products"]["data"]["x"], delta @ W)
    np.testing.assert_allclose(answer["values"]["scores"], x @ W.T + request["params"]["scores.bias"])
    assert answer["network_id"] == post(client, "/v1/gradients")["network_id"]


def test_several_cotangents_have_a_leading_axis_and_so_have_their_products(client: FlaskClient) -> None:
    alone = post(client, "/v1/vjp", cotangents={"scores": ONES})["products"]["params"]
    both = post(client, "/v1/vjp", cotangents={"scores": [ONES, ONES]})["products"]["params"]
    assert both == {name: [array, array] for name, array in alone.items()}


def test_labels_are_not_needed_where_nothing_asked_for_depends_on_them(client: FlaskClient) -> None:
    request = changed(("/data/y", GONE))
    for path, more in (
        ("/v1/vjp", {"cotangents": {"scores": ONES}}),
        ("/v1/jvp", {"tangents": ALONG, "outputs": ["scores"]}),
        ("/v1/jacobian", {"outputs": ["scores"]}),
        ("/v1/hvp", {"vectors": ALONG, "cotangents": {"scores": ONES}}),
    ):
        assert client.post(path, json=request | more).status_code == 200, path
        spoilt = {"cotangents": {"loss": [1, 1, 1]}, "outputs": ["loss"]}
        answer = client.post(path, json=request | more | {key: spoilt[key] for key in spoilt if key in more})
        assert answer.json["code"] == "missing_data"


def test_jvp_is_the_jacobian_times_the_tangent(client: FlaskClient) -> None:
    moved = post(client, "/v1/jvp", tangents=ALONG, outputs=["loss"])
    jacobian = post(client, "/v1/jacobian", outputs=["loss"], wrt={"data": True})["jacobian"]["loss"]
    product = np.einsum("ni,ni->n", jacobian["data"]["x"], ALONG["data"]["x"])
    product += np.array(jacobian["params"]["scores.bias"]) @ ALONG["params"]["scores.bias"]
    np.testing.assert_allclose(moved["tangents"]["loss"], product, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(moved["values"]["loss"], post(client, "/v1/gradients", losses=True)["losses"])


def test_hvp_gives_what_is_asked_for(client: FlaskClient) -> None:
    answer = post(client, "/v1/hvp", vectors=ALONG, quadratic=True)
    assert set(answer) == {"products", "quadratic", "network_id"}
    products = answer["products"]
    inner = np.sum(np.array(products["data"]["x"]) * ALONG["data"]["x"])
    inner += np.dot(products["params"]["scores.bias"], ALONG["params"]["scores.bias"])
    assert answer["quadratic"] == pytest.approx(inner, rel=1e-14)
    several = {"params": {"scores.bias": np.eye(3).tolist()}}
    H = post(client, "/v1/hvp", vectors=several, quadratic=True)
    np.testing.assert_allclose(np.diag(H["products"]["params"]["scores.bias"]), H["quadratic"])
    estimate = post(client, "/v1/hvp", diagonal={"samples": 3, "seed": 1})
    assert set(estimate) == {"diagonal", "hessian_trace", "network_id"}
    numbers = [np.sum(array) for array in estimate["diagonal"]["params"].values()]
    assert estimate["hessian_trace"] == pytest.approx(sum(numbers))


def test_products_are_held_while_the_diagonal_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    planned: list[Plan] = []
    monkeypatch.setattr(Metrics, "counting_plans", lambda self, run: noting(run, planned))
    client = create_app(Settings(log_level="error")).test_client()
    several = {"params": {"scores.weight": np.ones((50, 3, 2)).tolist()}}
    post(client, "/v1/hvp", vectors=several)
    post(client, "/v1/hvp", diagonal={})
    post(client, "/v1/hvp", vectors=several, diagonal={}, quadratic=True)
    products, diagonal, first, second = planned
    assert first == products
    numbers = 50 * 6 + 50
    assert second.given_bytes == diagonal.given_bytes + 50 * 6 * 8
    assert second.answered_bytes == diagonal.answered_bytes + numbers * 8
    assert second.written_bytes == diagonal.written_bytes + numbers * bodies.JSON_TEXT


def noting(run: Runner, planned: list[Plan]) -> Runner:
    """The same way to compute, and its plans are noted."""

    def noted(compute: Any, plan: Plan | None = None) -> Any:
        if plan:  # to compile has none
            planned.append(plan)
        return run(compute, plan)

    return noted


def test_gradients_of_each_example_add_up_to_the_gradient(client: FlaskClient) -> None:
    each = post(client, "/v1/gradients", per_example=True, wrt={"data": True})["gradients"]
    usual = post(client, "/v1/gradients", reduction="sum", wrt={"data": True})["gradients"]
    for name, gradient in usual["params"].items():
        np.testing.assert_allclose(np.sum(each["params"][name], axis=0), gradient, rtol=1e-12)
    assert each["data"] == usual["data"]


REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("/v1/vjp", {"cotangents": {"scores": [ONES, ONES]}, "wrt": {"data": True}, "values": ["loss"]}),
    ("/v1/jvp", {"tangents": ALONG, "outputs": ["scores", "loss"]}),
    ("/v1/jacobian", {"outputs": ["scores", "loss"], "wrt": {"data": True}}),
    ("/v1/hvp", {"vectors": ALONG, "quadratic": True, "diagonal": {"samples": 2}}),
    ("/v1/hvp", {"vectors": {"params": {"scores.bias": np.eye(3).tolist()}}, "quadratic": True}),
    ("/v1/gradients", {"per_example": True, "wrt": {"data": True}}),
]

TENSORS = ("params", "data", "cotangents", "tangents", "vectors")


def arrays(leaf: Any, integers: bool = False) -> Any:
    """A part of the request with arrays in place of its lists."""
    if isinstance(leaf, dict):
        return {name: arrays(part, name == "y") for name, part in leaf.items()}
    return np.array(leaf, "i8" if integers else "f8")


def listed(leaf: Any) -> Any:
    """A part of a binary answer as JSON has it."""
    if isinstance(leaf, dict):
        return {name: listed(part) for name, part in leaf.items()}
    return leaf.tolist() if isinstance(leaf, np.ndarray) else leaf


@pytest.mark.parametrize("path, more", REQUESTS)
def test_both_media_types_give_the_same_bits(client: FlaskClient, path: str, more: dict[str, Any]) -> None:
    request = good() | more
    binary = {key: arrays(part) if key in TENSORS else part for key, part in request.items()}
    body = wire.encode(binary, wire.SAFETENSORS)
    answer = client.post(path, data=body, content_type=wire.SAFETENSORS)
    assert answer.status_code == 200, answer.text
    found = wire.decode(answer.data, wire.SAFETENSORS, part="response")
    assert listed(found) == client.post(path, json=request).json
