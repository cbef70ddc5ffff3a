"""What the answers to faults say, beyond the status and the code that tests/hostile has of each."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from support.posting import GONE, changed, good, pointwise

from deltawire_service.app import create_app

A_OF_B = {"name": "a", "kind": "relu", "inputs": ["b"]}
B_OF_A = {"name": "b", "kind": "relu", "inputs": ["a"]}


def detail_of(client: FlaskClient, request: dict[str, Any]) -> str:
    return str(client.post("/v1/gradients", json=request).get_json()["detail"])


def chain(length: int) -> dict[str, Any]:
    network = {"inputs": {"x": {"shape": []}}, "nodes": [{"kind": "tanh"}] * length}
    return {"network": network, "data": {"x": [0.5]}}


@pytest.fixture(scope="module")
def client() -> Iterator[FlaskClient]:
    yield create_app().test_client()


def test_the_largest_network_is_answered(client: FlaskClient) -> None:
    assert client.post("/v1/gradients", json=chain(512)).status_code == 200


def test_of_duplicate_keys_the_last_one_counts(client: FlaskClient) -> None:
    body = json.dumps(good())[:-1] + ', "reduction": "max", "reduction": "mean"}'
    answer = client.post("/v1/gradients", data=body, content_type="application/json")
    assert answer.get_json() == client.post("/v1/gradients", json=good()).get_json()


def test_numbers_that_are_not_finite_are_returned_on_request(client: FlaskClient) -> None:
    """As strings in lists, as bytes in base64: JSON itself has no way to say them."""
    request = pointwise("reciprocal", 0.0) | {"non_finite": "return", "losses": True}
    answer = client.post("/v1/gradients", json=request).get_json()
    assert answer["loss"] == "Infinity"
    assert answer["losses"] == ["Infinity"]
    assert answer["gradients"]["data"]["x"] == ["-Infinity"]
    answer = client.post("/v1/gradients", json=request | {"tensors": "base64"}).get_json()
    assert np.frombuffer(base64.b64decode(answer["gradients"]["data"]["x"]["base64"])) == -np.inf


def test_a_cycle_is_named_and_an_unknown_name_gets_a_suggestion(client: FlaskClient) -> None:
    detail = detail_of(client, changed(("/network/nodes", [A_OF_B, B_OF_A])))
    assert "a → b → a" in detail or "b → a → b" in detail
    detail = detail_of(client, changed(("/network/nodes/1/inputs/0", "score")))
    assert "did you mean 'scores'?" in detail


def test_a_wrong_label_is_named_with_its_row(client: FlaskClient) -> None:
    for label in (-1, 3, 1.9, 1e30, True):
        assert "row 1" in detail_of(client, changed(("/data/y/1", label))), label


def test_all_faults_are_told_at_once(client: FlaskClient) -> None:
    request = changed(("/reductoin", 1), ("/losses", 1), ("/wrt", {"params": 1}), ("/network", GONE))
    answer = client.post("/v1/gradients", json=request)
    assert {(error["pointer"], error["code"]) for error in answer.get_json()["errors"]} == {
        ("/reductoin", "field_unknown"),
        ("/losses", "field_invalid"),
        ("/wrt/params", "field_invalid"),
        ("/network", "field_missing"),
    }
    request = changed(("/data/x/0/1", None), ("/params/scores.bias/2", "0"), ("/data/y/0", 0.5))
    answer = client.post("/v1/gradients", json=request)
    assert {error["pointer"] for error in answer.get_json()["errors"]} == {
        "/data/x/0/1", "/params/scores.bias/2", "/data/y/0",
    }  # fmt: skip
