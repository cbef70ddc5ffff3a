"""Plans: what a request takes, before it is computed."""

from __future__ import annotations

import numpy as np
import pytest
from support.engine import LAYERS, compiled

from deltawire_service.engine import Network, Threads, compile_network
from deltawire_service.engine.plan import memory_plan
from deltawire_service.engine.plan.body_cost import BodyCost
from deltawire_service.engine.plan.memory_plan import count_chunks

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


def test_a_plan_adds_up() -> None:
    plan = compiled(STACK).plan(100, np.float32, wrt_data=["x"], values=["probs"])
    parameters, inputs = 64 * 32 + 32, 64 + 1
    assert plan.given_bytes == 4 * (parameters + 32 + 100 * inputs)
    assert plan.answered_bytes == 4 * (parameters + 100 * (64 + 32 + 2))
    # values of every node, what softmax_nll holds, and the deltas when linear1 has sent its own: of m, y, x;
    # and what one layer works in, as large as x
    assert plan.work_bytes == 4 * 100 * (32 + 32 + 1 + 32 + 32 + 3 + 32 + 32 + inputs + 64)
    assert plan.peak_bytes == plan.given_bytes + plan.answered_bytes + plan.work_bytes
    assert (plan.rows_at_once, plan.chunks, plan.passes) == (100, 1, 3)


def test_passes_count_what_is_asked() -> None:
    network = compiled(STACK)
    assert network.plan(1, wrt_params=False).passes == 1
    assert network.plan(1, wrt_params=False, wrt_data=True).passes == 2
    assert network.plan(1).passes == 3


def test_work_is_bounded_for_any_batch() -> None:
    plan = compiled(STACK).plan(1_000_000)
    assert plan.work_bytes <= 20 * 2**20
    assert plan.rows_at_once * plan.chunks >= 1_000_000 > plan.rows_at_once * (plan.chunks - 1)


def test_a_network_without_a_loss_is_planned_forward() -> None:
    network = compiled({"inputs": {"x": {"shape": [64]}}, "nodes": [{"kind": "tanh"}]})
    plan = network.plan(10)
    assert plan.passes == 1 and plan.answered_bytes == 8 * 10 * (64 + 1)


def test_parameters_that_the_service_keeps_take_no_memory_of_a_request() -> None:
    network = compiled(STACK)
    own, stored = (network.plan(10, body_cost=BodyCost(with_parameters=brought)) for brought in (True, False))
    assert (own.stored_bytes, stored.stored_bytes) == (0, 8 * (64 * 32 + 32))
    assert own.given_bytes == stored.given_bytes
    assert own.peak_bytes - stored.peak_bytes == stored.stored_bytes


def test_a_gradient_of_a_shared_parameter_is_counted_beside_the_sum() -> None:
    nodes = [
        {"name": "first", "kind": "linear", "inputs": ["x"], "config": {"units": 64}},
        {"name": "second", "kind": "linear", "inputs": ["first"], "config": {"units": 64}},
        {"name": "loss", "kind": "sum", "inputs": ["second"]},
    ]
    inputs = {"x": {"shape": [64]}}
    tied = [nodes[0], nodes[1] | {"tied_to": "first"}, nodes[2]]
    apart, shared = (compiled({"inputs": inputs, "nodes": each}).plan(1) for each in (nodes, tied))
    assert apart.answered_bytes == 8 * (2 * (64 * 64 + 64) + 2)
    assert shared.answered_bytes == 8 * (64 * 64 + 64 + 64 * 64 + 2)


def two_layers(units: int, numbers: int = 64) -> Network:
    nodes = [{"kind": "linear", "config": {"units": units}}, {"name": "loss", "kind": "sum"}]
    return compiled({"inputs": {"x": {"shape": [numbers]}}, "nodes": nodes})


def test_many_rows_of_much_work_are_two_chunks() -> None:
    wide = two_layers(512)
    assert [count_chunks(wide, batch, 4) for batch in (1023, 1024)] == [1, 2]
    assert count_chunks(two_layers(8), 1024, 4) == 1  # little work
    assert count_chunks(two_layers(2**13, 2**13), 1024, 4) == 1  # more parameters than work


def test_what_waits_for_other_threads_is_counted() -> None:
    one, three = (
        compile_network(STACK, LAYERS, threads=Threads(count)).plan(100, np.float32) for count in (1, 3)
    )
    # Beside the first thread, each of two others has two deltas of linear1, and an array as large as x.
    assert three.work_bytes - one.work_bytes == 2 * 4 * 100 * (2 * 32 + 64)
    assert three.peak_bytes - one.peak_bytes == three.work_bytes - one.work_bytes


def test_a_copy_of_a_parameter_is_counted_for_each_thread() -> None:
    nodes = [{"kind": "lstm", "config": {"units": 64}}, {"name": "loss", "kind": "sum"}]
    spec = {"inputs": {"x": {"shape": [1, 2]}}, "nodes": nodes}

    def work_bytes(threads: int, batch: int) -> int:
        network = compile_network(spec, LAYERS, threads=Threads(threads))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(memory_plan, "count_chunks", lambda network, batch, itemsize: batch)
            return network.plan(batch, np.float32).work_bytes

    row = work_bytes(1, 1) - 4 * 256 * 64
    assert 0 < row < 4 * 256 * 64
    assert work_bytes(2, 2) == 2 * (row + 4 * 256 * 64)
