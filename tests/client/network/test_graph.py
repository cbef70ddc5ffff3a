"""The graph of a spec: defaults of inputs, an order of computation, and the part before one place."""

from __future__ import annotations

from typing import Any

import pytest

from deltawire import Network, Refused
from deltawire.network.graph import sources_of, upstream


def network() -> Network:
    net = Network()
    x, y = net.input("x", (2,)), net.input("y", (2,))
    first = net.layer("linear", y, units=2, name="first")
    net.layer("relu", name="active")  # takes the node before it
    net.layer("linear", x, units=2, name="other", tied_to=first)
    net.layer("tanh", "other", name="beside")
    return net


def test_sources_have_the_inputs_that_nodes_leave_out() -> None:
    sources = sources_of(network().spec())
    assert sources["active"] == ["first"] and sources["x"] == []
    assert sources_of({"inputs": {"x": {}}, "nodes": [{"name": "a", "kind": "relu"}]}) == {
        "x": [],
        "a": ["x"],
    }


def test_nodes_may_come_in_any_order() -> None:
    nodes = [{"name": "b", "kind": "relu", "inputs": ["a"]}, {"name": "a", "kind": "relu", "inputs": ["x"]}]
    assert list(sources_of({"inputs": {"x": {}}, "nodes": nodes})) == ["x", "a", "b"]


@pytest.mark.parametrize(
    ("inputs", "code", "said"),
    [
        ({"a": ["b"], "b": ["a"]}, "graph_cycle", "cycle: "),
        ({"a": ["x"], "b": ["c"]}, "unknown_input", "node 'b': no input or node is named 'c'"),
    ],
)
def test_what_is_no_graph_is_refused(inputs: dict[str, Any], code: str, said: str) -> None:
    nodes = [{"name": name, "kind": "relu", "inputs": names} for name, names in inputs.items()]
    with pytest.raises(Refused, match=said) as refused:
        sources_of({"inputs": {"x": {}}, "nodes": nodes})
    assert refused.value.code == code


def test_upstream_is_what_leads_to_a_place_and_owners_of_tied_parameters() -> None:
    spec = network().spec()
    assert [node["name"] for node in upstream(spec, "active")["nodes"]] == ["first", "active"]
    assert upstream(spec, "active")["nodes"][1]["inputs"] == ["first"]
    before = upstream(spec, "beside")
    assert [node["name"] for node in before["nodes"]] == ["first", "other", "beside"]
    assert set(before["inputs"]) == {"x", "y"}
