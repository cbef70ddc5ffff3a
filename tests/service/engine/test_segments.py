"""Segments computed from their description alone, as another process does: bit for bit the same results."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.derivative_bits import derivative_bits
from support.engine import compiled
from support.networks import Example, examples

from deltawire.errors import Refused
from deltawire_service.engine import (
    BatchRun,
    Computation,
    Direction,
    Network,
    SegmentResult,
    Segments,
    compute_segment,
    segment_runner,
)
from deltawire_service.engine.plan import memory_plan


class Pickled:
    """Computes each segment from pickled bytes, with another network, compiled once as by a worker."""

    def __init__(self, spec: Any):
        self.spec = spec
        self.calls = 0
        self.networks: dict[str, Network] = {}

    def network(self, spec: Any) -> Network:
        key = json.dumps(spec, sort_keys=True)
        if key not in self.networks:
            self.networks[key] = compiled(spec)
        return self.networks[key]

    def __call__(self, run: BatchRun, computation: Computation, /) -> Iterator[list[SegmentResult]]:
        segments = Segments(run, computation)
        for index, rows in enumerate(segments.rows):
            self.calls += 1
            batched = {place: array[rows] for place, array in segments.batched.items()}
            task = segments.description, rows.start, segments.bounds(index), {**segments.shared, **batched}
            description, first_row, bounds, arrays = pickle.loads(pickle.dumps(task))
            network = self.network(description.spec)
            results = compute_segment(network, description, first_row, bounds, arrays)
            yield pickle.loads(pickle.dumps(results))


@contextmanager
def elsewhere(runner: Pickled) -> Iterator[None]:
    token = segment_runner.set(runner)
    try:
        yield
    finally:
        segment_runner.reset(token)


@settings(max_examples=settings.default.max_examples // 20)
@given(examples(), st.sampled_from(["float32", "float64"]), st.integers(2, 40), st.integers(2, 100))
def test_every_derivative_has_the_same_bits(example: Example, dtype: str, times: int, chunks: int) -> None:
    example = example.astype(dtype)
    network = compiled(example.spec)
    data = {
        name: array if network.inputs[name].shared else np.concatenate([array] * times)
        for name, array in example.data.items()
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory_plan, "count_chunks", lambda network, batch, itemsize: min(batch, chunks))
        here = derivative_bits(network, example.params, data)
        runner = Pickled(example.spec)
        with elsewhere(runner):
            there = derivative_bits(network, example.params, data)
    assert runner.calls > 0
    assert [name for name in here if here[name] != there[name]] == []


def test_cotangents_of_a_hessian_travel_too() -> None:
    network = compiled({"inputs": {"x": {"shape": [3]}}, "nodes": [{"name": "h", "kind": "sigmoid"}]})
    x = np.linspace(-1, 1, 30).reshape(10, 3)
    call = dict(vectors=Direction(data={"x": x}), cotangents={"h": 1 - x})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory_plan, "count_chunks", lambda network, batch, itemsize: batch)
        here = network.hvp({}, {"x": x}, **call)
        with elsewhere(Pickled(network.spec)):
            there = network.hvp({}, {"x": x}, **call)
    assert here.data["x"].tobytes() == there.data["x"].tobytes()


def test_a_number_that_is_not_finite_is_found_by_its_row() -> None:
    network = compiled({"inputs": {"x": {"shape": []}}, "nodes": [{"kind": "log", "inputs": ["x"]}]})
    data = {"x": np.array([1.0, 2.0, 3.0, 0.0])}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory_plan, "count_chunks", lambda network, batch, itemsize: batch)
        with elsewhere(Pickled(network.spec)), pytest.raises(Refused, match="in example 3"):
            network.gradients({}, data)


def test_a_plan_says_how_many_segments_there_are() -> None:
    network = compiled({"inputs": {"x": {"shape": [1000]}}, "nodes": [{"kind": "sum", "inputs": ["x"]}]})
    few, many = network.plan(1), network.plan(2**20)
    assert few.segments == few.chunks == 1
    assert many.chunks > many.segments == 64


def test_a_trace_is_computed_here() -> None:
    network = compiled({"inputs": {"x": {"shape": [2]}}, "nodes": [{"kind": "sum", "inputs": ["x"]}]})
    runner = Pickled(network.spec)
    with pytest.MonkeyPatch.context() as patch, elsewhere(runner):
        patch.setattr(memory_plan, "count_chunks", lambda network, batch, itemsize: batch)
        result = network.gradients({}, {"x": np.ones((4, 2))}, trace=True)
    assert result.trace is not None and runner.calls == 0


def test_noise_is_that_of_the_rows_of_the_whole_batch() -> None:
    spec = {
        "inputs": {"x": {"shape": [3]}, "keep": {"shape": [3], "noise": {"dropout": 0.5}}},
        "nodes": [
            {"name": "h", "kind": "linear", "inputs": ["x"], "config": {"units": 3}},
            {"name": "kept", "kind": "multiply", "inputs": ["h", "keep"]},
            {"name": "loss", "kind": "sum"},
        ],
    }
    network = compiled(spec).with_noise(5)
    params, data = network.init(0), {"x": np.linspace(-1, 1, 36).reshape(12, 3)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory_plan, "count_chunks", lambda network, batch, itemsize: min(batch, 6))
        here, runner = derivative_bits(network, params, data), Pickled(network.spec)
        with elsewhere(runner):
            there = derivative_bits(network, params, data)
    assert runner.calls > 0 and here == there
