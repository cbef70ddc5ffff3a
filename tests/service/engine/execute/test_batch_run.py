"""Chunks of rows: equal to the whole, the same cuts every time, memory that does not grow with the batch."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.engine import LAYERS, compiled, everything
from support.networks import Example, examples
from support.oracles import distance

from deltawire.errors import Refused
from deltawire_service.engine import Limits, compile_network
from deltawire_service.engine.execute.batch_run import BatchRun
from deltawire_service.engine.plan import memory_plan
from deltawire_service.engine.plan.cuts import MOST_SEGMENTS, segment_rows
from deltawire_service.engine.plan.memory_plan import NO_BODY_COST
from deltawire_service.engine.plan.targets import Wrt

STACK = {
    "inputs": {"x": {"shape": [64]}, "y": {"shape": [], "dtype": "int64"}},
    "nodes": [
        {"kind": "linear", "config": {"units": 32}, "inputs": ["x"]},
        {"kind": "sigmoid"},
        {"kind": "linear", "config": {"units": 10}},
        {"name": "loss", "kind": "softmax_nll", "inputs": ["linear2", "y"]},
    ],
}


@given(examples())
def test_chunks_equal_the_whole(example: Example) -> None:
    whole = everything(example)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory_plan, "count_chunks", lambda network, batch, itemsize: batch)  # one row a chunk
        chunked = everything(example)
    for name, array in chunked.items():
        assert distance(array, whole[name]) <= 1e-12, name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_request_gives_the_same_bits(dtype: str) -> None:
    network = compiled(STACK)
    numbers = np.random.default_rng(0)
    params = network.init(0, dtype)
    data = {"x": numbers.standard_normal((90_000, 64)).astype(dtype), "y": numbers.integers(0, 10, 90_000)}
    assert memory_plan.count_chunks(network, 90_000, np.dtype(dtype).itemsize) > 2
    first, second = (network.gradients(params, data, wrt_data=True) for _ in range(2))
    assert first.loss == second.loss
    for name in first.params:
        assert first.params[name].tobytes() == second.params[name].tobytes()
    assert first.data["x"].tobytes() == second.data["x"].tobytes()


@given(examples(), st.sampled_from(["float32", "float64"]), st.integers(1, 150), st.integers(1, 400))
def test_segments_computed_apart_add_up_to_the_whole(
    example: Example, dtype: str, times: int, chunks: int
) -> None:
    """Bit for bit, though each segment is computed by itself, as on another machine."""
    example = example.astype(dtype)
    network = compiled(example.spec)
    data = {
        name: array if network.inputs[name].shared else np.concatenate([array] * times)
        for name, array in example.data.items()
    }
    batch = network.check_batch(example.params, data)
    targets = network.targets(Wrt(True, True), values=network.nodes, deltas=network.nodes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory_plan, "count_chunks", lambda network, batch, itemsize: min(batch, chunks))
        plan = network.memory_plan(targets, batch.size, batch.dtype, NO_BODY_COST)
    run = network.batch_run(batch, targets, plan, network.objective(batch.size, example.reduction).starts)
    whole, together = run.result(), run.empty_result()
    for index in range(min(plan.chunks, MOST_SEGMENTS)):
        (segment,) = run.segment(index, BatchRun.passes)
        together.add_segment(segment_rows(batch.size, plan.chunks)[index].start, segment)
    for part, names in (
        ("gradients", network.parameters), ("deltas", network.nodes), ("deltas", network.float_inputs),
    ):  # fmt: skip
        ours, theirs = (getattr(result, part)(names) for result in (whole, together))
        assert [array.tobytes() for array in ours.values()] == [array.tobytes() for array in theirs.values()]
    assert all(whole.values[name].tobytes() == together.values[name].tobytes() for name in network.nodes)
    assert whole.finite and together.finite


def test_chunks_are_released_before_the_next_is_computed() -> None:
    """Beside the total and the chunk that is computed, there is no other gradient."""
    nodes = [{"kind": "linear", "config": {"units": 1000}}, {"name": "loss", "kind": "sum"}]
    network = compiled({"inputs": {"x": {"shape": [1000]}}, "nodes": nodes})
    params, data = network.init(0), {"x": np.ones((12_000, 1000))}
    plan = network.plan(12_000)
    assert plan.chunks > 4
    tracemalloc.start()
    try:
        network.gradients(params, data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < plan.answered_bytes + plan.work_bytes < 4 * 8e6 + plan.work_bytes


def test_memory_does_not_grow_with_the_batch() -> None:
    network = compiled(STACK)
    params = network.init(0, np.float32)
    data = {"x": np.zeros((200_000, 64), np.float32), "y": np.zeros(200_000, np.int64)}
    tracemalloc.start()
    try:
        network.gradients(params, data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * memory_plan.CHUNK_BYTES < data["x"].nbytes


def test_what_does_not_fit_is_refused_before_anything_is_computed() -> None:
    limits = Limits(settings_prefix="OUR_")
    network = compile_network(STACK, LAYERS, limits)
    params = network.init(0)
    rows = network.limits.planned_bytes // (8 * 64) + 1
    data = {"x": np.broadcast_to(np.zeros(64), (rows, 64)), "y": np.broadcast_to(np.int64(0), (rows,))}
    with pytest.raises(Refused) as caught:
        network.gradients(params, data)
    assert caught.value.faults[0].code == "memory_plan_exceeded"
    assert "fewer at a time need less" in str(caught.value) and str(caught.value).endswith(
        "are allowed (OUR_PLANNED_BYTES)"
    )
