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
    inputs = {"y": InputSpec((), "int64", shared=False, ranges=(range(start, stop),))}
    network = replace(compiled({"inputs": {"x": {"shape": []}}, "nodes": [{"kind": "tanh"}]}), inputs=inputs)
    wrong = [place for place, label in enumerate(labels) if label not in range(start, stop)]
    try:
        check_arrays(network, {}, {"y": np.array(labels)})
    except Refused as refused:
        assert refused.pointer == f"/data/y/{wrong[0]}" and refused.code == "label_out_of_range"
    else:
        assert not wrong


@pytest.mark.parametrize("ignored", [-100, -1, 7])
@pytest.mark.parametrize("kind", ["nll", "softmax_nll"])
def test_a_label_is_a_class_or_the_ignored_one(kind: str, ignored: int) -> None:
    inputs = {"x": {"shape": [3]}, "t": {"shape": [], "dtype": "int64"}}
    node = {"name": "loss", "kind": kind, "inputs": ["x", "t"], "config": {"ignore_index": ignored}}
    network = compiled({"inputs": inputs, "nodes": [node]})
    losses = network.gradients({}, {"x": np.ones((3, 3)), "t": np.array([0, ignored, 2])}).losses
    assert losses[1] == 0 and losses[0] != 0
    classes = "integers from 0 to 2"
    words = f"{classes} or {ignored}" if ignored > 0 else f"{ignored} or {classes}"
    for label in {-100, -2, -1, 3, 7, 2**40} - {ignored}:
        with pytest.raises(Refused, match=f"expected {words}, got {label} in example 1") as refused:
            network.gradients({}, {"x": np.ones((3, 3)), "t": np.array([0, label, 2])})
        assert (refused.value.pointer, refused.value.code) == ("/data/t/1", "label_out_of_range")


def test_labels_of_two_losses_are_those_of_both() -> None:
    nodes = [
        {"name": name, "kind": "nll", "inputs": [scores, "t"], "config": {"ignore_index": ignored}}
        for name, scores, ignored in (("a", "x", -1), ("b", "y", 4), ("c", "y", -1))
    ]
    inputs = {"x": {"shape": [3]}, "y": {"shape": [5]}, "t": {"shape": [], "dtype": "int64"}}
    for count, ranges in ((1, (range(-1, 0), range(3))), (2, (range(3),)), (3, (range(3),))):
        used = {name: entry for name, entry in inputs.items() if count > 1 or name != "y"}
        assert compiled({"inputs": used, "nodes": nodes[:count]}).inputs["t"].ranges == ranges


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


PROBABILITIES, WEIGHTS = "expected numbers from 0 to 1, got ", "expected numbers of at least 0, got -"
BOUNDED: list[tuple[str, list[int], int, list[Any], str, str]] = [
    ("binary_nll", [], 1, [1.0, 0.5, -1.0], "/data/i1/2", PROBABILITIES + "-1.0 in example 2"),
    ("binary_nll", [2], 1, [[0, 1], [0, 2]], "/data/i1/1/1", PROBABILITIES + "2.0 in example 1"),
    ("kl_divergence", [2], 1, [[0, 3], [0, -0.5]], "/data/i1/1/1", WEIGHTS + "0.5"),
    ("batch_norm", [2], 2, [[1, -1e-3]], "/data/i2/0/1", WEIGHTS),
]  # fmt: skip


@pytest.mark.parametrize("case", BOUNDED, ids=lambda case: case[0])
def test_numbers_that_a_layer_would_take_wrongly(
    case: tuple[str, list[int], int, list[Any], str, str],
) -> None:
    kind, shape, position, numbers, place, words = case
    names = [f"i{each}" for each in range(3 if kind == "batch_norm" else 2)]
    network = compiled(
        {
            "inputs": {name: {"shape": shape} for name in names},
            "nodes": [{"name": "n", "kind": kind, "inputs": names, "config": {}}],
        }
    )
    params = {name: np.ones(shape) for name in network.parameters}
    data = {name: np.full((len(numbers), *shape), 0.5) for name in names}
    assert network.forward(params, data, ["n"])["n"].shape[0] == len(numbers)
    for dtype in (np.float64, np.float32):
        sent = {name: array.astype(dtype) for name, array in data.items()}
        sent[names[position]] = np.array(numbers, dtype)
        cast = {name: array.astype(dtype) for name, array in params.items()}
        with pytest.raises(Refused) as caught:
            network.forward(cast, sent, ["n"])
        fault = caught.value.faults[0]
        assert (fault.pointer, fault.code) == (place, "label_out_of_range")
        assert f"input '{names[position]}': {words}" in fault.detail


@pytest.mark.parametrize("kind", ["binary_nll", "focal", "kl_divergence", "poisson_nll"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_rounding_may_move_a_target_beyond_its_bounds(kind: str, dtype: Any) -> None:
    network = compiled(
        {
            "inputs": {"x": {"shape": []}, "t": {"shape": []}},
            "nodes": [{"name": "loss", "kind": kind, "inputs": ["x", "t"]}],
        }
    )

    def losses(targets: list[float]) -> Any:
        data = {"x": np.array([0.5, -3, 2, 1], dtype), "t": np.array(targets, dtype)}
        return network.gradients({}, data).losses

    moved = [1 + 2**-52, 1 + 2**-23, -(2.0**-53), -(2.0**-24)]
    assert losses(moved) == pytest.approx(losses([1, 1, 0, 0]), abs=1e-5)
    with pytest.raises(Refused, match="expected numbers"):
        losses([1, 1, 0, -2e-6])


def test_one_input_of_two_losses_has_the_bounds_of_both() -> None:
    nodes = [
        {"name": kind, "kind": kind, "inputs": ["x", "t"]}
        for kind in ("squared_error", "kl_divergence", "binary_nll")
    ]
    network = compiled({"inputs": {"x": {"shape": []}, "t": {"shape": []}}, "nodes": nodes})
    assert (network.inputs["t"].bounds, network.inputs["x"].bounds) == ((0, 1), None)


def test_a_check_of_gradients_may_move_a_target_out_of_its_bounds() -> None:
    network = compiled(
        {
            "inputs": {"x": {"shape": [3]}, "t": {"shape": [3]}},
            "nodes": [{"name": "loss", "kind": "binary_nll", "inputs": ["x", "t"]}],
        }
    )
    checked = network.check({}, {"x": np.ones((1, 3)), "t": np.array([[0.0, 1.0, 0.5]])})
    assert {array.name: array.passed for array in checked} == {"data/x": True, "data/t": True}
