"""Requests for derivatives that are refused: each with its code, and the place that is wrong."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
from flask.testing import FlaskClient
from support.posting import good

from deltawire_service.app import create_app
from deltawire_service.settings import Settings


class Row(NamedTuple):
    """What comes in, and what must come back."""

    id: str
    path: str
    request: dict[str, Any]
    code: str
    pointer: str


def base64_of(array: Any) -> dict[str, Any]:
    array = np.asarray(array)
    told = {"dtype": array.dtype.name, "shape": list(array.shape)}
    return told | {"base64": base64.b64encode(array.tobytes()).decode()}


ONES = [[1, 0, 0]] * 3
BIAS = {"params": {"scores.bias": [1, 0, 0]}}


def cotangent(array: Any) -> dict[str, Any]:
    return {"cotangents": {"scores": array}}


def along(place: str, name: str, array: Any) -> dict[str, Any]:
    return {"tangents": {place: {name: array}}, "outputs": ["loss"]}


def ones(dtype: str) -> dict[str, Any]:
    return base64_of(np.ones((3, 3), dtype))


NAN, TWO = base64_of(np.full((3, 3), np.nan)), {"params": BIAS["params"], "data": {"x": [[[1, 0]] * 3] * 2}}
COTANGENT, TANGENT, VECTOR = "/cotangents/scores", "/tangents/params/scores.bias", "/vectors/data"
DERIVATIVES = [
    Row(f"{path} {what}", path, good() | more, code, pointer)
    for path, what, more, code, pointer in (
        ("vjp", "of nothing", {"cotangents": {}}, "field_invalid", "/cotangents"),
        ("vjp", "without cotangents", {}, "field_missing", "/cotangents"),
        ("vjp", "of no node", {"cotangents": {"score": ONES}}, "unknown_name", "/cotangents/score"),
        ("vjp", "of an input", {"cotangents": {"y": [1, 1, 1]}}, "unknown_name", "/cotangents/y"),
        ("vjp", "of two rows", cotangent(ONES[:2]), "shape_mismatch", COTANGENT),
        ("vjp", "of none at once", cotangent([]), "shape_mismatch", COTANGENT),
        ("vjp", "of ragged rows", cotangent([[1], [1, 2]]), "tensor_invalid", f"{COTANGENT}/1"),
        ("vjp", "of null", cotangent(None), "tensor_invalid", COTANGENT),
        ("vjp", "in float32", cotangent(ones("f4")), "dtype_mismatch", f"{COTANGENT}/dtype"),
        ("vjp", "in integers", cotangent(ones("i8")), "dtype_mismatch", f"{COTANGENT}/dtype"),
        ("vjp", "of NaN", cotangent(NAN), "non_finite", COTANGENT),
        ("vjp", "by labels", cotangent(ONES) | {"wrt": {"data": ["y"]}}, "not_differentiable", "/wrt/data/0"),
        ("jvp", "without tangents", {"outputs": ["scores"]}, "field_missing", "/tangents"),
        ("jvp", "along nothing", {"tangents": {}, "outputs": ["scores"]}, "field_invalid", "/tangents"),
        ("jvp", "of nothing", {"tangents": BIAS, "outputs": []}, "field_invalid", "/outputs"),
        ("jvp", "of an input", {"tangents": BIAS, "outputs": ["x"]}, "unknown_name", "/outputs/0"),
        ("jvp", "along labels", along("data", "y", [1, 1, 1]), "not_differentiable", "/tangents/data/y"),
        ("jvp", "along no parameter", along("params", "b", [1]), "unknown_parameter", "/tangents/params/b"),
        ("jvp", "along no input", along("data", "z", [1]), "unknown_data", "/tangents/data/z"),
        ("jvp", "along too little", along("params", "scores.bias", [1]), "shape_mismatch", TANGENT),
        ("jvp", "along a text", along("params", "scores.bias", "[]"), "tensor_invalid", TANGENT),
        ("jvp", "field", {"tangents": {"param": {}}, "outputs": []}, "field_unknown", "/tangents/param"),
        ("jacobian", "of nothing", {"outputs": []}, "field_invalid", "/outputs"),
        ("jacobian", "any mode", {"outputs": ["loss"], "mode": "both"}, "field_invalid", "/mode"),
        ("hvp", "without vectors", {}, "field_missing", "/vectors"),
        ("hvp", "along nothing", {"vectors": {}}, "field_invalid", "/vectors"),
        ("hvp", "form of nothing", {"quadratic": True, "diagonal": {}}, "field_invalid", "/quadratic"),
        ("hvp", "along labels", {"vectors": {"data": {"y": [1, 1, 1]}}}, "not_differentiable", f"{VECTOR}/y"),
        ("hvp", "of one and two", {"vectors": TWO}, "shape_mismatch", f"{VECTOR}/x"),
        ("hvp", "no samples", {"diagonal": {"samples": 0}}, "field_invalid", "/diagonal/samples"),
        (
            *("hvp", "of several cotangents"),
            {"vectors": BIAS, "cotangents": {"loss": [[1, 1, 1]] * 2}},
            *("shape_mismatch", "/cotangents"),
        ),
        ("gradients", "trace of each", {"per_example": True, "trace": True}, "field_invalid", "/trace"),
    )
]


def large(numbers: int, batch: int, units: int) -> dict[str, Any]:
    """A small request whose derivatives may be large: o = W x, and its sum."""
    nodes = [{"name": "o", "kind": "linear", "config": {"units": units, "bias": False}}, {"kind": "sum"}]
    return {
        "network": {"inputs": {"x": {"shape": [numbers]}}, "nodes": nodes},
        "params": {"o.weight": base64_of(np.zeros((units, numbers)))},
        "data": {"x": base64_of(np.zeros((batch, numbers)))},
    }


MOVED = {"data": {"x": base64_of(np.zeros((100, 1, 1000)))}}
DERIVATIVES += [
    Row(f"{path} too large", path, request | more, "memory_plan_exceeded", "/network")
    for path, request, more in (
        ("gradients", large(1000, 100, 1000), {"per_example": True}),
        ("jacobian", large(1000, 100, 1000), {"outputs": ["o"]}),
        ("vjp", large(1000, 1, 1000), {"cotangents": {"sum1": [[1]] * 100}}),
        ("hvp", large(1000, 1, 1000), {"vectors": MOVED, "wrt": {}}),
        ("jvp", large(1, 1, 100_000), {"tangents": {"data": {"x": [[[1]]] * 1000}}, "outputs": ["o"]}),
    )
]


@pytest.fixture(scope="module")
def client() -> Iterator[FlaskClient]:
    yield create_app(Settings(log_level="error")).test_client()


@pytest.mark.parametrize("row", DERIVATIVES, ids=[row.id for row in DERIVATIVES])
def test_what_is_refused(client: FlaskClient, row: Row) -> None:
    answer = client.post(f"/v1/{row.path}", json=row.request)
    problem = answer.get_json(force=True)
    assert (answer.status_code, problem["code"]) == (422, row.code), problem
    assert problem["errors"][0]["pointer"] == row.pointer
    assert len(answer.data) < 10_000
    assert client.post("/v1/gradients", json=good()).status_code == 200
