"""The complex step: exact along directions of any size, at kinks and far out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.engine import compiled

from deltawire_service.engine import Direction, Network
from deltawire_service.engine.execute.complex_step import COMPLEX, Step
from deltawire_service.engine.plan.memory_plan import NO_BODY_COST
from deltawire_service.engine.plan.targets import value_targets


def pointwise(*kinds: str) -> Network:
    nodes = [{"name": kind, "kind": kind} for kind in kinds]
    return compiled({"inputs": {"x": {"shape": []}}, "nodes": nodes, "loss": kinds[-1]})


def slope(network: Network, at: float, along: float = 1.0) -> float:
    (name,) = network.loss
    direction = Direction(data={"x": np.array([along])})
    found = network.jvp({}, {"x": np.array([at])}, direction, [name], non_finite="return")
    return float(found.tangents[name][0])


def curvature(network: Network, at: float, along: float = 1.0) -> float:
    direction = Direction(data={"x": np.array([along])})
    return float(network.hvp({}, {"x": np.array([at])}, direction).data["x"][0])


def test_at_a_kink_the_branch_taken_is_differentiated() -> None:
    assert [slope(pointwise("relu"), at) for at in (-1.0, 0.0, 1.0)] == [0, 0, 1]
    squared = compiled(
        {
            "inputs": {"x": {"shape": []}},
            "nodes": [{"kind": "relu"}, {"kind": "multiply", "inputs": ["relu1", "relu1"]}],
        }
    )
    assert [curvature(squared, at) for at in (-1.0, 0.0, 1.0)] == [0, 0, 2]


def test_far_out_nothing_overflows() -> None:
    for at in (-1e4, -800.0, 800.0, 1e4):
        assert slope(pointwise("sigmoid"), at) == 0
        assert slope(pointwise("softplus"), at) == (at > 0)
        assert curvature(pointwise("softplus"), at) == 0


@given(st.floats(1e-190, 1e190), st.floats(1e-100, 3))
def test_a_step_and_back_is_exact(size: float, at: float) -> None:
    """The derivative of x² is a product of two numbers, which is rounded once."""
    network = compiled(
        {"inputs": {"x": {"shape": []}}, "nodes": [{"kind": "multiply", "inputs": ["x", "x"]}]}
    )
    batch = network.check_batch({}, {"x": np.array([at])})
    targets = value_targets(network, ["multiply1"])
    run = network.batch_run(batch, targets, network.memory_plan(targets, 1, COMPLEX, NO_BODY_COST))
    step = Step.along({}, {"x": np.array([size])})
    moved = run.moved(step)
    assert moved.batch.dtype == COMPLEX and moved.inputs(0, 1)["x"].real == at
    with np.errstate(all="ignore"):
        expected = 2 * at * size
    derivative = step.derivative(moved.values()["multiply1"], np.dtype(np.float64))[0]
    assert derivative == pytest.approx(expected, rel=1e-15)


def test_integers_do_not_move() -> None:
    spec = {
        "inputs": {"x": {"shape": [2]}, "y": {"shape": [], "dtype": "int64"}},
        "nodes": [{"kind": "softmax_nll", "inputs": ["x", "y"]}],
    }
    network = compiled(spec)
    data = {"x": np.ones((1, 2)), "y": np.array([1])}
    targets = value_targets(network, ["softmax_nll1"])
    plan = network.memory_plan(targets, 1, COMPLEX, NO_BODY_COST)
    run = network.batch_run(network.check_batch({}, data), targets, plan)
    moved = run.moved(Step.along({}, {"x": np.ones((1, 2))})).inputs(0, 1)
    assert moved["y"].dtype == np.int64 and moved["y"] == 1 and (moved["x"].imag == 2.0**-665).all()
