"""Requests for derivatives of the good network, and what they are compared with."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from flask.testing import FlaskClient
from support.posting import good

from deltawire import wire

ONES = [[1.0, 0.0, -1.0]] * 3
ALONG = {"params": {"scores.bias": [1.0, 0.0, 0.0]}, "data": {"x": [[0.0, 1.0]] * 3}}
TENSORS = ("params", "data", "cotangents", "tangents", "vectors")


def post(client: FlaskClient, path: str, **options: Any) -> dict[str, Any]:
    """Return the answer to the good request with these options."""
    answer = client.post(path, json=good() | options)
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def refused(client: FlaskClient, path: str, request: dict[str, Any]) -> tuple[str, str]:
    """Return the code and the pointer of a refusal, after which the service still answers."""
    answer = client.post(path, json=request)
    problem = answer.get_json(force=True)
    assert answer.status_code == 422, problem
    assert len(answer.data) < 10_000
    assert client.post("/v1/gradients", json=good()).status_code == 200
    return problem["code"], problem["errors"][0]["pointer"]


def same_in_both_media_types(client: FlaskClient, path: str, **options: Any) -> bool:
    """Return whether a binary body is answered with the very numbers of a JSON body."""
    request = good() | options
    binary = {key: arrays(part) if key in TENSORS else part for key, part in request.items()}
    body = wire.encode(binary, wire.SAFETENSORS)
    answer = client.post(path, data=body, content_type=wire.SAFETENSORS)
    assert answer.status_code == 200, answer.text
    decoded = wire.decode(answer.data, wire.SAFETENSORS, part="response")
    return bool(lists(decoded) == client.post(path, json=request).json)


def arrays(leaf: Any, integers: bool = False) -> Any:
    """Return a part of a request with arrays in place of its lists."""
    if isinstance(leaf, dict):
        return {name: arrays(part, name == "y") for name, part in leaf.items()}
    return np.array(leaf, "i8" if integers else "f8")


def lists(leaf: Any) -> Any:
    """Return a part of a binary answer as JSON has it."""
    if isinstance(leaf, dict):
        return {name: lists(part) for name, part in leaf.items()}
    return leaf.tolist() if isinstance(leaf, np.ndarray) else leaf


def base64_of(array: Any) -> dict[str, Any]:
    """Return an array as a tensor in base64."""
    array = np.asarray(array)
    described = {"dtype": array.dtype.name, "shape": list(array.shape)}
    return described | {"base64": base64.b64encode(array.tobytes()).decode()}


def large(numbers: int, batch: int, units: int) -> dict[str, Any]:
    """Return a small request whose derivatives may be large: o = W x, and its sum."""
    nodes = [{"name": "o", "kind": "linear", "config": {"units": units, "bias": False}}, {"kind": "sum"}]
    return {
        "network": {"inputs": {"x": {"shape": [numbers]}}, "nodes": nodes},
        "params": {"o.weight": base64_of(np.zeros((units, numbers)))},
        "data": {"x": base64_of(np.zeros((batch, numbers)))},
    }
