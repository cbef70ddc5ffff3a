"""What every derivative starts from: cached, and freed with its network."""

from __future__ import annotations

import gc
from typing import Any
from weakref import ref

import numpy as np
import pytest
from support.engine import compiled

from deltawire.errors import Fault, Refused
from deltawire_service.engine.caches import ENTRY_BYTES, bytes_of
from deltawire_service.engine.plan.memory_plan import NO_BODY_COST
from deltawire_service.engine.plan.targets import Targets, Wrt

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


def test_a_network_that_nobody_uses_is_gone_at_once() -> None:
    params, data = request()
    network = compiled(SPEC)
    network.gradients(params, data)
    network.vjp(params, data, {"probs": np.ones((4, 3))})
    freed = ref(network)
    gc.disable()  # workers collect seldom
    try:
        del network
        assert freed() is None
    finally:
        gc.enable()


def test_targets_programs_and_plans_are_made_once() -> None:
    network = compiled(SPEC)
    targets = network.targets(Wrt(["*.bias"], ["x"]), ["probs"])
    assert network.targets(Wrt(("*.bias",), ("x",)), ("probs",)) is targets
    assert network.program(targets) is network.program(Targets(*targets))
    plan = network.memory_plan(targets, 4, np.dtype(np.float32), NO_BODY_COST)
    assert network.memory_plan(targets, 4, np.dtype(np.float32), NO_BODY_COST) is plan
    assert network.memory_plan(targets, 8, np.dtype(np.float32), NO_BODY_COST) is not plan


def test_what_is_derived_is_cached_beside_the_network() -> None:
    """The nodes are the network's own: programs refer to them, and are counted without them."""
    network = compiled(SPEC)
    targets = network.targets(Wrt())
    before = network.caches.bytes
    network.program(targets)
    grown = network.caches.bytes - before
    assert 0 < grown < bytes_of(network.program(targets)) < bytes_of(network)
    for batch in range(1, 101):
        network.memory_plan(targets, batch, np.dtype(np.float32), NO_BODY_COST)
    assert network.caches.bytes > before + grown + 100 * ENTRY_BYTES


def test_outputs_take_the_place_of_the_loss() -> None:
    network = compiled({**SPEC, "regularization": {"l2": 1.0}})
    other = network.with_outputs(("hm", "probs"))
    assert other.loss == {"hm": 1.0, "probs": 1.0} and not other.regularization.l2
    assert network.with_outputs(("hm", "probs")) is other
    assert (other.runner, other.threads) == (network.runner, network.threads)


def test_a_batch_is_checked_before_there_is_a_run() -> None:
    network, (params, data) = compiled(SPEC), request()
    batch = network.check_batch(params, data)
    assert (batch.size, batch.dtype) == (4, np.float64)
    with pytest.raises(Refused) as refused:
        network.check_batch(params, data | {"x": np.ones((3, 2))})
    assert refused.value.code == "batch_mismatch"


@pytest.mark.parametrize(
    "finite, non_finite, refused", [(True, "error", False), (False, "return", False), (False, "error", True)]
)
def test_what_is_not_finite_is_refused_unless_it_may_be_returned(
    finite: bool, non_finite: str, refused: bool
) -> None:
    network = compiled(SPEC)
    plan, searches = network.plan(1), list[str]()

    def find() -> Fault:
        searches.append("search")
        return Fault("/here", "non_finite", "found")

    def compute() -> Any:
        return network.compute(plan, lambda: ("result", finite), non_finite, find)

    if refused:
        with pytest.raises(Refused) as caught:
            compute()
        assert caught.value.pointer == "/here" and len(searches) == 1
    else:
        assert compute() == "result" and not searches
