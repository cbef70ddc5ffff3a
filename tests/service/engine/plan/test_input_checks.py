"""Checks of a request: what is wrong never reaches numpy."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.engine import compiled

from deltawire import Client, Network
from deltawire.errors import Refused
from deltawire_service.engine import InputSpec, Limits
from deltawire_service.engine.plan.input_checks import (
    check_arrays,
    check_names,
    check_numbers,
    check_parameter_bytes,
    check_plan,
    check_smallest,
)
from deltawire_service.engine.plan.memory_plan import make_drawing_plan

SPEC = {
    "inputs": {
        "x": {"shape": [2]},
        "y": {"shape": [], "dtype": "int64"},
        "m": {"shape": [3], "shared": True},
    },
    "nodes": [
        {"name": "h", "kind": "linear", "inputs": ["x"], "config": {"units": 3}},
        {"name": "hm", "kind": "multiply", "inputs": ["h", "m"]},
        {"name": "loss", "kind": "softmax_nll", "inputs": ["hm", "y"]},
        {"name": "probs", "kind": "softmax", "inputs": ["hm"]},
    ],
    "loss": "loss",
}


def request() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    params = {"h.weight": np.arange(6.0).reshape(3, 2), "h.bias": np.zeros(3)}
    return params, {"x": np.ones((4, 2)), "y": np.array([0, 1, 2, 0]), "m": np.ones(3)}


def refusal(params: Any, data: Any, **options: Any) -> tuple[str, str, str]:
    with pytest.raises(Refused) as caught:
        compiled(SPEC).gradients(params, data, **options)
    return astuple(caught.value.faults[0])


WRONG_DATA = [
    ("x", np.ones((4, 3)), "/data/x", "shape_mismatch", "expected shape [batch, 2], got [4, 3]"),
    ("x", np.ones(4), "/data/x", "shape_mismatch", "got [4]"),
    ("x", np.ones((4, 2, 1)), "/data/x", "shape_mismatch", "got [4, 2, 1]"),
    ("x", np.ones((5, 2)), "/data/y", "batch_mismatch", "expected 5 examples like 'x', got 4"),
    ("x", np.ones((0, 2)), "/data/x", "batch_empty", "at least one example"),
    ("x", np.ones((4, 2), np.float32), "/data/x", "dtype_mismatch", "expected float64"),
    ("x", np.ones((4, 2), np.int64), "/data/x", "dtype_unsupported", "int64"),
    ("x", np.ones((4, 2), bool), "/data/x", "dtype_unsupported", "bool"),
    ("x", np.ones((4, 2), complex), "/data/x", "dtype_unsupported", "complex128"),
    ("x", np.ones((4, 2), ">f8"), "/data/x", "dtype_unsupported", ">f8"),
    ("m", np.ones((4, 3)), "/data/m", "shape_mismatch", "expected shape [3]"),
    ("m", np.ones(1), "/data/m", "shape_mismatch", "got [1]"),
    ("y", np.array([0, -1, 2, 0]), "/data/y/1", "label_out_of_range", "from 0 to 2, got -1 in example 1"),
    ("y", np.array([0, 1, 2, 3]), "/data/y/3", "label_out_of_range", "got 3 in example 3"),
    ("y", np.zeros(4), "/data/y", "dtype_mismatch", "expected int64, got float64"),
    ("y", np.zeros(4, bool), "/data/y", "dtype_mismatch", "bool"),
    ("y", np.zeros((4, 1), np.int64), "/data/y", "shape_mismatch", "expected shape [batch], got [4, 1]"),
]


@pytest.mark.parametrize("name, array, pointer, code, message", WRONG_DATA)
def test_wrong_data_never_reaches_numpy(
    name: str, array: np.ndarray, pointer: str, code: str, message: str
) -> None:
    params, data = request()
    got = refusal(params, data | {name: array})
    assert got[:2] == (pointer, code) and message in got[2]


def test_wrong_parameters_never_reach_numpy() -> None:
    params, data = request()
    assert refusal(params | {"h.bias": np.zeros(1)}, data)[:2] == ("/params/h.bias", "shape_mismatch")
    assert refusal(params | {"h.weight": np.zeros((2, 3))}, data)[:2] == (
        "/params/h.weight",
        "shape_mismatch",
    )
    assert refusal(params | {"h.bias": np.zeros(3, np.float32)}, data)[:2] == (
        "/params/h.bias",
        "dtype_mismatch",
    )
    assert refusal({"h.weight": params["h.weight"]}, data)[:2] == ("/params/h.bias", "missing_parameter")
    unknown = refusal(params | {"h.wieght": np.zeros(3)}, data)
    assert (
        unknown[:2] == ("/params/h.wieght", "unknown_parameter") and "did you mean 'h.weight'" in unknown[2]
    )
    assert refusal(params, data | {"z": np.zeros(3)})[:2] == ("/data/z", "unknown_data")
    assert refusal(params, {"x": data["x"], "y": data["y"]})[:2] == ("/data/m", "missing_data")


@given(st.lists(st.integers(-3, 12), min_size=1, max_size=6), st.integers(-2, 2), st.integers(3, 9))
def test_labels_are_held_to_their_range(labels: list[int], start: int, stop: int) -> None:
    inputs = {"y": InputSpec((), "int64", shared=False, range=range(start, stop))}
    network = replace(compiled({"inputs": {"x": {"shape": []}}, "nodes": [{"kind": "tanh"}]}), inputs=inputs)
    wrong = [place for place, label in enumerate(labels) if label not in range(start, stop)]
    try:
        check_arrays(network, {}, {"y": np.array(labels)})
    except Refused as refused:
        assert refused.pointer == f"/data/y/{wrong[0]}" and refused.code == "label_out_of_range"
    else:
        assert not wrong


def test_what_does_not_lead_to_the_values_may_be_missing_but_not_misnamed() -> None:
    network = compiled(SPEC)
    check_names(network, {"h.weight", "h.bias"}, {"x"}, frozenset({"h"}))
    for params, data, pointer in (
        ({"h.bias"}, {"x"}, "/params/h.weight"),
        ({"h.weight", "h.bias"}, set[str](), "/data/x"),
        ({"h.weight", "h.bias"}, {"x", "z"}, "/data/z"),
    ):
        with pytest.raises(Refused) as caught:
            check_names(network, params, data, frozenset({"h"}))
        assert caught.value.pointer == pointer


def test_a_plan_of_too_many_operations_is_refused_with_both_numbers_and_the_way_out() -> None:
    network = compiled(SPEC)
    plan = network.plan(4)
    check_plan(replace(network, limits=Limits(planned_operations=plan.operations)), plan, 4)
    limits = Limits(planned_operations=plan.operations - 1, settings_prefix="OUR_")
    with pytest.raises(Refused) as caught:
        check_plan(replace(network, limits=limits), plan, 4)
    fault = caught.value.faults[0]
    assert (fault.code, fault.pointer) == ("cost_plan_exceeded", "/network")
    assert f"needs {plan.operations:.3g} operations, at most {plan.operations - 1:.3g} are" in fault.detail
    assert fault.detail.endswith(
        "(OUR_PLANNED_OPERATIONS): ask for fewer samples, directions, outputs or steps"
    )


def test_a_plan_above_the_limit_is_refused_with_the_way_out() -> None:
    network = compiled(SPEC)
    plan = network.plan(4)
    check_plan(replace(network, limits=Limits(planned_bytes=plan.peak_bytes)), plan, 4)
    limits = Limits(planned_bytes=plan.peak_bytes - 1, settings_prefix="OUR_")
    for batch, subject in ((1, "one example needs"), (4, "a batch of 4 (fewer at a time need less) needs")):
        with pytest.raises(Refused) as caught:
            check_plan(replace(network, limits=limits), plan, batch)
        fault = caught.value.faults[0]
        assert fault.detail.startswith(f"{subject} {plan.peak_bytes} bytes")
        assert fault.detail.endswith("are allowed (OUR_PLANNED_BYTES)") and fault.pointer == "/network"
    bare = replace(network, limits=Limits(planned_bytes=1))
    with pytest.raises(Refused, match="are allowed$"):
        check_smallest(bare)
    with pytest.raises(Refused, match="drawing the parameters needs .* are allowed$"):
        check_parameter_bytes(bare, make_drawing_plan(bare, 8))
    with pytest.raises(Refused, match="up to node 'h'"):
        check_numbers(bare.limits, "h", 1)


def test_an_integer_of_a_shared_input_is_of_no_example() -> None:
    net = Network()
    index = net.input("index", (2,), "int64", shared=True)
    net.layer(
        "dot", net.input("x", (2,)), net.layer("flatten", net.layer("embedding", index, rows=3, width=1))
    )
    with pytest.raises(Refused) as refused:
        Client().forward(net, {"embedding1.weight": np.ones((3, 1))}, {"x": np.ones((1, 2)), "index": [0, 5]})
    assert str(refused.value).endswith("/data/index/1: input 'index': expected integers from 0 to 2, got 5")
