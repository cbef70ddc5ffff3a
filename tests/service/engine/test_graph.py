"""The compiled graph: what leads to what, shapes of arrays, and that nothing of it can be changed."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.engine import compiled
from support.networks import Example, examples

from deltawire.network.graph import outputs_of
from deltawire_service.engine import InputSpec


def test_an_input_has_the_batch_as_leading_axis_unless_it_is_shared() -> None:
    assert InputSpec((2, 3), "float", shared=False).array_shape(5) == (5, 2, 3)
    assert InputSpec((2, 3), "float", shared=True).array_shape(5) == (2, 3)


@given(examples(), st.data())
def test_upstream_is_the_closure_of_inputs(example: Example, data: st.DataObject) -> None:
    network = compiled(example.spec)
    name = data.draw(st.sampled_from(sorted(network.nodes)))
    expected, waiting = set[str](), [name]
    while waiting:  # another way to the same: a search from the node
        each = waiting.pop()
        if each not in expected:
            expected.add(each)
            waiting += network.nodes[each].inputs if each in network.nodes else ()
    assert network.upstream([name]) == expected
    assert network.upstream([]) == set()


def test_float_inputs_are_those_without_labels() -> None:
    inputs = {"x": {"shape": [2]}, "y": {"shape": [], "dtype": "int64"}}
    network = compiled({"inputs": inputs, "nodes": [{"kind": "softmax_nll", "inputs": ["x", "y"]}]})
    assert network.float_inputs == ["x"]


def test_a_network_cannot_be_changed() -> None:
    network = compiled({"inputs": {"x": {"shape": []}}, "nodes": [{"kind": "tanh"}]})
    with pytest.raises(FrozenInstanceError):
        network.id = "another"  # type: ignore[misc]


TWO_HEADED = {
    "inputs": {
        "x": {"shape": [2]},
        "y": {"shape": [], "dtype": "int64"},
        "b": {"shape": [2], "parameter": {"normal": 1}},
    },
    "nodes": [
        {"name": "loss", "kind": "softmax_nll", "inputs": ["sum", "y"]},
        {"name": "sum", "kind": "add", "inputs": ["x", "b"]},
        {"name": "squares", "kind": "multiply", "inputs": ["x", "x"]},
    ],
}


@pytest.mark.parametrize(
    "data, outputs",
    [({"x", "y"}, {"loss", "squares"}), ({"x"}, {"sum", "squares"}), (set(), {"loss", "squares"})],
)
def test_outputs_are_the_nodes_that_no_other_takes(data: set[str], outputs: set[str]) -> None:
    assert set(compiled(TWO_HEADED).outputs(data)) == outputs


@given(examples())
def test_outputs_agree_with_those_of_the_sdk(example: Example) -> None:
    network = compiled(example.spec)
    assert set(network.outputs(network.inputs)) == set(outputs_of(network.spec, network.spec["inputs"]))
