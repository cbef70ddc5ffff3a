"""POST /v1/vjp: products that one can compute by hand, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from support.derivatives import ONES, base64_of, large, post, refused, same_in_both_media_types
from support.posting import GONE, changed, good

from deltawire_service.app import create_app
from deltawire_service.settings import Settings


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Settings(log_level="error")).test_client()


def test_the_products_of_a_linear_layer(client: FlaskClient) -> None:
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


def test_labels_are_needed_only_where_the_outputs_depend_on_them(client: FlaskClient) -> None:
    request = changed(("/data/y", GONE))
    assert client.post("/v1/vjp", json=request | {"cotangents": {"scores": ONES}}).status_code == 200
    answer = client.post("/v1/vjp", json=request | {"cotangents": {"loss": [1, 1, 1]}})
    assert answer.json["code"] == "missing_data"


def test_both_media_types_give_the_same_bits(client: FlaskClient) -> None:
    options = {"cotangents": {"scores": [ONES, ONES]}, "wrt": {"data": True}, "values": ["loss"]}
    assert same_in_both_media_types(client, "/v1/vjp", **options)


def cotangent(array: Any) -> dict[str, Any]:
    return {"cotangents": {"scores": array}}


FLOAT32, INTEGERS = base64_of(np.ones((3, 3), "f4")), base64_of(np.ones((3, 3), "i8"))
NAN = base64_of(np.full((3, 3), np.nan))
PLACE = "/cotangents/scores"


@pytest.mark.parametrize(
    "options, code, pointer",
    [
        ({"cotangents": {}}, "field_invalid", "/cotangents"),
        ({}, "field_missing", "/cotangents"),
        ({"cotangents": {"score": ONES}}, "unknown_name", "/cotangents/score"),
        ({"cotangents": {"y": [1, 1, 1]}}, "unknown_name", "/cotangents/y"),
        (cotangent(ONES[:2]), "shape_mismatch", PLACE),
        (cotangent([]), "shape_mismatch", PLACE),
        (cotangent([[1], [1, 2]]), "tensor_invalid", f"{PLACE}/1"),
        (cotangent(None), "tensor_invalid", PLACE),
        (cotangent(FLOAT32), "dtype_mismatch", f"{PLACE}/dtype"),
        (cotangent(INTEGERS), "dtype_mismatch", f"{PLACE}/dtype"),
        (cotangent(NAN), "non_finite", PLACE),
        (cotangent(ONES) | {"wrt": {"data": ["y"]}}, "not_differentiable", "/wrt/data/0"),
    ],
)
def test_what_is_refused(client: FlaskClient, options: Any, code: str, pointer: str) -> None:
    assert refused(client, "/v1/vjp", good() | options) == (code, pointer)


def test_products_that_are_too_large_are_refused(client: FlaskClient) -> None:
    request = large(1000, 1, 1000) | {"cotangents": {"sum1": [[1]] * 100}}
    assert refused(client, "/v1/vjp", request) == ("memory_plan_exceeded", "/network")
