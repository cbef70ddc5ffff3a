"""Data that a model of a table refuses are explained by the table's columns and categories."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

import json
from typing import Any

import pytest
from support.http_models import DescribedClient

from deltawire.errors import Fault, Refused
from deltawire_service.api.models.table_notes import explained

TABLE = {
    "task": "regression", "target": "y", "output": "prediction", "classes": [],
    "columns": {"x": ["size", "age"], "city": "city", "y": "price"},
    "categories": {"city": ["Bern", "Genf", "Zug"]},
}  # fmt: skip
SPEC = {
    "inputs": {"x": {"shape": [2]}, "city": {"shape": [], "dtype": "int64"}},
    "nodes": [
        {"name": "vector", "kind": "embedding", "inputs": ["city"], "config": {"rows": 3, "width": 2}},
        {"name": "prediction", "kind": "dot", "inputs": ["vector", "x"]},
    ],
    "metadata": {"table": json.dumps(TABLE)},
}


@pytest.mark.parametrize(
    "data, words",
    [
        (
            {"x": [[1, 2]], "city": ["Bern"]},
            "expected an integer, got a string in example 0; 'city' takes column city as integers: "
            "Bern 0, Genf 1, Zug 2",
        ),
        ({"x": [[1, 2]], "city": [7]}, "column city as integers: Bern 0, Genf 1, Zug 2"),
        ({"x": [[1]], "city": [0]}, "'x' takes columns size, age in this order"),
        ({"size": [1], "age": [2], "city": [0]}, "has no input 'age'; known: city, x; 'x' takes columns size, age"),
        ({"x": [[1, 2]]}, "'city' is missing: expected an array (batch); 'city' takes column city as integers"),
    ],
)  # fmt: skip
def test_data_are_explained(client: DescribedClient, data: dict[str, Any], words: str) -> None:
    made = client.post("/v1/models", json={"name": "flats", "network": SPEC, "optimizer": {"kind": "sgd"}})
    assert made.status_code == 201
    answer = client.post("/v1/models/flats/forward", json={"data": data})
    assert answer.status_code == 422 and words in answer.json["detail"]


@pytest.mark.parametrize(
    "metadata",
    [{}, {"table": "of contents"}, {"table": "[]"}, {"table": '{"columns": 1}'}, {"table": "[" * 200_000}],
)
def test_other_notes_explain_nothing(metadata: dict[str, str]) -> None:
    refusal = Refused([Fault("/data/x", "tensor_invalid", "wrong")])
    with pytest.raises(Refused) as caught, explained(json.dumps({"metadata": metadata})):
        raise refusal
    assert caught.value.faults == refusal.faults


def test_other_parts_of_a_request_are_left_alone() -> None:
    refusal = Refused([Fault("/values/0", "unknown_name", "wrong")])
    with pytest.raises(Refused) as caught, explained(json.dumps(SPEC)):
        raise refusal
    assert caught.value.faults == refusal.faults
