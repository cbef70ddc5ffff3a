"""The gradient check passes right networks, and finds the place where a layer is wrong."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from support.engine import compiled
from support.layers import registry
from support.networks import Example, examples

from deltawire.errors import Refused
from deltawire_layers import Activation, Layer
from deltawire_service.engine import Plan, compile_network


@settings(max_examples=30)
@given(examples(most_nodes=8))
def test_right_networks_pass(example: Example) -> None:
    network = compiled(example.spec)
    checked = network.check(
        example.params, example.data, deltas=network.nodes, reduction=example.reduction, samples=4
    )
    names = {f"params/{name}" for name in example.params} | {f"deltas/{name}" for name in network.nodes}
    names |= {f"data/{name}" for name, array in example.data.items() if array.dtype != np.int64}
    assert {found.name for found in checked} == names
    for found in checked:
        # A kink within the step of the differences is theirs to miss, not ours.
        assert all(place.relative_difference < 1e-9 for place in found.worst), found
        assert found.checked == min(4, found.numbers)


class HalfWrong(Layer):
    """y = x², for x (...), its δ wrong in the last place."""

    def output_shape(self, x: tuple[int, ...]) -> tuple[int, ...]:
        return x

    def forward(self, params: Mapping[str, np.ndarray], x: np.ndarray) -> Activation:
        def wrong(delta: np.ndarray) -> np.ndarray:
            slope = 2 * x
            slope[..., -1] *= 1.01
            return delta * slope

        return Activation(x * x, deltas=(wrong,))


def test_a_wrong_place_is_found_and_named() -> None:
    nodes = [{"kind": "wrong"}, {"kind": "sum"}]
    network = compile_network({"inputs": {"x": {"shape": [3]}}, "nodes": nodes}, registry(wrong=HalfWrong))
    (checked,) = network.check({}, {"x": np.array([[1.0, 2.0, 3.0]])})
    assert (checked.name, checked.passed, checked.numbers, checked.checked) == ("data/x", False, 3, 3)
    worst = checked.worst[0]
    assert worst.index == (0, 2)
    assert abs(worst.gradient - 6.06) < 1e-12 and abs(worst.complex_step - 6) < 1e-12
    assert abs(worst.differences - 6) < 1e-6 and abs(worst.relative_difference - 0.06 / 6.06) < 1e-9


def test_a_delta_is_checked_above_its_node_only() -> None:
    """What the layers below do wrong is no fault of the deltas above them."""
    nodes = [{"name": "below", "kind": "wrong"}, {"kind": "tanh"}, {"name": "above", "kind": "wrong"}]
    spec = {"inputs": {"x": {"shape": [3]}}, "nodes": [*nodes, {"name": "loss", "kind": "sum"}]}
    network = compile_network(spec, registry(wrong=HalfWrong))
    x = np.array([[0.5, -1.0, 0.25], [1.0, 0.75, -0.5]])
    found = {
        checked.name: checked
        for checked in network.check({}, {"x": x}, wrt_data=False, deltas=["below", "above", "loss"])
    }
    assert {name: checked.passed for name, checked in found.items()} == {
        "deltas/below": False, "deltas/above": True, "deltas/loss": True,
    }  # fmt: skip
    assert found["deltas/below"].worst[0].index in ((0, 2), (1, 2))
    (loss,) = {place.complex_step for place in found["deltas/loss"].worst}
    assert loss == 0.5  # the mean of two


def test_a_delta_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        spec = {"inputs": {"x": {"shape": []}}, "nodes": [{"name": "squared", "kind": "tanh"}]}
        compiled(spec).check({}, {"x": np.array([1.0])}, deltas=["squared", "qubed"])
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [("/deltas/1", "unknown_name")]


def test_float32_requests_are_checked_in_float64() -> None:
    nodes = [{"kind": "linear", "config": {"units": 3}}, {"kind": "tanh"}, {"kind": "sum"}]
    network = compiled({"inputs": {"x": {"shape": [2]}}, "nodes": nodes})
    checked = network.check(network.init(0, np.float32), {"x": np.array([[0.5, -0.25]], np.float32)})
    assert all(array.passed for array in checked)
    assert max(array.worst[0].relative_difference for array in checked) < 1e-14


def test_a_check_is_planned_with_all_its_passes_and_copies() -> None:
    spec = {
        "inputs": {"x": {"shape": [300]}},
        "nodes": [{"kind": "linear", "name": "z", "config": {"units": 300}}, {"kind": "sum"}],
    }
    planned = list[Plan]()

    def run(compute: Callable[[], Any], plan: Plan | None = None) -> Any:
        if plan:
            planned.append(plan)
        return compute()

    network = replace(compiled(spec), runner=run)
    params, data = network.init(0), {"x": np.ones((2, 300))}
    network.check(params, data, samples=1)  # what the first check imports is not planned
    network.gradients(params, data)
    tracemalloc.start()
    try:
        network.check(params, data, samples=3)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    *_, gradient, check = planned
    forward = gradient.operations / 2  # there is one gradient equation for each forward pass
    assert check.operations > 9 * 3 * forward  # three arrays, three places
    assert peak <= 1.2 * (check.peak_bytes - gradient.given_bytes)  # what was given is not ours


def test_a_padding_row_is_no_place_of_a_check() -> None:
    words = {"shape": [3], "dtype": "int64"}
    table = {"name": "table", "kind": "embedding", "config": {"rows": 4, "width": 2, "padding_idx": 1}}
    spec = {
        "inputs": {"words": words},
        "nodes": [
            table | {"inputs": ["words"]},
            {"name": "active", "kind": "tanh"},
            {"name": "back", "kind": "linear", "config": {"units": 4, "bias": False}, "tied_to": "table"},
            {"name": "score", "kind": "sum"},
        ],
    }
    params = {"table.weight": np.arange(8.0).reshape(4, 2) / 8}
    (found,) = compiled(spec).check(params, {"words": np.array([[1, 2, 3], [1, 1, 0]])}, samples=8)
    assert found.passed and (found.numbers, found.checked) == (8, 6)


def test_a_padding_row_of_a_transposed_table_is_a_column() -> None:
    nodes = [
        {"name": "narrow", "kind": "linear", "inputs": ["x"], "config": {"units": 2, "bias": False}},
        {
            "name": "table", "kind": "embedding", "inputs": ["word"], "tied_to": "narrow", "transpose": True,
            "config": {"rows": 3, "width": 2, "padding_idx": 1},
        },
        {"name": "score", "kind": "dot", "inputs": ["narrow", "table"]},
    ]  # fmt: skip
    inputs = {"x": {"shape": [3]}, "word": {"shape": [], "dtype": "int64"}}
    params = {"narrow.weight": np.arange(6.0).reshape(2, 3) / 8}
    data = {"x": np.ones((2, 3)), "word": np.array([1, 2])}
    found = {each.name: each for each in compiled({"inputs": inputs, "nodes": nodes}).check(params, data)}
    weight = found["params/narrow.weight"]
    assert weight.passed and (weight.numbers, weight.checked) == (6, 4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("factor, passed", [(1, True), (-1, False), (1.01, False)])
def test_a_gradient_that_is_wrong_in_float32_alone_is_found(dtype: Any, factor: float, passed: bool) -> None:
    class Short(Layer):
        """y = x², for x (...)."""

        def output_shape(self, x: tuple[int, ...]) -> tuple[int, ...]:
            return x

        def forward(self, params: Mapping[str, Any], x: Any) -> Activation:
            by = factor if x.dtype == np.float32 else 1
            return Activation(x * x, deltas=(lambda delta: by * 2 * x * delta,))

    spec = {"inputs": {"x": {"shape": [2]}}, "nodes": [{"kind": "short"}, {"kind": "sum"}]}
    network = compile_network(spec, registry(short=Short))
    (checked,) = network.check({}, {"x": np.array([[0.5, -3.25]], dtype)})
    assert checked.passed is passed
    assert checked.float32_difference == pytest.approx(abs(factor - 1), abs=1e-6)
    assert checked.worst[0].relative_difference < 1e-9, "float64 is right"


def test_what_float32_cannot_hold_counts_in_float32_alone() -> None:
    spec = {"inputs": {"x": {"shape": [1]}}, "nodes": [{"kind": "exp"}, {"kind": "sum"}]}
    network = compile_network(spec, registry())
    (checked,) = network.check({}, {"x": np.array([[100.0]])})
    assert checked.passed
    (short,) = network.check({}, {"x": np.array([[100.0]], np.float32)})
    assert not short.passed and short.float32_difference == np.inf
