"""The first number that is not finite is found."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from support.engine import compiled

from deltawire.errors import Refused
from deltawire_service.engine import DeadlineExceeded, call_until
from deltawire_service.engine.execute.non_finite import find_in_arrays, find_non_finite
from deltawire_service.engine.plan.memory_plan import NO_BODY_COST
from deltawire_service.engine.plan.targets import Wrt

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
            "'x' holds a number that is not finite: nan in example 1",
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
    assert (caught.value.pointer, caught.value.code) == ("/network/loss", "non_finite")


def test_a_run_whose_arrays_are_all_finite_has_no_fault() -> None:
    network = compiled(CHAIN)
    batch = network.check_batch({}, {"x": np.array([0.5, 1.0])})
    targets = network.targets(Wrt(data=True))
    plan = network.memory_plan(targets, 2, batch.dtype, NO_BODY_COST)
    run = network.batch_run(batch, targets, plan, network.objective(2, "mean").starts)
    assert find_non_finite(run) is None
    wrong = run.with_batch(network.check_batch({}, {"x": np.array([0.5, 1000.0])}))
    fault = find_non_finite(wrong, "the derivative of its")
    assert fault is not None and "the derivative of its value is the first" in fault.detail
    with pytest.raises(DeadlineExceeded):
        call_until(-inf, lambda: find_non_finite(run))


@pytest.mark.parametrize(
    "array, where",
    [(np.array([[0, 1], [np.inf, np.nan]]), "inf, at [1, 0]"), (np.array(np.nan), "finite: nan")],
)
def test_the_place_in_an_array_is_named(array: np.ndarray, where: str) -> None:
    fault = find_in_arrays({"a": np.ones(3), "b": array}, "cotangents")
    assert fault is not None and (fault.pointer, fault.code) == ("/cotangents/b", "non_finite")
    assert where in fault.detail
    assert find_in_arrays({"a": np.ones(3)}, "cotangents") is None


def chain(kind: str, shape: list[int], **config: object) -> dict[str, object]:
    """Return the spec of Σ kind(2·x), whose layer of that kind gets the value of another node."""
    return {
        "inputs": {"x": {"shape": shape}},
        "nodes": [
            {"name": "twice", "kind": "add", "inputs": ["x", "x"]},
            {"name": "f", "kind": kind, "config": config},
            {"kind": "sum"},
        ],
    }


@pytest.mark.parametrize(
    "kind, config, number, message",
    [
        (
            "log",
            {},
            -1.0,
            "node 'f' (log): its value is the first that is not finite: nan in example 70, at [1], where "
            "'twice' is -2.0: 'log' and its derivative are defined for numbers above 0",
        ),
        (
            "sqrt",
            {},
            0.0,
            "node 'f' (sqrt): its delta sent to 'twice' is the first that is not finite: inf in example 70, "
            "at [1], where 'twice' is 0.0: 'sqrt' and its derivative are defined for numbers above 0",
        ),
        (
            "power",
            {"exponent": 400},
            -1e9,
            "node 'f' (power): its value is the first that is not finite: inf in example 70, at [1], where "
            "'twice' is -2000000000.0",
        ),
        (
            "exp",
            {},
            400.0,
            "node 'f' (exp): its value is the first that is not finite: inf in example 70, at [1], where "
            "'twice' is 800.0",
        ),
    ],
)
@pytest.mark.parametrize("batch, chunks", [(100, 1), (200_000, 2)])
def test_the_example_the_place_and_the_input_are_named(
    kind: str, config: dict[str, object], number: float, message: str, batch: int, chunks: int
) -> None:
    network = compiled(chain(kind, [3], **config))
    assert (network.plan(batch=batch).chunks > 1) is (chunks > 1)
    x = np.ones((batch, 3))
    x[batch - 30, 1] = number
    with pytest.raises(Refused) as caught:
        network.gradients({}, {"x": x}, wrt_data=True)
    assert caught.value.faults[0].detail == message.replace("example 70", f"example {batch - 30}")


def test_a_quotient_names_both_numbers() -> None:
    spec = {
        "inputs": {"a": {"shape": []}, "b": {"shape": [], "shared": True}},
        "nodes": [{"name": "f", "kind": "divide", "inputs": ["a", "b"]}],
    }
    with pytest.raises(Refused, match=r"inf in example 0, where 'a' is 1.0 and 'b' is 0.0"):
        compiled(spec).gradients({}, {"a": np.ones(2), "b": np.array(0.0)})


@pytest.mark.parametrize(
    "kind, inputs, number, message",
    [
        (
            "log",
            ["w"],
            -1.0,
            "nan in example 0, at [0], where 'w' is -1.0: 'log' and its derivative are defined for numbers "
            "above 0",
        ),
        ("multiply", ["x", "w"], 1e200, "inf in example 0, at [0], where 'x' is 1e+200 and 'w' is 1e+200"),
    ],
)
def test_a_learned_input_is_named_as_any_other(
    kind: str, inputs: list[str], number: float, message: str
) -> None:
    spec = {
        "inputs": {"x": {"shape": [3]}, "w": {"shape": [3], "parameter": {"constant": 1}}},
        "nodes": [
            {"name": "f", "kind": kind, "inputs": inputs},
            {"name": "both", "kind": "add", "inputs": ["f", "x"]},
            {"kind": "sum"},
        ],
    }
    network = compiled(spec)
    with pytest.raises(Refused) as caught:
        network.gradients({"w": np.full(3, number)}, {"x": np.full((2, 3), 1e200)})
    assert (
        caught.value.faults[0].detail
        == f"node 'f' ({kind}): its value is the first that is not finite: {message}"
    )
