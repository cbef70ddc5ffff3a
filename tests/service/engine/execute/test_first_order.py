"""A layer of `orders` 1 in a run of complex numbers: real arguments, deltas in two parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.layers import registry
from support.simulated import Analytic, Simulated

from deltawire.errors import Refused
from deltawire_service.engine import Node, compile_network
from deltawire_service.engine.execute import first_order, layer_calls
from deltawire_service.engine.execute.complex_step import COMPLEX

X = np.random.default_rng(0).standard_normal((4, 3)).astype(COMPLEX)
W = np.array(1.5 + 0j)


@pytest.fixture(scope="module")
def node() -> Node:
    spec = {"inputs": {"x": {"shape": [3]}}, "nodes": [{"name": "sim", "kind": "simulated"}]}
    return compile_network(spec, registry(simulated=Simulated)).nodes["sim"]


def test_a_complex_delta_goes_through_in_two_parts(node: Node) -> None:
    value, activation = first_order.forward(node, {"w": W}, [X], COMPLEX)
    twin = replace(node, layer=Analytic())
    right, expected = layer_calls.forward(twin, {"w": W}, [X], COMPLEX)
    assert value.dtype == COMPLEX and not value.flags.writeable
    np.testing.assert_allclose(value, right, rtol=1e-15)
    delta = np.ones((4, 3)) + 1e-200j * np.arange(12).reshape(4, 3)
    signal = layer_calls.signal(node, activation, delta)
    for ours, theirs in (
        (activation.deltas[0], expected.deltas[0]),
        (activation.grads["w"], expected.grads["w"]),
    ):
        assert ours is not None and theirs is not None
        found, exact = ours(signal), theirs(delta)
        np.testing.assert_allclose(found.real, exact.real, rtol=1e-14)
        np.testing.assert_allclose(found.imag, exact.imag, rtol=1e-14)


def test_a_step_that_moves_it_is_refused_whoever_forgot_to_look(node: Node) -> None:
    for params, x in (({"w": W}, X + 1e-200j), ({"w": W + 1e-200j}, X)):
        with pytest.raises(Refused, match=r"'sim' \(simulated\) has first derivatives only") as refused:
            first_order.forward(node, params, [x], COMPLEX)
        assert refused.value.code == "first_order_only"


def test_numbers_that_are_not_finite_are_no_step(node: Node) -> None:
    x = X.copy()
    x[0, 0] = complex(np.inf, np.nan)
    value, _ = first_order.forward(node, {"w": W}, [x], COMPLEX)
    assert value[0, 0] == 1.5
