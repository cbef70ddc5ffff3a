"""Plans of derivatives in complex numbers: no less than what they are measured to hold."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np
import pytest
from support.engine import compiled

from deltawire_service.engine import Direction, Network, Plan

SIZE = 500
WIDE = {
    "inputs": {"x": {"shape": [SIZE]}},
    "nodes": [
        {"name": "o", "kind": "linear", "inputs": ["x"], "config": {"units": SIZE}},
        {"name": "l", "kind": "linear", "config": {"units": 1}},
        {"name": "loss", "kind": "sum"},
    ],
}
SMALL = 200_000
"""Bytes of all that is neither parameters nor their copies."""


ONE = ["l.bias"]
COMPUTATIONS: dict[str, Callable[[Network, Any, Any, Direction], object]] = {
    "jvp": lambda network, params, data, along: network.jvp(params, data, along, ["loss"]),
    "jacobian": lambda network, params, data, _: network.jacobian(
        params, data, ["loss"], wrt_params=ONE, way="columns"
    ),
    "hvp": lambda network, params, data, along: network.hvp(params, data, along),
    "diagonal": lambda network, params, data, _: network.hessian_diagonal(
        params, data, wrt_params=ONE, samples=2
    ),
}


@pytest.mark.parametrize("rows", [1, 64])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("what", COMPUTATIONS)
def test_floats_are_held_beside_their_complex_copies(what: str, dtype: str, rows: int) -> None:
    plans: list[Plan] = []

    def run(compute: Callable[[float], Any], plan: Plan | None = None) -> Any:
        assert plan
        plans.append(plan)
        return compute(inf)

    network = replace(compiled(WIDE), run=run)
    tracemalloc.start()
    try:
        params = {
            name: np.full(parameter.shape, 1e-3, dtype) for name, parameter in network.parameters.items()
        }
        along = Direction({"l.bias": np.ones(1, dtype)})
        COMPUTATIONS[what](network, params, {"x": np.ones((rows, SIZE), dtype)}, along)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    (plan,) = plans
    assert peak <= plan.peak_bytes + SMALL
