"""Runs of gates, with a stand-in for the compiled kernels that computes as the layers do with numpy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import inf
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from support.circuits import Circuit, circuits
from support.derivative_bits import derivative_bits
from support.engine import compiled

from deltawire_layers import Array, analytic, kernels
from deltawire_layers.layers.pointwise.activations import Gelu, Silu, Softplus
from deltawire_layers.layers.pointwise.functions import Erf
from deltawire_layers.layers.pointwise.pointwise import Compiled
from deltawire_service.engine import Network, Wrt
from deltawire_service.engine.execute.backprop import Pass
from deltawire_service.engine.execute.flat import runs
from deltawire_service.engine.execute.flat.program import flatten
from deltawire_service.engine.plan.program import Program

LAYERS: dict[str, Compiled] = {
    "silu": Silu(),
    "softplus": Softplus(),
    "gelu": Gelu(),
    "gelu_tanh": Gelu(approximate="tanh"),
    "erf": Erf(),
}

UFUNCS: dict[str, Any] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "negate": lambda a, b: -a,
    "halve": lambda a, b: 0.5 * a,
    "reciprocal": lambda a, b: 1 / a,
    "root": lambda a, b: np.sqrt(a),
    "absolute": lambda a, b: np.abs(a),
    "absolute_delta": lambda a, delta: np.where(a == 0, 0, np.where(a < 0, -delta, delta)),
    "sigmoid_power": lambda a, b: a,
    "sigmoid_value": lambda a, power: analytic.sigmoid(a),
    "sigmoid_from_power_delta": lambda power, delta: analytic.sigmoid_slope(power) * delta,
    "sigmoid": lambda a, b: analytic.sigmoid(a),
    "sigmoid_delta": lambda a, delta: analytic.sigmoid_slope(a) * delta,
    "tanh": lambda a, b: analytic.tanh(a),
    "tanh_delta": lambda a, delta: analytic.tanh_slope(a) * delta,
}
for function, layer in LAYERS.items():
    UFUNCS[function] = lambda a, b, layer=layer: layer.by_numpy(a).value
    UFUNCS[f"{function}_delta"] = lambda a, delta, layer=layer: layer.by_numpy(a).deltas[0](delta)


def tape(
    rows: Array,
    given: Sequence[Array],
    made: Sequence[Array],
    memory: Array,
    scratch: int,
    numbers: int,
    start: int,
    stop: int,
    team: None,
) -> None:
    """Compute rows as the kernel does, on all numbers at once."""
    assert all(each.flags.c_contiguous for each in (*given, *made, memory))
    slots = memory.reshape(-1, numbers)
    registers = [
        *(each.reshape(-1) for each in (*given, *made)),
        *slots,
        *np.full((scratch, numbers), np.nan, memory.dtype),
    ]
    for operation, to, a, b in rows.tolist():
        assert to >= len(given) and to not in (a, b)
        registers[to][start:stop] = UFUNCS[names[operation]](
            registers[a][start:stop].copy(), registers[b][start:stop].copy()
        )


names = tuple(UFUNCS)


@pytest.fixture(scope="module", autouse=True)
def stand_in() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "compiled", SimpleNamespace(operations=names, block=2**30, tape=tape))
        patch.setattr(kernels, "computes", lambda array: False)
        yield


def joined(network: Network) -> Network:
    return replace(network, flat_after=0)


def by_steps(network: Network) -> Network:
    return replace(network, flat_after=inf)


@given(circuits(most_rows=9))
def test_circuits_have_the_bits_of_the_loop(circuit: Circuit) -> None:
    with np.errstate(all="ignore"):
        network = compiled(circuit.spec)
        loop, run = circuit.bits(by_steps(network)), circuit.bits(joined(network))
    assert [name for name in loop if loop[name] != run[name]] == []


def node(kind: str, name: str, *inputs: str) -> dict[str, Any]:
    return {"name": name, "kind": kind, "inputs": [*inputs]}


BRANCHES: dict[str, Any] = {
    "inputs": {"x": {"shape": []}, "w": {"shape": [], "parameter": {"constant": 0.5}}},
    "nodes": [
        node("identity", "v", "w"),  # w has one row for all examples, which no run takes
        node("multiply", "a", "x", "v"),
        node("tanh", "b", "a"),
        node("relu", "c", "b"),
        node("add", "d", "a", "b", "c", "x"),
        node("sigmoid", "e", "d"),
        node("divide", "f", "e", "v"),
    ],
    "loss": {"b": 1.0, "f": 0.5},
}
PARAMS, DATA = {"w": np.array(0.7)}, {"x": np.linspace(-1, 1, 7)}


def program_of(spec: dict[str, Any], **targets: Any) -> Program:
    network = compiled(spec)
    return network.program(network.targets(Wrt(), **targets))


def test_a_run_goes_on_until_a_layer_that_is_no_gate() -> None:
    found = list(runs.find_runs(program_of(BRANCHES), {"w"}))
    assert [[*run.nodes] for run in found] == [["a", "b"], ["d", "e", "f"]]
    assert [run.sources for run in found] == [("x", "v"), ("a", "b", "c", "x", "v")]
    assert [run.results for run in found] == [("a", "b"), ("f",)]


def test_there_are_no_runs_without_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "compiled", None)
    assert [*runs.find_runs(program_of(BRANCHES))] == []


def test_a_run_has_one_shape() -> None:
    nodes = [
        node("tanh", "a", "x"),
        node("negate", "b", "a"),
        node("tanh", "c", "y"),
        node("negate", "d", "c"),
    ]
    spec = {"inputs": {"x": {"shape": [2]}, "y": {"shape": []}}, "nodes": nodes}
    assert [[*run.nodes] for run in runs.find_runs(program_of(spec))] == [["c", "d"]]
    shapes = {"inputs": {"x": {"shape": [2]}, "y": {"shape": []}}, "nodes": [*nodes, node("sum", "e", "b")]}
    shapes["loss"] = {"d": 1.0, "e": 1.0}
    assert [[*run.nodes] for run in runs.find_runs(program_of(shapes))] == [["a", "b"], ["c", "d"]]


def test_every_derivative_has_the_bits_of_the_loop() -> None:
    network = compiled(BRANCHES)
    loop, run = (derivative_bits(each, PARAMS, DATA) for each in (by_steps(network), joined(network)))
    assert [name for name in loop if loop[name] != run[name]] == []


def test_the_gates_of_a_run_share_its_time_by_what_they_read_and_write() -> None:
    reports: list[dict[str, float]] = []
    network = replace(joined(compiled(BRANCHES)), on_compute_seconds=reports.append)
    network.gradients(PARAMS, DATA)
    (report,) = reports
    assert report.keys() == {"identity", "multiply", "tanh", "relu", "add", "sigmoid", "divide"}
    each = report["sigmoid"] / 2  # it takes one number, and returns one
    assert (report["divide"], report["add"]) == pytest.approx((3 * each, 5 * each))
    assert report["multiply"] == pytest.approx(report["tanh"] * 3 / 2)


def test_what_fails_in_a_run_is_computed_by_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    network = compiled(BRANCHES)
    right = by_steps(network).gradients(PARAMS, DATA)
    for calls in (0, 2):  # in either pass
        left = iter(range(calls))

        def failing(*arguments: Any, left: Iterator[int] = left) -> None:
            next(left)
            tape(*arguments)

        monkeypatch.setattr(kernels.compiled, "tape", failing)
        result = joined(network).gradients(PARAMS, DATA)
        assert result.params["w"] == right.params["w"]


def test_values_without_a_backward_pass() -> None:
    network = compiled(BRANCHES)
    expected = by_steps(network).forward(PARAMS, DATA, ["e", "a"])
    found = joined(network).forward(PARAMS, DATA, ["e", "a"])
    assert all(expected[name].tobytes() == found[name].tobytes() for name in expected)


@settings(max_examples=settings.default.max_examples // 4)
@given(circuits(most_rows=4))
def test_no_array_of_the_caller_is_written_to(circuit: Circuit) -> None:
    before = {name: array.tobytes() for name, array in circuit.data.items()}
    with np.errstate(all="ignore"):
        circuit.bits(joined(compiled(circuit.spec)))
    assert before == {name: array.tobytes() for name, array in circuit.data.items()}


@pytest.mark.parametrize(
    ("taken", "slots"),
    [
        ("n1", 2),  # n0 is read by the sigmoid alone, which keeps its power in place of it
        ("n0", 2),  # the product reads n0 too, so that a power would be one more number to keep
    ],
)
def test_a_sigmoid_keeps_no_second_number_beside_what_it_takes(taken: str, slots: int) -> None:
    nodes = [
        {"name": "n0", "kind": "negate", "inputs": ["x"]},
        {"name": "n1", "kind": "sigmoid", "inputs": ["n0"]},
        {"name": "loss", "kind": "multiply", "inputs": ["n1", taken]},
    ]
    network = compiled({"inputs": {"x": {"shape": []}}, "nodes": nodes})
    program = network.program(network.targets(Wrt(data=True)))
    (run,) = runs.find_runs(program)
    backward = program.backward
    recorded = runs.RecordedRun(run, backward, ["loss"])
    assert recorded.forward(np.ones(1, np.float32))[0][1].size == slots


def test_no_run_takes_an_input_of_one_row_for_all_examples() -> None:
    program = program_of(BRANCHES)
    whole = [name for run in runs.find_runs(program) for name in run.nodes]
    (first, *_) = [source for run in runs.find_runs(program) for source in run.sources]
    parts = list(runs.find_runs(program, {first}))
    assert not any(first in run.sources for run in parts)
    assert {name for run in parts for name in run.nodes} < set(whole)


def test_a_fork_that_the_loop_computes_has_no_values_and_counts_no_forward_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nodes = [
        node("exp", "e", "x"),  # no delta goes through it
        node("identity", "v", "w"),
        node("multiply", "a", "e", "v"),
        node("tanh", "b", "a"),
    ]
    network = compiled({**BRANCHES, "nodes": nodes, "loss": {"b": 1.0}})
    program = network.program(network.targets(Wrt()))
    data = {**DATA, "w": np.broadcast_to(PARAMS["w"], 7)}
    whole = Pass(program, {}, data, np.dtype(np.float64), flat=flatten(network, program))
    whole.forward()
    fork, right = whole.fork(), whole.fork()
    right.backward({"b": np.ones(7)})
    monkeypatch.setattr(kernels.compiled, "tape", None)
    fork.backward({"b": np.ones(7)})
    assert fork.grads["w"] == right.grads["w"]
    assert not fork.values
    assert fork.seconds().keys() == {"tanh", "multiply", "identity"}
