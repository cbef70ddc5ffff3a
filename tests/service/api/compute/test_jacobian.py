"""POST /v1/jacobian: the Jacobian of a linear layer, in both modes, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from support.derivatives import large, post, refused, same_in_both_media_types
from support.posting import GONE, changed, good

from deltawire_service.app import create_app
from deltawire_service.settings import Settings


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Settings(log_level="error")).test_client()


@pytest.mark.parametrize("mode", ["reverse", "forward", None])
def test_the_jacobian_of_a_linear_layer_by_its_input_is_its_weight(
    client: FlaskClient, mode: str | None
) -> None:
    wrt = {"params": False, "data": True}
    answer = post(client, "/v1/jacobian", outputs=["scores"], wrt=wrt, mode=mode)
    weight = np.array(good()["params"]["scores.weight"])
    np.testing.assert_allclose(answer["jacobian"]["scores"]["data"]["x"], [weight] * 3, atol=1e-15)
    assert answer["mode"] == (mode or answer["mode"]) and answer["mode"] in ("reverse", "forward")


def test_labels_are_needed_only_where_the_outputs_depend_on_them(client: FlaskClient) -> None:
    request = changed(("/data/y", GONE))
    assert client.post("/v1/jacobian", json=request | {"outputs": ["scores"]}).status_code == 200
    assert client.post("/v1/jacobian", json=request | {"outputs": ["loss"]}).json["code"] == "missing_data"


def test_both_media_types_give_the_same_bits(client: FlaskClient) -> None:
    options = {"outputs": ["scores", "loss"], "wrt": {"data": True}}
    assert same_in_both_media_types(client, "/v1/jacobian", **options)


@pytest.mark.parametrize(
    "options, code, pointer",
    [
        ({}, "field_missing", "/outputs"),
        ({"outputs": []}, "field_invalid", "/outputs"),
        ({"outputs": ["loss"], "mode": "both"}, "field_invalid", "/mode"),
    ],
)
def test_what_is_refused(client: FlaskClient, options: Any, code: str, pointer: str) -> None:
    assert refused(client, "/v1/jacobian", good() | options) == (code, pointer)


def test_a_jacobian_that_is_too_large_is_refused(client: FlaskClient) -> None:
    request = large(1000, 100, 1000) | {"outputs": ["o"]}
    assert refused(client, "/v1/jacobian", request) == ("memory_plan_exceeded", "/network")
