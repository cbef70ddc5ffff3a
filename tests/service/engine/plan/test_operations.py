"""Planned operations: the multiplications that torch counts, calls of Python, repetitions, and a limit."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.engine import compiled

from deltawire.errors import Refused
from deltawire_layers import CALL
from deltawire_service.engine import Direction, Network, Plan

EXAMPLES = sorted(Path(__file__).resolve().parents[4].glob("examples/*.json"))
HALF_A_SECOND = 2**34


def network_of(*nodes: dict[str, Any], **inputs: list[int]) -> Network:
    return compiled(
        {"inputs": {name: {"shape": shape} for name, shape in inputs.items()}, "nodes": list(nodes)}
    )


def node(kind: str, inputs: list[str], **config: Any) -> dict[str, Any]:
    return {"name": "node", "kind": kind, "inputs": inputs, "config": config}


@pytest.mark.torch
@pytest.mark.parametrize(
    "spec, shapes",
    [
        (node("linear", ["x"], units=7), {"x": [5]}),
        (node("linear", ["x"], units=7), {"x": [3, 5]}),
        (node("matmul", ["a", "b"]), {"a": [2, 3, 4], "b": [2, 4, 5]}),
        (node("attention", ["q", "k", "v"]), {"q": [6, 4], "k": [5, 4], "v": [5, 3]}),
        (node("conv1d", ["x"], channels=4, kernel=3, groups=2), {"x": [2, 9]}),
        (node("conv2d", ["x"], channels=4, kernel=3, stride=2, padding=1), {"x": [3, 8, 9]}),
    ],
    ids=lambda value: value.get("kind", ""),
)
def test_each_example_takes_the_multiplications_that_torch_counts(
    spec: dict[str, Any], shapes: dict[str, list[int]]
) -> None:
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    arrays = [torch.ones(1, *shapes[name]) for name in spec["inputs"]]
    made = network_of(spec, **shapes).nodes["node"]
    parameters = made.layer.parameters(*made.input_shapes)
    weights = [torch.ones(parameters["weight"].shape)] if parameters else []
    options = {
        name: spec["config"][name] for name in ("stride", "padding", "groups") if name in spec["config"]
    }
    functions: dict[str, Callable[..., Any]] = {
        "linear": torch.nn.functional.linear,
        "matmul": torch.matmul,
        "attention": lambda q, k, v: torch.softmax(q @ k.mT, -1) @ v,
        "conv1d": torch.conv1d,
        "conv2d": torch.conv2d,
    }
    with FlopCounterMode(display=False) as counter:
        functions[spec["kind"]](*arrays, *weights, **options)
    # Beside the products, there are the numbers of a softmax, and the columns and reads of a convolution.
    beside = made.work.each - counter.get_total_flops() // 2
    assert 0 <= beside <= 2**9 * prod(made.shape) + made.work.once
    assert made.kind not in ("linear", "matmul") or beside == 0


@pytest.mark.parametrize("kind", ["elman", "gru", "lstm"])
def test_steps_count_however_small_they_are(kind: str) -> None:
    few, many = (network_of(node(kind, ["x"], units=1), x=[steps, 1]).plan(1) for steps in (2**8, 2**18))
    assert many.operations > 2**18 * CALL and many.operations > 100 * few.operations
    batched = network_of(node(kind, ["x"], units=1), x=[2**8, 1]).plan(16)
    assert batched.operations < 2 * few.operations  # all examples make a step together


def test_each_pass_and_each_chunk_counts() -> None:
    network = network_of(node("linear", ["x"], units=64), {"kind": "sum"}, x=[64])
    forward = network_of(node("linear", ["x"], units=64), x=[64]).plan(512)
    gradients = network.plan(512)
    both = network.plan(512, wrt_data=True)
    assert 1.5 * forward.operations < gradients.operations < both.operations < 4 * forward.operations
    assert network.plan(512, np.float32).operations < gradients.operations
    assert network.plan(2**20).operations > 2**20 / 512 * 0.9 * gradients.operations


class Stopped(Exception):
    """A request is planned, and not computed."""


def plan_of(compute: Callable[[Network], object], network: Network) -> Plan:
    plans = list[Plan]()

    def run(work: Callable[[], Any], plan: Plan | None = None) -> Any:
        assert plan
        plans.append(plan)
        raise Stopped

    with pytest.raises(Stopped):
        compute(replace(network, runner=run))
    return plans[0]


DEEP = network_of(*({"name": f"n{place}", "kind": "tanh"} for place in range(64)), {"kind": "sum"}, x=[100])
X = {"x": np.ones((2, 100))}
REPEATED: dict[str, Callable[[Network, int], object]] = {
    "check": lambda network, times: network.check({}, X, samples=times),
    "diagonal": lambda network, times: network.hessian_diagonal({}, X, wrt_data=True, samples=times),
    "hvp": lambda network, times: network.hvp({}, X, Direction(data={"x": np.ones((times, 2, 100))})),
    "jvp": lambda network, times: network.jvp({}, X, Direction(data={"x": np.ones((times, 2, 100))}), ["n9"]),
    "vjp": lambda network, times: network.vjp({}, X, {"n9": np.ones((times, 2, 100))}, wrt_data=True),
}


@pytest.mark.parametrize("name", REPEATED)
def test_repetitions_count(name: str) -> None:
    few, more, often = (
        plan_of(lambda network, n=times: REPEATED[name](network, n), DEEP).operations for times in (2, 4, 100)
    )
    assert few < 2 * more and 40 < (often - few) / (more - few) < 60


def test_rows_that_are_computed_one_by_one_count() -> None:
    network = network_of(node("lstm", ["x"], units=1), {"kind": "sum"}, x=[64, 1])
    params, data = network.init(0), {"x": np.ones((100, 64, 1))}
    together = plan_of(lambda network: network.gradients(params, data), network).operations
    apart = plan_of(lambda network: network.gradients(params, data, per_example=True), network).operations
    assert apart > 30 * together


def test_requests_of_minutes_are_refused() -> None:
    """What took longer than half a minute, from a request of a few kilobytes."""
    nodes = [{"name": f"n{place}", "kind": "linear", "config": {"units": 4}} for place in range(511)]
    deep = network_of(*nodes, {"kind": "sum"}, x=[4])
    params, x = deep.init(0), {"x": np.ones((1, 4))}
    wide = network_of(*({"name": f"n{place}", "kind": "tanh"} for place in range(500)), x=[4000])
    rows = {"x": np.ones((1, 4000))}
    steps = network_of(node("lstm", ["x"], units=1), {"kind": "sum"}, x=[2**21, 1])
    drawn, sequence = steps.init(0), {"x": np.ones((1, 2**21, 1))}
    requests: dict[str, Callable[[], object]] = {
        "check": lambda: deep.check(params, x, samples=1000),
        "diagonal": lambda: deep.hessian_diagonal(params, x, samples=10_000),
        "jacobian": lambda: wide.jacobian({}, rows, ["n499"], wrt_data=True),
        "steps": lambda: steps.gradients(drawn, sequence),
    }
    for name, request in requests.items():
        with pytest.raises(Refused) as caught:
            request()
        assert caught.value.code == "cost_plan_exceeded", name


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_take_a_small_part_of_what_is_allowed(path: Path) -> None:
    network = compiled(json.loads(path.read_text())["network"])
    assert network.plan(64).operations < HALF_A_SECOND <= network.limits.planned_operations / 2**6
