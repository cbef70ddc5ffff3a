"""Where a value or a gradient is infinite, no derivative of it is finite, also not by the complex step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.engine import compiled

from deltawire.errors import Refused
from deltawire_service.engine.derivatives.directions import Direction

POLES: list[list[dict[str, Any]]] = [
    [{"kind": "reciprocal"}],
    [{"kind": "log"}],
    [{"kind": "sqrt"}],
    [{"kind": "power", "config": {"exponent": -1.0}}],
    [{"kind": "power", "config": {"exponent": 0.5}}],
    [{"kind": "divide", "inputs": ["x", "x"]}],
    [{"kind": "reciprocal", "name": "inverse"}, {"kind": "multiply", "inputs": ["inverse", "x"]}],
]


@pytest.mark.parametrize("nodes", POLES, ids=lambda nodes: nodes[0]["kind"])
@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_a_derivative_at_a_pole_is_refused(nodes: list[dict[str, Any]], zero: float) -> None:
    network = compiled({"inputs": {"x": {"shape": [3]}}, "nodes": [*nodes, {"kind": "sum", "name": "loss"}]})
    data, ones = {"x": np.array([[zero, 1.0, 2.0]])}, Direction({}, {"x": np.ones((1, 3))})
    with pytest.raises(Refused, match="not finite"):
        network.hvp({}, data, ones)
    with pytest.raises(Refused, match="not finite"):
        network.jvp({}, data, ones, ["loss"])


def test_beside_the_pole_they_are_right() -> None:
    network = compiled({"inputs": {"x": {"shape": []}}, "nodes": [{"kind": "reciprocal", "name": "loss"}]})
    x, ones = np.array([1e-3, -1e-3]), Direction({}, {"x": np.ones(2)})
    products = network.hvp({}, {"x": x}, ones).data["x"]
    np.testing.assert_allclose(products, 2 / x**3 / 2, rtol=1e-14)  # the loss is the mean of two
