"""The example of each request in the API's description, which `/docs` offers to send."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

REQUEST: dict[str, Any] = {
    "network": {
        "inputs": {"x": {"shape": [2]}},
        "nodes": [
            {"name": "neuron", "kind": "linear", "config": {"units": 1}},
            {"name": "a", "kind": "sigmoid"},
            {"name": "f", "kind": "sum"},
        ],
    },
    "params": {"neuron.weight": [[2, -3]], "neuron.bias": [-3]},
    "data": {"x": [[-1, -2]]},
    "wrt": {"data": True},
    "values": ["a"],
    "outputs": ["a"],
    "cotangents": {"a": [[1]]},
    "tangents": {"data": {"x": [[1, 0]]}},
    "vectors": {"data": {"x": [[1, 0]]}},
    "name": "neuron",
    "optimizer": {"kind": "sgd", "config": {"learning_rate": 0.1}},
    "version": 0,
    "path": "/data/table.csv",
}
"""A sigmoid neuron: the fields that an example has, for each route that knows them."""

OF_ROUTES: dict[str, dict[str, Any]] = {
    "create_model": {"data": None},
    "fork_model": {"name": "copy"},
    "start_run": {"dataset": "points", "epochs": 10},
}
"""Other fields, by route; None for one that its example leaves out."""


def example_of(route: str, fields: Container[str]) -> dict[str, Any]:
    """Return the example of a route's request.

    route: its name. fields: those that its requests may have.
    """
    values = REQUEST | OF_ROUTES.get(route, {})
    return {name: value for name, value in values.items() if name in fields and value is not None}
