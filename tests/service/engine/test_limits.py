"""Limits: the engine's own, and that each of them is held."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.engine import LAYERS

from deltawire.errors import Refused
from deltawire_service.engine import Limits, compile_network

SPEC = {"inputs": {"x": {"shape": [2, 3]}}, "nodes": [{"kind": "tanh"}, {"kind": "sum"}]}


@pytest.mark.parametrize(
    "limits, code",
    [
        ({"nodes": 1}, "too_many_nodes"),
        ({"rank": 2}, "shape_too_large"),
        ({"elements": 5}, "shape_too_large"),
        ({"planned_bytes": 20}, "memory_plan_exceeded"),
    ],
)
def test_each_limit_is_held(limits: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refused:
        compile_network(SPEC, LAYERS, Limits(**limits))
    assert refused.value.code == code


def test_a_network_within_its_limits_computes() -> None:
    limits = Limits(nodes=2, rank=3, elements=6)
    assert compile_network(SPEC, LAYERS, limits).gradients({}, {"x": np.zeros((1, 2, 3))}).loss == 0
