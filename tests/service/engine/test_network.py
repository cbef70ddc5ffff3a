"""The engine's face: requests that are right, requests that are wrong, numbers that are not finite, first
numbers."""

from __future__ import annotations

import gc
from typing import Any
from weakref import ref

import numpy as np
import pytest
from support.engine import compiled

from deltawire.errors import Refused

SPEC = {
    "inputs": {
        "x": {"shape": [2]},
        "y": {"shape": [], "dtype": "int64"},
        "m": {"shape": [3], "shared": True},
    },
    "nodes": [
        {"name": "h", "kind": "linear", "inputs": ["x"], "config": {"units": 3}},
        {"name": "hm", "kind": "multiply", "inputs": ["h", "m"]} | {"inputs": ["h", "m"]},
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
    return tuple(caught.value.faults[0])


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
    ("y", np.array([0, -1, 2, 0]), "/data/y/1", "label_out_of_range", "from 0 to 2, got -1 in row 1"),
    ("y", np.array([0, 1, 2, 3]), "/data/y/3", "label_out_of_range", "got 3 in row 3"),
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


@pytest.mark.parametrize(
    "options, pointer, code, message",
    [
        ({"wrt_params": ["h.wieght"]}, "/wrt/params/0", "unknown_name", "did you mean 'h.weight'"),
        ({"wrt_params": ["h.*", "g.*"]}, "/wrt/params/1", "unknown_name", "g.*"),
        ({"wrt_data": ["x", "z"]}, "/wrt/data/1", "unknown_name", "z"),
        ({"wrt_data": ["y"]}, "/wrt/data/0", "not_differentiable", "integers"),
        ({"values": ["prob"]}, "/values/0", "unknown_name", "did you mean 'probs'"),
        ({"deltas": ["h", "x"]}, "/deltas/1", "unknown_name", "no node is named 'x'"),
    ],
)
def test_names_asked_for_must_exist(options: dict[str, Any], pointer: str, code: str, message: str) -> None:
    got = refusal(*request(), **options)
    assert got[:2] == (pointer, code) and message in got[2]


def test_the_answer_holds_what_was_asked_for_and_nothing_else() -> None:
    params, data = request()
    result = compiled(SPEC).gradients(
        params, data, wrt_params=["*.bias"], wrt_data=["m", "x"], values=["probs"], deltas=["h"]
    )
    assert list(result.params) == ["h.bias"] and sorted(result.data) == ["m", "x"]
    assert result.data["m"].shape == (3,) and result.data["x"].shape == (4, 2)
    assert result.loss == pytest.approx(result.losses.mean())
    assert result.values["probs"].sum(axis=1) == pytest.approx(np.ones(4))
    assert result.deltas["h"].shape == (4, 3)
    only = compiled(SPEC).gradients(params, data, wrt_params=False)
    assert (only.params, only.data, only.values, only.deltas) == ({}, {}, {}, {})


def test_mean_is_the_sum_over_the_number_of_examples() -> None:
    params, data = request()
    mean, total = (compiled(SPEC).gradients(params, data, reduction=how) for how in ("mean", "sum"))
    assert total.loss == pytest.approx(4 * mean.loss)
    assert total.params["h.weight"] == pytest.approx(4 * mean.params["h.weight"])


def test_regularization_counts_once_whatever_the_reduction() -> None:
    params, data = request()
    plain = compiled(SPEC).gradients(params, data, reduction="sum")
    decayed = compiled(SPEC | {"regularization": {"l2": 0.5, "parameters": ["h.weight"]}}).gradients(
        params, data, reduction="sum"
    )
    W = params["h.weight"]
    assert decayed.loss == pytest.approx(plain.loss + 0.25 * (W * W).sum())
    assert decayed.params["h.weight"] == pytest.approx(plain.params["h.weight"] + 0.5 * W)
    assert np.array_equal(decayed.params["h.bias"], plain.params["h.bias"])


def test_a_network_without_a_loss_says_so_when_one_is_needed() -> None:
    network = compiled({"inputs": {"x": {"shape": [2]}}, "nodes": [{"kind": "tanh"}]})
    with pytest.raises(Refused) as caught:
        network.gradients({}, {"x": np.ones((1, 2))})
    assert caught.value.faults[0][:2] == ("/network/loss", "loss_missing")
    assert "'tanh1', has shape [2]" in caught.value.faults[0].detail


CHAIN = {
    "inputs": {"x": {"shape": []}},
    "nodes": [
        {"name": "e", "kind": "exp", "inputs": ["x"]},
        {"name": "r", "kind": "reciprocal"},
        {"name": "f", "kind": "multiply", "inputs": ["e", "r"]},
    ],
}


@pytest.mark.parametrize(
    "x, pointer, message",
    [
        (1000.0, "/network/nodes/0", "node 'e' (exp): its value"),
        (-1000.0, "/network/nodes/1", "node 'r' (reciprocal): its value"),
        (
            np.nan,
            "/data/x",
            "'x' holds a number that is not finite, at [1]: non_finite",
        ),
    ],
)
def test_the_first_number_that_is_not_finite_is_found(x: float, pointer: str, message: str) -> None:
    network, data = compiled(CHAIN), {"x": np.array([0.0, x])}
    with pytest.raises(Refused) as caught:
        network.gradients({}, data, wrt_data=True)
    fault = caught.value.faults[0]
    assert (fault.pointer, fault.code) == (pointer, "non_finite") and message in fault.detail
    assert np.isnan(network.gradients({}, data, wrt_data=True, non_finite="return").loss)


def test_a_delta_that_is_not_finite_is_found() -> None:
    spec = {"inputs": {"x": {"shape": []}}, "nodes": [{"name": "r", "kind": "reciprocal", "inputs": ["x"]}]}
    with pytest.raises(Refused, match="node 'r' .reciprocal.: its delta sent to 'x' is the first"):
        compiled(spec).gradients({}, {"x": np.array([1e-200])}, wrt_data=True)


def test_a_sum_that_overflows_is_found() -> None:
    spec = {"inputs": {"x": {"shape": []}}, "nodes": [{"kind": "identity", "inputs": ["x"]}]}
    with pytest.raises(Refused) as caught:
        compiled(spec).gradients({}, {"x": np.full(4, 1e308)}, reduction="sum")
    assert caught.value.faults[0][:2] == ("/network/loss", "non_finite")


def test_a_batch_of_shared_inputs_alone_has_one_example() -> None:
    spec = {"inputs": {"x": {"shape": [], "shared": True}}, "nodes": [{"kind": "exp"}]}
    result = compiled(spec).gradients({}, {"x": np.array(0.0)}, wrt_data=True)
    assert (result.loss, result.data["x"].shape, result.losses.shape) == (1.0, (), (1,))


FIRST = [0.47457611950170664, 0.16810226100551212, 0.6322261190694685]


def test_first_numbers_come_from_seed_and_name_alone() -> None:
    network = compiled(SPEC)
    drawn = network.init(7)
    assert drawn["h.bias"].tolist() == FIRST  # literal numbers: the promise is that every machine draws these
    assert network.init(7)["h.bias"].tolist() == FIRST
    assert network.init(8)["h.bias"].tolist() != FIRST
    assert drawn["h.weight"].shape == (3, 2) and abs(drawn["h.weight"]).max() <= 0.5**0.5
    assert network.init(7, np.float32)["h.bias"].tolist() == np.float32(FIRST).tolist()
    alone = compiled(
        {"inputs": {"x": {"shape": [2]}}, "nodes": [{"name": "h", "kind": "linear", "config": {"units": 3}}]}
    )
    assert alone.init(7)["h.weight"].tolist() == drawn["h.weight"].tolist()


def test_a_network_that_nobody_uses_is_gone_at_once() -> None:
    params, data = request()
    network = compiled(SPEC)
    network.gradients(params, data)
    network.vjp(params, data, {"probs": np.ones((4, 3))})
    kept = ref(network)
    gc.disable()  # workers collect seldom
    try:
        del network
        assert kept() is None
    finally:
        gc.enable()
