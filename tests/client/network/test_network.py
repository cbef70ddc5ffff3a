"""The network builder writes specs, and reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltawire import Network, Refused
from deltawire_layers import load_layers
from deltawire_service.engine import compile_network

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.json"))


def classifier() -> Network:
    net = Network()
    x = net.input("x", shape=(4,))
    y = net.input("y", dtype="int64")
    hidden = net.layer("linear", x, units=4, name="hidden")
    scores = net.layer("linear", net.layer("sigmoid", hidden) + x, units=3)
    net.loss = net.layer("softmax_nll", scores, y)
    return net


def test_calls_and_operators_become_nodes() -> None:
    assert classifier().spec() == {
        "version": 1,
        "inputs": {"x": {"shape": [4]}, "y": {"shape": [], "dtype": "int64"}},
        "nodes": [
            {"name": "hidden", "kind": "linear", "inputs": ["x"], "config": {"units": 4}},
            {"name": "sigmoid1", "kind": "sigmoid", "inputs": ["hidden"]},
            {"name": "add1", "kind": "add", "inputs": ["sigmoid1", "x"]},
            {"name": "linear1", "kind": "linear", "inputs": ["add1"], "config": {"units": 3}},
            {"name": "softmax_nll1", "kind": "softmax_nll", "inputs": ["linear1", "y"]},
        ],
        "loss": "softmax_nll1",
    }


def test_every_operator_has_its_layer() -> None:
    net = Network()
    x, y = net.input("x"), net.input("y", shared=True)
    net.loss = {-(x - y) * y: 0.5, "subtract1": 2.0}
    spec = net.spec()
    assert spec["inputs"]["y"] == {"shape": [], "shared": True}
    assert [(node["kind"], node["inputs"]) for node in spec["nodes"]] == [
        ("subtract", ["x", "y"]),
        ("negate", ["subtract1"]),
        ("multiply", ["negate1", "y"]),
    ]
    assert spec["loss"] == {"multiply1": 0.5, "subtract1": 2.0}
    compile_network(spec, load_layers())


def test_ties_regularization_and_names_instead_of_handles() -> None:
    net = Network()
    net.input("x", shape=[2])
    first = net.layer("linear", "x", units=2)
    net.layer("linear", first, units=2, tied_to=first)
    net.layer("sum")
    net.regularize(0.1)
    spec = net.spec()
    assert spec["nodes"][1]["tied_to"] == "linear1"
    assert "inputs" not in spec["nodes"][2]
    assert spec["regularization"] == {"l2": 0.1, "parameters": ["*.weight"]}
    assert set(compile_network(spec, load_layers()).parameters) == {"linear1.weight", "linear1.bias"}


@pytest.mark.parametrize("spec", [*(json.loads(path.read_text())["network"] for path in EXAMPLES)])
def test_a_spec_read_and_written_is_the_same_network(spec: dict[str, Any]) -> None:
    layers = load_layers()
    written = Network.from_spec(spec).spec()
    assert compile_network(written, layers).id == compile_network(spec, layers).id
    assert Network.from_spec(written).spec() == written


def test_a_spec_read_gets_the_names_the_service_gives() -> None:
    spec = {
        "inputs": {"x": {"shape": [2]}, "tanh2": {"shape": []}},
        "nodes": [{"kind": "tanh", "inputs": ["x"]}, {"kind": "tanh"}, {"kind": "relu", "name": "tanh3"}]
        + [{"kind": "tanh"}, {"kind": "sum"}],
    }
    read = Network.from_spec(spec)
    compiled = compile_network(spec, load_layers())
    assert [node["name"] for node in read.spec()["nodes"]] == list(compiled.nodes)
    assert "name" not in spec["nodes"][0]


def test_a_network_read_can_be_built_further() -> None:
    net = Network.from_spec(classifier().spec())
    net.loss = {net["softmax_nll1"]: 1.0, net.layer("dot", net["x"], net["x"]): 0.1}
    assert compile_network(net.spec(), load_layers()).loss == {"softmax_nll1": 1.0, "dot1": 0.1}
    with pytest.raises(KeyError):
        net["softmax"]


def test_the_spec_is_a_copy() -> None:
    net = classifier()
    net.spec()["nodes"][0]["config"]["units"] = 5
    net.spec()["nodes"].clear()
    assert net.spec() == classifier().spec()


def test_metadata_goes_with_the_spec() -> None:
    net = classifier()
    assert "metadata" not in net.spec()
    net.metadata["drawn by"] = "hand"
    read = Network.from_spec(net.spec())
    assert read.metadata == net.spec()["metadata"] == {"drawn by": "hand"}
    read.metadata.clear()
    assert net.metadata


def test_names_taken_and_handles_of_another_network_are_refused() -> None:
    net = classifier()
    for pointer, code, wrong in (
        ("/inputs/hidden", "duplicate_name", lambda: net.input("hidden")),
        ("/nodes/5/name", "duplicate_name", lambda: net.layer("relu", "x", name="x")),
        ("/nodes/5/inputs/1", "unknown_input", lambda: net["x"] + classifier()["x"]),
        ("/nodes/5/tied_to", "unknown_input", lambda: net.layer("linear", tied_to=classifier()["x"])),
    ):
        with pytest.raises(Refused) as refused:
            wrong()
        assert (refused.value.pointer, refused.value.code) == (pointer, code)
    twice = classifier().spec()
    twice["nodes"][1]["name"] = "hidden"
    with pytest.raises(Refused, match="'hidden'"):
        Network.from_spec(twice)


def test_an_unknown_name_leads_to_the_most_similar_one() -> None:
    net = classifier()
    with pytest.raises(KeyError, match="no input or node is named 'hiden': did you mean 'hidden'"):
        net["hiden"]
    with pytest.raises(KeyError, match="known: none"):
        Network()["x"]


@pytest.mark.parametrize(
    "dtype, name", [(np.int64, "int64"), (np.dtype("int64"), "int64"), (int, "int64"), ("float", "float")]
)
def test_dtypes_of_numpy_are_taken(dtype: Any, name: str) -> None:
    net = Network()
    net.input("y", dtype=dtype)
    assert net.spec()["inputs"]["y"]["dtype"] == name


def test_what_is_no_dtype_is_refused_at_its_place() -> None:
    with pytest.raises(Refused, match="/inputs/y/dtype: expected the name of a dtype"):
        Network().input("y", dtype={"a": 1})  # type: ignore[arg-type]


def test_a_handle_equals_its_name_so_that_results_take_it() -> None:
    net, other = Network(), Network()
    x, y = net.input("x"), net.input("y")
    assert {"x": 1}[x] == 1  # type: ignore[index]
    assert x == "x" and x == net["x"] and len({x, net["x"], "x"}) == 1
    assert x != y and x != "y" and x != other.input("x")


def test_a_kind_with_its_module_names_a_node() -> None:
    assert Network().layer("nn.Linear", units=3).name == "Linear1"
