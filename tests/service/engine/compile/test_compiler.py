"""From spec to network: defaults, order, shapes, and every way a spec can be wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.engine import LAYERS, compiled

from deltawire.errors import Refused
from deltawire_service.engine import Limits, compile_network

X = {"x": {"shape": [4]}}
XY = {**X, "y": {"shape": [], "dtype": "int64"}}


def spec(*nodes: dict[str, Any], inputs: dict[str, Any] = X, **more: Any) -> dict[str, Any]:
    return {"inputs": inputs, "nodes": list(nodes), **more}


def test_a_plain_stack_needs_no_names_and_no_inputs() -> None:
    network = compiled(
        spec(
            {"kind": "linear", "config": {"units": 3}},
            {"kind": "sigmoid"},
            {"kind": "linear", "config": {"units": 1}},
            {"kind": "sum"},
        )
    )
    assert list(network.nodes) == ["linear1", "sigmoid1", "linear2", "sum1"]
    assert [node.inputs for node in network.nodes.values()] == [
        ("x",),
        ("linear1",),
        ("sigmoid1",),
        ("linear2",),
    ]
    assert {name: parameter.shape for name, parameter in network.parameters.items()} == {
        "linear1.weight": (3, 4),
        "linear1.bias": (3,),
        "linear2.weight": (1, 3),
        "linear2.bias": (1,),
    }
    assert network.loss == {"sum1": 1.0}


def test_running_numbers_step_over_names_that_are_taken() -> None:
    network = compiled(spec({"kind": "tanh"}, {"kind": "tanh", "name": "tanh1"}, {"kind": "tanh"}))
    assert list(network.nodes) == ["tanh2", "tanh1", "tanh3"]


def test_nodes_come_in_any_order_and_keep_the_specs_own_where_they_can() -> None:
    nodes = [
        {"name": "c", "kind": "tanh", "inputs": ["b"]},
        {"name": "a", "kind": "tanh", "inputs": ["x"]},
        {"name": "b", "kind": "tanh", "inputs": ["a"]},
        {"name": "d", "kind": "tanh", "inputs": ["x"]},
    ]
    assert list(compiled(spec(*nodes)).nodes) == ["a", "b", "c", "d"]


def test_equal_networks_have_equal_ids() -> None:
    short = spec({"kind": "linear", "config": {"units": 2}}, {"kind": "sum"})
    written_out = spec(
        {"name": "linear1", "kind": "linear", "inputs": ["x"], "config": {"bias": True, "units": 2}},
        {"name": "sum1", "kind": "sum", "inputs": ["linear1"], "config": {"axes": None}},
        inputs={"x": {"shape": [4], "dtype": "float", "shared": False}},
        loss={"sum1": 1},
        version=1,
    )
    assert compiled(short).id == compiled(written_out).id
    assert (
        compiled(short).id != compiled(spec({"kind": "linear", "config": {"units": 3}}, {"kind": "sum"})).id
    )
    assert compiled(dict(compiled(short).spec)).id == compiled(short).id


LOSS = {"kind": "sum"}
WRONG: dict[str, tuple[Any, str, str, str]] = {
    # what is wrong: spec, code, pointer, part of the message
    "no object": ([], "field_invalid", "", "object"),
    "null": (None, "field_invalid", "", "object"),
    "no nodes": ({"inputs": X}, "field_missing", "/nodes", ""),
    "empty nodes": (spec(), "field_invalid", "/nodes", ""),
    "no inputs": ({"nodes": [LOSS]}, "field_missing", "/inputs", ""),
    "version 2": (spec(LOSS, version=2), "field_invalid", "/version", "1"),
    "misspelt key": (
        spec({"kind": "sum", "conifg": {}}),
        "field_unknown",
        "/nodes/0/conifg",
        "did you mean 'config'",
    ),
    "misspelt top key": (spec(LOSS, losss="x"), "field_unknown", "/losss", "did you mean 'loss'"),
    "node no object": (spec(3), "field_invalid", "/nodes/0", ""),
    "name with a dot": (spec({"kind": "sum", "name": "a.b"}), "name_invalid", "/nodes/0/name", "'a.b'"),
    "name with a newline": (spec({"kind": "sum", "name": "a\n"}), "name_invalid", "/nodes/0/name", "a\\n"),
    "name too long": (spec({"kind": "sum", "name": "a" * 65}), "name_invalid", "/nodes/0/name", "64"),
    "name not ascii": (spec({"kind": "sum", "name": "é"}), "name_invalid", "/nodes/0/name", "letters"),
    "input name": (spec(LOSS, inputs={"a b": {"shape": []}}), "name_invalid", "/inputs/a b", ""),
    "input called key": (
        spec(LOSS, inputs={"key": {"shape": [0]}}),
        "shape_invalid",
        "/inputs/key/shape",
        "[0]",
    ),
    "reserved": (spec({"kind": "sum", "name": "params"}), "name_reserved", "/nodes/0/name", "params"),
    "name twice": (
        spec({"kind": "sum", "name": "a"}, {"kind": "sum", "name": "a"}),
        "duplicate_name",
        "/nodes/1/name",
        "'a'",
    ),
    "node like an input": (spec({"kind": "sum", "name": "x"}), "duplicate_name", "/nodes/0/name", "an input"),
    "unknown kind": (spec({"kind": "sigmod"}), "unknown_kind", "/nodes/0/kind", "did you mean 'sigmoid'"),
    "unknown config": (
        spec({"kind": "linear", "config": {"unit": 3}}),
        "config_invalid",
        "/nodes/0/config/unit",
        "units",
    ),
    "missing config": (spec({"kind": "linear"}), "config_invalid", "/nodes/0/config/units", "linear1"),
    "boolean units": (
        spec({"kind": "linear", "config": {"units": True}}),
        "config_invalid",
        "/nodes/0/config/units",
        "",
    ),
    "zero units": (
        spec({"kind": "linear", "config": {"units": 0}}),
        "config_invalid",
        "/nodes/0/config/units",
        "1",
    ),
    "config called self": (
        spec({"kind": "sum", "config": {"self": 1}}),
        "config_invalid",
        "/nodes/0/config/self",
        "unknown field 'self'",
    ),
    "two million axes": (
        spec({"kind": "sum", "config": {"axes": ["a"] * 2_000_000}}),
        "config_invalid",
        "/nodes/0/config/axes",
        "at most 63",
    ),
    "columns of a convolution": (
        spec(
            {"kind": "conv2d", "config": {"channels": 1, "kernel": [100, 100], "padding": [50, 10000]}},
            LOSS,
            inputs={"x": {"shape": [1, 1, 1]}},
        ),
        "memory_plan_exceeded",
        "",
        "at most",
    ),
    "text axes": (
        spec({"kind": "sum", "config": {"axes": ["a"]}}),
        "config_invalid",
        "/nodes/0/config/axes/0",
        "whole number",
    ),
    "unknown input": (
        spec({"kind": "sum", "inputs": ["X"]}),
        "unknown_input",
        "/nodes/0/inputs/0",
        "known: x",
    ),
    "near input": (
        spec({"kind": "sum", "inputs": ["xx"]}),
        "unknown_input",
        "/nodes/0/inputs/0",
        "did you mean 'x'",
    ),
    "too few inputs": (
        spec({"kind": "dot", "inputs": ["x"]}),
        "arity_mismatch",
        "/nodes/0/inputs",
        "2 inputs (a, b), got 1",
    ),
    "too many inputs": (
        spec({"kind": "sum", "inputs": ["x", "x"]}),
        "arity_mismatch",
        "/nodes/0/inputs",
        "1 input",
    ),
    "more than the optional inputs": (
        spec({"kind": "attention", "inputs": ["x", "x", "x", "x", "x"]}),
        "arity_mismatch",
        "/nodes/0/inputs",
        "expected 3 inputs (query, key, value), and mask if wanted, got 5",
    ),
    "none for a variadic": (
        spec({"kind": "add", "inputs": []}),
        "arity_mismatch",
        "/nodes/0/inputs",
        "at least 1",
    ),
    "unsaid inputs of two": (spec({"kind": "dot"}), "arity_mismatch", "/nodes/0/inputs", "name its inputs"),
    "unsaid first input": (
        spec({"kind": "tanh"}, inputs=XY),
        "arity_mismatch",
        "/nodes/0/inputs",
        "known: x, y",
    ),
    "self edge": (
        spec({"name": "a", "kind": "tanh", "inputs": ["a"]}),
        "graph_cycle",
        "/nodes/0/inputs",
        "a → a",
    ),
    "cycle": (
        spec(
            {"name": "a", "kind": "tanh", "inputs": ["c"]},
            {"name": "b", "kind": "tanh", "inputs": ["a"]},
            {"name": "c", "kind": "tanh", "inputs": ["b"]},
        ),
        "graph_cycle",
        "/nodes/0/inputs",
        "a → b → c → a",
    ),
    "cycle seen from below": (
        spec(
            {"name": "end", "kind": "tanh", "inputs": ["b"]},
            {"name": "a", "kind": "tanh", "inputs": ["b"]},
            {"name": "b", "kind": "tanh", "inputs": ["a"]},
        ),
        "graph_cycle",
        "/nodes/2/inputs",
        "b → a → b",
    ),
    "unequal shapes": (
        spec({"kind": "linear", "config": {"units": 3}, "name": "h"}, {"kind": "add", "inputs": ["x", "h"]}),
        "shape_mismatch",
        "/nodes/1/inputs/1",
        "input 'h': expected the shape of the first input, [4], got [3]",
    ),
    "linear of a number": (
        spec({"kind": "linear", "config": {"units": 1}}, inputs={"x": {"shape": []}}),
        "shape_mismatch",
        "/nodes/0/inputs/0",
        "at least one axis",
    ),
    "floats for labels": (
        spec({"kind": "embedding", "config": {"rows": 2, "width": 2}}),
        "dtype_mismatch",
        "/nodes/0/inputs/0",
        "int64",
    ),
    "integers for floats": (
        spec({"kind": "tanh", "inputs": ["y"]}, inputs=XY),
        "dtype_mismatch",
        "/nodes/0/inputs/0",
        "takes floats",
    ),
    "a node for labels": (
        spec({"kind": "sum", "name": "s"}, {"kind": "softmax_nll", "inputs": ["x", "s"]}),
        "dtype_mismatch",
        "/nodes/1/inputs/1",
        "takes integers",
    ),
    "float shape": (spec(LOSS, inputs={"x": {"shape": [1.0]}}), "shape_invalid", "/inputs/x/shape", "[1.0]"),
    "boolean shape": (
        spec(LOSS, inputs={"x": {"shape": [True]}}),
        "shape_invalid",
        "/inputs/x/shape",
        "[true]",
    ),
    "negative shape": (
        spec(LOSS, inputs={"x": {"shape": [-1, 4]}}),
        "shape_invalid",
        "/inputs/x/shape",
        "-1",
    ),
    "huge float shape": (
        spec(LOSS, inputs={"x": {"shape": [1e9, 1e9]}}),
        "shape_invalid",
        "/inputs/x/shape",
        "",
    ),
    "wrapping shape": (
        spec(LOSS, inputs={"x": {"shape": [2**32, 2**32]}}),
        "shape_too_large",
        "/inputs/x/shape",
        str(2**64),
    ),
    "nothing times much": (
        spec(LOSS, inputs={"x": {"shape": [0, 2**62]}}),
        "shape_invalid",
        "/inputs/x/shape",
        "",
    ),
    "text shape": (spec(LOSS, inputs={"x": {"shape": "4"}}), "shape_invalid", "/inputs/x/shape", "list"),
    "rank": (spec(LOSS, inputs={"x": {"shape": [1] * 8}}), "shape_too_large", "/inputs/x/shape", "8 axes"),
    "rank of a node": (
        spec({"kind": "reshape", "config": {"shape": [1] * 7 + [4]}}, LOSS),
        "shape_too_large",
        "/nodes/0",
        "8 axes",
    ),
    "object dtype": (
        spec(LOSS, inputs={"x": {"shape": [4], "dtype": "O"}}),
        "dtype_unsupported",
        "/inputs/x/dtype",
        "int64",
    ),
    "shared as text": (
        spec(LOSS, inputs={"x": {"shape": [4], "shared": "yes"}}),
        "field_invalid",
        "/inputs/x/shared",
        "",
    ),
    "unknown loss": (spec(LOSS, loss="sum2"), "unknown_name", "/loss", "did you mean 'sum1'"),
    "loss of a shape": (spec({"kind": "tanh"}, loss="tanh1"), "loss_invalid", "/loss", "shape [4]"),
    "loss weight": (spec(LOSS, loss={"sum1": "1"}), "loss_invalid", "/loss", "weights"),
    "boolean weight": (spec(LOSS, loss={"sum1": True}), "loss_invalid", "/loss", "weights"),
    "no losses": (spec(LOSS, loss={}), "loss_invalid", "/loss", ""),
    "metadata that is no text": (spec(LOSS, metadata={"a": 1}), "field_invalid", "/metadata/a", ""),
    "negative l2": (spec(LOSS, regularization={"l2": -1}), "field_invalid", "/regularization/l2", ""),
    "l2 of nothing": (
        spec(LOSS, regularization={"l2": 1, "parameters": ["*.weight"]}),
        "unknown_name",
        "/regularization/parameters/0",
        "*.weight",
    ),
    "tied to nothing": (
        spec({"kind": "linear", "config": {"units": 4}, "tied_to": "linear9"}, LOSS),
        "tie_invalid",
        "/nodes/0/tied_to",
        "no node is named 'linear9'",
    ),
    "tied to itself": (
        spec({"kind": "linear", "config": {"units": 4}, "tied_to": "linear1"}),
        "tie_invalid",
        "/nodes/0/tied_to",
        "tied itself",
    ),
    "tied without parameters": (
        spec({"kind": "linear", "config": {"units": 4}}, {"kind": "tanh", "tied_to": "linear1"}),
        "tie_invalid",
        "/nodes/1/tied_to",
        "no parameters",
    ),
    "tied to another shape": (
        spec(
            {"kind": "linear", "config": {"units": 3}},
            {"kind": "linear", "config": {"units": 3}, "tied_to": "linear1"},
        ),
        "tie_invalid",
        "/nodes/1/tied_to",
        "weight [3, 4]",
    ),
    "too many nodes": (spec(*[LOSS] * 641), "too_many_nodes", "/nodes", "640"),
    "a million nodes": (spec(*[LOSS] * 1_000_000), "too_many_nodes", "/nodes", "1000000"),
    "too many network inputs": (
        spec(LOSS, inputs={f"x{n}": {"shape": []} for n in range(641)}),
        "too_many_nodes",
        "/inputs",
        "641",
    ),
    "a long cycle": (
        spec(*[{"name": f"n{n}", "kind": "tanh", "inputs": [f"n{(n + 1) % 500}"]} for n in range(500)], LOSS),
        "graph_cycle",
        "/nodes/0/inputs",
        "→ … →",
    ),
    "F02": (
        spec({"kind": "linear", "config": {"units": 100_000}}, LOSS, inputs={"x": {"shape": [100_000]}}),
        "memory_plan_exceeded",
        "",
        "at most",
    ),
    "F03": (
        spec(
            *[{"name": f"c{n + 1}", "kind": "concat", "inputs": [f"c{n}"] * 2} for n in range(40)],
            inputs={"c0": {"shape": [1]}},
        ),
        "memory_plan_exceeded",
        "",
        "up to node 'c28'",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named(name: str) -> None:
    wrong, code, pointer, message = WRONG[name]
    with pytest.raises(Refused) as caught:
        compiled(wrong)
    fault = caught.value.faults[0]
    assert (fault.code, fault.pointer) == (code, pointer)
    assert message in fault.detail
    assert len(fault.detail) < 300


def test_faults_are_told_all_at_once() -> None:
    wrong = spec({"kind": "sigmod"}, {"kind": "linear", "config": {"unit": 1}}, {"kind": "linear"})
    with pytest.raises(Refused) as caught:
        compiled(wrong)
    assert [fault.pointer for fault in caught.value.faults] == [
        "/nodes/0/kind",
        "/nodes/1/config/unit",
        "/nodes/1/config/units",
        "/nodes/2/config/units",
    ]


def test_a_chain_of_640_nodes_is_a_network() -> None:
    assert len(compiled(spec(*[{"kind": "tanh"}] * 639, LOSS)).nodes) == 640


def test_an_input_takes_the_integers_all_its_layers_allow() -> None:
    network = compiled(
        spec(
            {"name": "e", "kind": "embedding", "inputs": ["i"], "config": {"rows": 9, "width": 3}},
            {"kind": "softmax_nll", "inputs": ["e", "i"]},
            inputs={"i": {"shape": [], "dtype": "int64"}},
        )
    )
    assert network.inputs["i"].ranges == (range(0, 3),)


def test_limits_are_the_ones_given() -> None:
    with pytest.raises(Refused, match="at most 1 are allowed"):
        compile_network(spec({"kind": "tanh"}, LOSS), LAYERS, Limits(nodes=1))


def test_metadata_changes_nothing() -> None:
    assert compiled(spec(LOSS, metadata={"params/a": "b"})).id == compiled(spec(LOSS)).id


def test_regularization_may_find_no_weights() -> None:
    assert compiled(spec(LOSS, regularization={"l2": 1})).regularization.parameters == ()


def test_many_faults_cost_no_more_than_those_told() -> None:
    names = ["ab" * 30 + f"{n}" for n in range(511)]
    nodes = [{"name": name, "kind": "add", "inputs": [name + "q"] * 1000} for name in names]
    with pytest.raises(Refused) as caught:
        compiled(spec(*nodes, LOSS))
    assert len(caught.value.faults) == 20


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "inputs",
                    "nodes",
                    "loss",
                    "x",
                    "shape",
                    "kind",
                    "name",
                    "config",
                    "tied_to",
                    "regularization",
                    "metadata",
                    "l2",
                    "dtype",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(
    JSON
    | st.fixed_dictionaries(
        {
            "inputs": JSON,
            "nodes": st.lists(
                st.fixed_dictionaries(
                    {"kind": st.sampled_from(sorted(LAYERS)) | JSON, "config": JSON, "inputs": JSON}
                ),
                max_size=3,
            ),
        }
    )
)
def test_no_json_at_all_makes_it_fail_otherwise(junk: Any) -> None:
    try:
        compiled(junk)
    except Refused as refused:
        assert refused.faults and all(fault.code and fault.detail for fault in refused.faults)
