"""Targets: the names of a request, looked up."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

import numpy as np
import pytest
from support.engine import compiled

from deltawire.errors import Refused
from deltawire_service.engine.plan.targets import Targets, gradient_targets, loss_targets, value_targets

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


def test_a_network_without_a_loss_says_so_when_one_is_needed() -> None:
    network = compiled({"inputs": {"x": {"shape": [2]}}, "nodes": [{"kind": "tanh"}]})
    with pytest.raises(Refused) as caught:
        network.gradients({}, {"x": np.ones((1, 2))})
    assert (caught.value.pointer, caught.value.code) == ("/network/loss", "loss_missing")
    assert "'tanh1', has shape [2]" in caught.value.faults[0].detail


def test_globs_and_flags_are_resolved() -> None:
    network = compiled(SPEC)
    everything = gradient_targets(network, True, True)
    assert everything.params == {"h.weight", "h.bias"} and everything.data == {"x", "m"}
    assert gradient_targets(network, False, False) == Targets()
    assert gradient_targets(network, ["*.b*", "h.*"], ["m"]).params == {"h.weight", "h.bias"}
    chosen = gradient_targets(network, ["*.bias"], ["m"], ["probs"], ["h"], trace=True)
    assert chosen == Targets(
        frozenset({"h.bias"}), frozenset({"m"}), frozenset({"probs"}), frozenset({"h"}), trace=True
    )


def test_values_alone_need_no_loss() -> None:
    network = compiled({"inputs": {"x": {"shape": [2]}}, "nodes": [{"kind": "tanh"}]})
    assert value_targets(network, ["tanh1"]) == Targets(values=frozenset({"tanh1"}), loss=False)
    for option in ("values", "outputs"):
        with pytest.raises(Refused) as caught:
            value_targets(network, ["tanh2"], option)
        assert caught.value.pointer == f"/{option}/0"
    with pytest.raises(Refused):
        loss_targets(network)


def test_all_unknown_names_are_reported_together() -> None:
    with pytest.raises(Refused) as caught:
        gradient_targets(compiled(SPEC), ["g.*"], ["z"], ["p"], ["q"])
    assert [fault.pointer for fault in caught.value.faults] == [
        "/wrt/params/0", "/wrt/data/0", "/values/0", "/deltas/0",
    ]  # fmt: skip
