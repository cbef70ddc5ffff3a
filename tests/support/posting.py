"""A request that is right, and ways to spoil it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

GONE = object()
"""In place of a new value: the key is taken out."""


def good() -> dict[str, Any]:
    """A request to /v1/gradients: two inputs, one of labels, a layer with parameters, a loss."""
    return deepcopy(
        {
            "network": {
                "inputs": {"x": {"shape": [2]}, "y": {"shape": [], "dtype": "int64"}},
                "nodes": [
                    {"name": "scores", "kind": "linear", "inputs": ["x"], "config": {"units": 3}},
                    {"name": "loss", "kind": "softmax_nll", "inputs": ["scores", "y"]},
                ],
            },
            "params": {
                "scores.weight": [[0.5, -1.0], [0.25, 2.0], [1.5, 0.0]],
                "scores.bias": [0.0, 0.5, -0.5],
            },
            "data": {"x": [[1.0, 2.0], [3.0, -4.0], [0.5, 0.0]], "y": [0, 2, 1]},
        }
    )


def changed(*changes: tuple[str, Any]) -> dict[str, Any]:
    """The good request with values replaced, given the JSON pointers of their places."""
    request = good()
    for pointer, value in changes:
        put(request, pointer, value)
    return request


def put(document: Any, pointer: str, value: Any) -> None:
    """Replace, or take out, what is at a place of a document."""
    *path, last = (int(step) if step.isdigit() else step for step in pointer.strip("/").split("/"))
    for step in path:
        document = document[step]
    if value is GONE:
        del document[last]
    else:
        document[last] = value


def pointwise(kind: str, x: float) -> dict[str, Any]:
    """A request for one number through one layer, differentiated by it."""
    network = {"inputs": {"x": {"shape": []}}, "nodes": [{"name": "f", "kind": kind}]}
    return {"network": network, "data": {"x": [x]}, "wrt": {"data": True}}
