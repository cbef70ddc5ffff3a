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
from deltawire_service.engine.execute.batch_run import bounds
from deltawire_service.engine.plan import memory_plan

STACK = {
    "inputs": {"x": {"shape": [64]}, "y": {"shape": [], "dtype": "int64"}},
    "nodes": [
        {"kind": "linear", "config": {"units": 32}, "inputs": ["x"]},
        {"kind": "sigmoid"},
        {"kind": "linear", "config": {"units": 10}},
        {"name": "loss", "kind": "softmax_nll", "inputs": ["linear2", "y"]},
    ],
}


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_bounds_cover_the_batch_evenly(batch: int, chunks: int) -> None:
    cuts = bounds(batch, chunks)
    assert [start for start, _ in cuts] == [0, *(stop for _, stop in cuts[:-1])] and cuts[-1][1] == batch
    sizes = [stop - start for start, stop in cuts]
    assert len(cuts) == chunks and max(sizes) - min(sizes) <= 1


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
    limits = Limits(planned_bytes_setting="THE_SETTING")
    network = compile_network(STACK, LAYERS, limits)
    params = network.init(0)
    rows = network.limits.planned_bytes // (8 * 64) + 1
    data = {"x": np.broadcast_to(np.zeros(64), (rows, 64)), "y": np.broadcast_to(np.int64(0), (rows,))}
    with pytest.raises(Refused) as caught:
        network.gradients(params, data)
    assert caught.value.faults[0].code == "memory_plan_exceeded"
    assert "fewer at a time need less" in str(caught.value) and str(caught.value).endswith(
        "are allowed (THE_SETTING)"
    )
