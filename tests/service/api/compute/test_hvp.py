"""POST /v1/hvp: products, quadratic forms and the diagonal agree; what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from support.derivatives import ALONG, ONES, base64_of, large, post, refused, same_in_both_media_types
from support.posting import GONE, changed, good

from deltawire_service.app import create_app
from deltawire_service.engine import Plan, Runner
from deltawire_service.http import bodies
from deltawire_service.observability.metrics import Metrics
from deltawire_service.settings import Settings

SEVERAL = {"params": {"scores.bias": np.eye(3).tolist()}}


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Settings(log_level="error")).test_client()


def test_the_quadratic_form_is_that_of_the_products(client: FlaskClient) -> None:
    answer = post(client, "/v1/hvp", vectors=ALONG, quadratic=True)
    assert set(answer) == {"products", "quadratic", "network_id"}
    products = answer["products"]
    inner = np.sum(np.array(products["data"]["x"]) * ALONG["data"]["x"])
    inner += np.dot(products["params"]["scores.bias"], ALONG["params"]["scores.bias"])
    assert answer["quadratic"] == pytest.approx(inner, rel=1e-14)
    H = post(client, "/v1/hvp", vectors=SEVERAL, quadratic=True)
    np.testing.assert_allclose(np.diag(H["products"]["params"]["scores.bias"]), H["quadratic"])


def test_the_trace_is_the_sum_of_the_diagonal(client: FlaskClient) -> None:
    estimate = post(client, "/v1/hvp", diagonal={"samples": 3, "seed": 1})
    assert set(estimate) == {"diagonal", "hessian_trace", "network_id"}
    numbers = [np.sum(array) for array in estimate["diagonal"]["params"].values()]
    assert estimate["hessian_trace"] == pytest.approx(sum(numbers))


def test_labels_are_needed_only_where_the_outputs_depend_on_them(client: FlaskClient) -> None:
    request = changed(("/data/y", GONE)) | {"vectors": ALONG}
    assert client.post("/v1/hvp", json=request | {"cotangents": {"scores": ONES}}).status_code == 200
    for cotangents in ({"cotangents": {"loss": [1, 1, 1]}}, {}):
        assert client.post("/v1/hvp", json=request | cotangents).json["code"] == "missing_data"


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
    numbers, lists = 50 * 6 + 50, 1 + 50 + 50 * 3 + 1
    assert second.given_bytes == diagonal.given_bytes + 50 * 6 * 8
    assert second.answered_bytes == diagonal.answered_bytes + numbers * 8
    assert second.written_bytes == diagonal.written_bytes + numbers * bodies.JSON_TEXT["float64"] + (
        lists * bodies.JSON_LIST_TEXT
    )


def noting(run: Runner, planned: list[Plan]) -> Runner:
    """Return a runner that notes the plans."""

    def noted(compute: Any, plan: Plan | None = None) -> Any:
        if plan:  # compiling has none
            planned.append(plan)
        return run(compute, plan)

    return noted


@pytest.mark.parametrize(
    "options",
    [
        {"vectors": ALONG, "quadratic": True, "diagonal": {"samples": 2}},
        {"vectors": SEVERAL, "quadratic": True},
        {"vectors": ALONG, "cotangents": {"scores": ONES}},
    ],
)
def test_both_media_types_give_the_same_bits(client: FlaskClient, options: dict[str, Any]) -> None:
    assert same_in_both_media_types(client, "/v1/hvp", **options)


BIAS = {"params": {"scores.bias": [1, 0, 0]}}
ONE_AND_TWO = {**BIAS, "data": {"x": [[[1, 0]] * 3] * 2}}


@pytest.mark.parametrize(
    "options, code, pointer",
    [
        ({}, "field_missing", "/vectors"),
        ({"vectors": {}}, "field_invalid", "/vectors"),
        ({"vectors": None}, "field_missing", "/vectors"),
        ({"quadratic": True, "diagonal": {}}, "field_invalid", "/quadratic"),
        ({"vectors": {"data": {"y": [1, 1, 1]}}}, "not_differentiable", "/vectors/data/y"),
        ({"vectors": ONE_AND_TWO}, "shape_mismatch", "/vectors/data/x"),
        ({"diagonal": {"samples": 0}}, "field_invalid", "/diagonal/samples"),
        ({"vectors": BIAS, "cotangents": {"loss": [[1, 1, 1]] * 2}}, "shape_mismatch", "/cotangents/loss"),
    ],
)
def test_what_is_refused(client: FlaskClient, options: Any, code: str, pointer: str) -> None:
    assert refused(client, "/v1/hvp", good() | options) == (code, pointer)


def test_products_that_are_too_large_are_refused(client: FlaskClient) -> None:
    moved = {"data": {"x": base64_of(np.zeros((100, 1, 1000)))}}
    request = large(1000, 1, 1000) | {"vectors": moved, "wrt": {}}
    assert refused(client, "/v1/hvp", request) == ("memory_plan_exceeded", "/network")
