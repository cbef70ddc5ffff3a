"""Layers of `orders` 1: found on the way from what moves to what is asked for, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from support.layers import registry
from support.simulated import Simulated

from deltawire.errors import Refused
from deltawire_service.engine import Network, compile_network
from deltawire_service.engine.plan.first_order import check_orders, first_order_only, first_reached

SPEC: dict[str, Any] = {
    "inputs": {
        "x": {"shape": [2]},
        "z": {"shape": [2]},
        "table": {"shape": [2], "parameter": {"constant": 0.5}},
    },
    "nodes": [
        {"name": "sim", "kind": "simulated", "inputs": ["x"]},
        {"name": "beside", "kind": "tanh", "inputs": ["z"]},
        {"name": "both", "kind": "add", "inputs": ["sim", "beside"]},
        {"name": "last", "kind": "simulated", "inputs": ["table"]},
        {"name": "tied", "kind": "simulated", "inputs": ["z"], "tied_to": "sim"},
        {"name": "loss", "kind": "sum", "inputs": ["both"]},
    ],
}


@pytest.fixture(scope="module")
def network() -> Network:
    return compile_network(SPEC, registry(simulated=Simulated))


@pytest.mark.parametrize(
    ("moved", "outputs", "reached"),
    [
        ({"x"}, ["loss"], "sim"),
        ({"sim.w"}, ["loss"], "sim"),
        ({"z"}, ["loss"], None),
        ({"x"}, ["beside"], None),
        ({"table"}, ["last"], "last"),
        ({"table"}, ["loss"], None),
        ({"sim.w"}, ["tied"], "tied"),
        ({"x", "z"}, ["both", "tied"], "sim"),
        (set(), ["loss"], None),
    ],
)
def test_a_layer_is_reached_between_both_ends(
    network: Network, moved: set[str], outputs: list[str], reached: str | None
) -> None:
    node = first_reached(network, moved, outputs)
    assert (node.name if node else None) == reached


def test_it_is_refused_by_name(network: Network) -> None:
    with pytest.raises(Refused) as refused:
        check_orders(network, {"x"}, ["loss"], "no tangent goes through it")
    (fault,) = refused.value.faults
    assert fault.code == "first_order_only" and fault.pointer == "/network/nodes/0"
    assert fault.detail == "node 'sim' (simulated) has first derivatives only: no tangent goes through it"
    check_orders(network, {"z"}, ["loss"], "no tangent goes through it")
    assert first_order_only(network.nodes["sim"], "…", "/mode").pointer == "/mode"
