"""What a network offers, and which pinned data a request still uses."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import numpy as np
from support.clients import FLOW
from support.engine import compiled
from support.posting import good

from deltawire_service.networks.interfaces import Interface, default_data, ends


def test_ends_are_the_nodes_that_no_other_takes() -> None:
    flow = compiled(FLOW["network"])
    assert ends(flow) == ["loss", "probs"]
    assert ends(flow, without=flow.loss) == ["log_probs", "probs"]
    assert ends(compiled(good()["network"]), without=["loss"]) == ["scores"]


def test_nothing_is_left_where_all_is_left_out() -> None:
    network = compiled(good()["network"])
    assert ends(network, without=network.nodes) == []


def test_a_batch_of_the_request_leaves_shared_inputs_only() -> None:
    spec: dict[str, Any] = {
        "inputs": {"x": {"shape": [2]}, "scale": {"shape": [2], "shared": True}},
        "nodes": [{"name": "f", "kind": "multiply", "inputs": ["x", "scale"]}],
    }
    data = {"x": np.ones((3, 2)), "scale": np.ones(2)}
    interface = Interface("f", compiled(spec), "float64", ("f",), MappingProxyType(data))
    assert default_data(interface, batch=False) == data
    assert default_data(interface, batch=True).keys() == {"scale"}
