"""Gradients and values: what a result holds, and what is refused."""

from __future__ import annotations

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
        {"name": "hm", "kind": "multiply", "inputs": ["h", "m"]},
        {"name": "loss", "kind": "softmax_nll", "inputs": ["hm", "y"]},
        {"name": "probs", "kind": "softmax", "inputs": ["hm"]},
    ],
    "loss": "loss",
}


def request() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    params = {"h.weight": np.arange(6.0).reshape(3, 2), "h.bias": np.zeros(3)}
    return params, {"x": np.ones((4, 2)), "y": np.array([0, 1, 2, 0]), "m": np.ones(3)}


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


def test_a_batch_of_shared_inputs_alone_has_one_example() -> None:
    spec = {"inputs": {"x": {"shape": [], "shared": True}}, "nodes": [{"kind": "exp"}]}
    result = compiled(spec).gradients({}, {"x": np.array(0.0)}, wrt_data=True)
    assert (result.loss, result.data["x"].shape, result.losses.shape) == (1.0, (), (1,))


STACK = {
    "inputs": {
        "x": {"shape": [64]},
        "y": {"shape": [], "dtype": "int64"},
        "m": {"shape": [32], "shared": True},
    },
    "nodes": [
        {"kind": "linear", "config": {"units": 32}, "inputs": ["x"]},
        {"kind": "multiply", "inputs": ["linear1", "m"]},
        {"name": "loss", "kind": "softmax_nll", "inputs": ["multiply1", "y"]},
        {"name": "probs", "kind": "softmax", "inputs": ["multiply1"]},
    ],
    "loss": "loss",
}


def test_forward_needs_only_what_leads_to_the_values_asked_for() -> None:
    network = compiled(STACK)
    params = network.init(0)
    data = {"x": np.ones((5, 64)), "m": np.ones(32)}
    values = network.forward(params, data, ["probs", "linear1"])
    assert list(values) == ["linear1", "probs"]
    assert values["probs"].shape == (5, 32) and np.allclose(values["probs"].sum(axis=1), 1)
    labelled = network.forward(params, data | {"y": np.zeros(5, np.int64)}, ["probs"])
    assert labelled["probs"].tobytes() == values["probs"].tobytes()
    assert network.forward({"linear1.weight": params["linear1.weight"]} | params, data, ["linear1"])


@pytest.mark.parametrize(
    "data, values, pointer, code",
    [
        ({}, ["probs"], "/data/x", "missing_data"),
        ({"x": np.ones((5, 64)), "m": np.ones(32), "z": np.ones(1)}, ["probs"], "/data/z", "unknown_data"),
        ({"x": np.ones((5, 64)), "m": np.ones(32)}, ["loss"], "/data/y", "missing_data"),
        (
            {"x": np.ones((5, 64)), "m": np.ones(32), "y": np.full(5, 32)},
            ["probs"],
            "/data/y/0",
            "label_out_of_range",
        ),
        ({"x": np.ones((5, 64)), "m": np.ones(32)}, [], "/values", "field_invalid"),
        ({"x": np.ones((5, 64)), "m": np.ones(32)}, ["prob"], "/values/0", "unknown_name"),
        ({"x": np.full((5, 64), np.inf), "m": np.ones(32)}, ["probs"], "/data/x", "non_finite"),
    ],
)
def test_wrong_forward_requests(
    data: dict[str, np.ndarray], values: list[str], pointer: str, code: str
) -> None:
    network = compiled(STACK)
    with pytest.raises(Refused) as caught:
        network.forward(network.init(0), data, values)
    assert (caught.value.faults[0].pointer, caught.value.faults[0].code) == (pointer, code)
