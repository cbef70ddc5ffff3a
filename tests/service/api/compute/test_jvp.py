"""POST /v1/jvp: the Jacobian times the tangent, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from support.derivatives import ALONG, large, post, refused, same_in_both_media_types
from support.posting import GONE, changed, good

from deltawire_service.app import create_app
from deltawire_service.settings import Settings


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Settings(log_level="error")).test_client()


def test_the_product_is_the_jacobian_times_the_tangent(client: FlaskClient) -> None:
    moved = post(client, "/v1/jvp", tangents=ALONG, outputs=["loss"])
    jacobian = post(client, "/v1/jacobian", outputs=["loss"], wrt={"data": True})["jacobian"]["loss"]
    product = np.einsum("ni,ni->n", jacobian["data"]["x"], ALONG["data"]["x"])
    product += np.array(jacobian["params"]["scores.bias"]) @ ALONG["params"]["scores.bias"]
    np.testing.assert_allclose(moved["tangents"]["loss"], product, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(moved["values"]["loss"], post(client, "/v1/gradients", losses=True)["losses"])


def test_labels_are_needed_only_where_the_outputs_depend_on_them(client: FlaskClient) -> None:
    request = changed(("/data/y", GONE)) | {"tangents": ALONG}
    assert client.post("/v1/jvp", json=request | {"outputs": ["scores"]}).status_code == 200
    assert client.post("/v1/jvp", json=request | {"outputs": ["loss"]}).json["code"] == "missing_data"


def test_both_media_types_give_the_same_bits(client: FlaskClient) -> None:
    assert same_in_both_media_types(client, "/v1/jvp", tangents=ALONG, outputs=["scores", "loss"])


BIAS = {"params": {"scores.bias": [1, 0, 0]}}
PLACE = "/tangents/params/scores.bias"


def along(place: str, name: str, array: Any) -> dict[str, Any]:
    return {"tangents": {place: {name: array}}, "outputs": ["loss"]}


@pytest.mark.parametrize(
    "options, code, pointer",
    [
        ({"outputs": ["scores"]}, "field_missing", "/tangents"),
        ({"tangents": {}, "outputs": ["scores"]}, "field_invalid", "/tangents"),
        ({"tangents": None, "outputs": ["scores"]}, "field_invalid", "/tangents"),
        ({"tangents": BIAS, "outputs": []}, "field_invalid", "/outputs"),
        ({"tangents": BIAS, "outputs": ["x"]}, "unknown_name", "/outputs/0"),
        (along("data", "y", [1, 1, 1]), "not_differentiable", "/tangents/data/y"),
        (along("params", "b", [1]), "unknown_parameter", "/tangents/params/b"),
        (along("data", "z", [1]), "unknown_data", "/tangents/data/z"),
        (along("params", "scores.bias", [1]), "shape_mismatch", PLACE),
        (along("params", "scores.bias", "[]"), "tensor_invalid", PLACE),
        ({"tangents": {"param": {}}, "outputs": []}, "field_unknown", "/tangents/param"),
    ],
)
def test_what_is_refused(client: FlaskClient, options: Any, code: str, pointer: str) -> None:
    assert refused(client, "/v1/jvp", good() | options) == (code, pointer)


def test_products_that_are_too_large_are_refused(client: FlaskClient) -> None:
    request = large(1, 1, 100_000) | {"tangents": {"data": {"x": [[[1]]] * 1000}}, "outputs": ["o"]}
    assert refused(client, "/v1/jvp", request) == ("memory_plan_exceeded", "/network")
