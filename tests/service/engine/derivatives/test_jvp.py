"""Jacobian-vector products: kinks, sizes, float32, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from support.engine import compiled

from deltawire.errors import Refused
from deltawire_service.engine import Direction, Network


def pointwise(*kinds: str) -> Network:
    nodes = [{"name": kind, "kind": kind} for kind in kinds]
    return compiled({"inputs": {"x": {"shape": []}}, "nodes": nodes, "loss": kinds[-1]})


def slope(network: Network, at: float, along: float = 1.0) -> float:
    (name,) = network.loss
    direction = Direction(data={"x": np.array([along])})
    found = network.jvp({}, {"x": np.array([at])}, direction, [name], non_finite="return")
    return float(found.tangents[name][0])


@pytest.mark.parametrize("along", [1.0, 1e-300, 5e-324, 1e300, -3.7, 0.0])
def test_directions_may_have_any_size(along: float) -> None:
    network = pointwise("tanh")
    expected = along * (1 - np.tanh(0.3) ** 2)
    assert slope(network, 0.3, along) == pytest.approx(expected, rel=1e-15, abs=5e-324)


def test_a_derivative_that_is_not_finite_names_its_node() -> None:
    network = pointwise("identity", "sqrt")
    at, along = {"x": np.array([0.0])}, Direction(data={"x": np.array([1.0])})
    with pytest.raises(Refused, match=r"'sqrt' \(sqrt\): the derivative of its value") as refused:
        network.jvp({}, at, along, ["sqrt"])
    assert (refused.value.pointer, refused.value.code) == ("/network/nodes/1", "non_finite")
    with pytest.raises(Refused, match="'e' .*: its value is the first") as refused:
        exp = compiled({"inputs": {"x": {"shape": []}}, "nodes": [{"name": "e", "kind": "exp"}]})
        exp.jvp({}, {"x": np.array([1e4])}, along, ["e"])
    with pytest.raises(Refused, match="'data/x' holds a number") as refused:
        network.jvp({}, {"x": np.array([1.0])}, Direction(data={"x": np.array([np.inf])}), ["sqrt"])
    assert refused.value.pointer == "/tangents/data/x"


STACK = {
    "inputs": {"x": {"shape": [3]}, "y": {"shape": [], "dtype": "int64"}},
    "nodes": [
        {"name": "h", "kind": "linear", "inputs": ["x"], "config": {"units": 4}},
        {"name": "a", "kind": "tanh"},
        {"name": "loss", "kind": "softmax_nll", "inputs": ["a", "y"]},
    ],
}


def test_only_what_leads_to_the_outputs_is_needed_and_several_share_an_axis() -> None:
    network, rng = compiled(STACK), np.random.default_rng(0)
    params, data = network.init(0), {"x": rng.standard_normal((5, 3))}
    tangents = Direction({"h.weight": rng.standard_normal((2, 4, 3))}, {"x": rng.standard_normal((2, 5, 3))})
    both = network.jvp(params, data, tangents, ["a", "h"])
    assert both.values["a"].shape == (5, 4) and both.tangents["a"].shape == (2, 5, 4)
    # h is linear in either: its tangent is known by hand.
    W, V, x, dx = params["h.weight"], tangents.params["h.weight"], data["x"], tangents.data["x"]
    np.testing.assert_allclose(both.tangents["h"], x @ V.swapaxes(1, 2) + dx @ W.T, rtol=1e-13)
    slope = 1 - np.tanh(both.values["h"]) ** 2
    np.testing.assert_allclose(both.tangents["a"], slope * both.tangents["h"], rtol=1e-13)


def test_of_several_tangents_the_one_that_is_not_finite_is_found() -> None:
    """The last of them is finite, and so is the value."""
    network = pointwise("identity", "sqrt")
    tangents = Direction(data={"x": np.array([[0.0, 1.0], [1.0, 0.0]])})
    with pytest.raises(Refused, match=r"'sqrt' \(sqrt\): the derivative of its value"):
        network.jvp({}, {"x": np.array([1.0, 0.0])}, tangents, ["sqrt"])
