"""Plans of derivatives in complex numbers: no less than what they are measured to hold."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
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
TOKENS = 600
ATTENTIVE = {
    "inputs": {"x": {"shape": [TOKENS, 4]}},
    "nodes": [
        {"name": "s", "kind": "linear", "inputs": ["x"], "config": {"units": 4}},
        {"name": "o", "kind": "attention", "inputs": ["s", "s", "s"]},
        {"name": "loss", "kind": "sum"},
    ],
}
SMALL = 200_000
"""Bytes of all that is neither parameters nor their copies."""

PIECES = 5 * 2**20
"""Bytes that numbers taken apart piece by piece may take, however many there are."""

COMPUTATIONS: dict[str, Callable[[Network, Any, Any, Direction], object]] = {
    "jvp": lambda network, params, data, along: network.jvp(params, data, along, ["loss"]),
    "jacobian": lambda network, params, data, along: network.jacobian(
        params, data, ["loss"], wrt_params=list(along.params), mode="forward"
    ),
    "hvp": lambda network, params, data, along: network.hvp(params, data, along),
    "diagonal": lambda network, params, data, along: network.hessian_diagonal(
        params, data, wrt_params=list(along.params), samples=2
    ),
}


def saved(spec: Any, what: str, dtype: str, rows: int, parameter: str) -> tuple[int, Plan]:
    """The most bytes held at once while a derivative along a parameter is computed, and the plan of it."""
    plans: list[Plan] = []

    def run(compute: Callable[[], Any], plan: Plan | None = None) -> Any:
        assert plan
        plans.append(plan)
        return compute()

    network = replace(compiled(spec), runner=run)
    tracemalloc.start()
    try:
        params = {
            name: np.full(input_spec.shape, 1e-3, dtype) for name, input_spec in network.parameters.items()
        }
        along = Direction({parameter: np.ones_like(params[parameter])})
        data = {
            name: np.ones((rows, *input_spec.shape), dtype) for name, input_spec in network.inputs.items()
        }
        COMPUTATIONS[what](network, params, data, along)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    (plan,) = plans
    return peak, plan


@pytest.mark.parametrize("rows", [1, 64])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("what", COMPUTATIONS)
def test_floats_are_held_beside_their_complex_copies(what: str, dtype: str, rows: int) -> None:
    peak, plan = saved(WIDE, what, dtype, rows, "l.bias")
    assert peak <= plan.peak_bytes + SMALL


@pytest.mark.parametrize("what", COMPUTATIONS)
def test_exponentials_are_taken_where_their_exponents_were(what: str) -> None:
    peak, plan = saved(ATTENTIVE, what, "float64", 4, "s.bias")
    assert peak <= plan.peak_bytes + PIECES
