"""Specs as they are read: named nodes, and the place of what is malformed."""

from __future__ import annotations

from typing import Any

import pytest

from deltawire import Refused
from deltawire.network.specs import read_spec

INPUTS = {"x": {"shape": [3]}}


def test_nodes_get_the_names_that_the_service_gives() -> None:
    nodes = [{"kind": "relu"}, {"kind": "relu", "name": "relu1"}, {"kind": "relu"}]
    spec = {"inputs": INPUTS, "nodes": nodes}
    assert [node["name"] for node in read_spec(spec)["nodes"]] == ["relu2", "relu1", "relu3"]
    assert "name" not in nodes[0]


@pytest.mark.parametrize(
    ("spec", "pointer"),
    [
        ([], ""),
        ({"nodes": []}, "/inputs"),
        ({"inputs": {"x": 3}, "nodes": []}, "/inputs/x"),
        ({"inputs": INPUTS}, "/nodes"),
        ({"inputs": INPUTS, "nodes": ["relu"]}, "/nodes/0"),
        ({"inputs": INPUTS, "nodes": [{}]}, "/nodes/0/kind"),
        ({"inputs": INPUTS, "nodes": [{"kind": "relu", "name": 3}]}, "/nodes/0/name"),
        ({"inputs": INPUTS, "nodes": [{"kind": "relu", "inputs": "x"}]}, "/nodes/0/inputs"),
        ({"inputs": INPUTS, "nodes": [{"kind": "relu", "name": "x"}]}, "/nodes/0/name"),
    ],
)
def test_the_place_of_what_is_malformed_is_named(spec: Any, pointer: str) -> None:
    with pytest.raises(Refused) as refused:
        read_spec(spec)
    assert refused.value.pointer == pointer
