"""The objective: its value, and that its starts and decays are its derivatives."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.engine import compiled

from deltawire_service.engine.execute.objective import CotangentStarts, Objective
from deltawire_service.engine.plan.cuts import segment_rows

SPEC: dict[str, Any] = {
    "inputs": {"x": {"shape": [2]}},
    "nodes": [
        {"name": "h", "kind": "linear", "config": {"units": 3}, "inputs": ["x"]},
        {"name": "a", "kind": "sum", "inputs": ["h"]},
        {"name": "b", "kind": "mean", "inputs": ["h"]},
    ],
    "loss": {"a": 1, "b": -2.5},
    "regularization": {"l2": 0.5, "parameters": ["h.weight"]},
}
NETWORK = compiled(SPEC)
PARAMS = {"h.weight": np.arange(6.0).reshape(3, 2), "h.bias": np.ones(3)}
FLOAT64 = np.dtype(np.float64)


@given(st.integers(1, 40), st.booleans())
def test_the_reduced_loss_moves_as_its_starts_say(batch: int, mean: bool) -> None:
    objective = Objective(NETWORK, batch if mean else 1)
    rng = np.random.default_rng(batch)
    values = {"a": rng.standard_normal(batch), "b": rng.standard_normal(batch)}
    step = {name: rng.standard_normal(batch) for name in values}
    moved = {name: values[name] + step[name] for name in values}
    before, after = (objective.reduced(objective.losses(each), PARAMS, chunks=1) for each in (values, moved))
    starts = objective.starts(0, batch, FLOAT64)
    assert after - before == pytest.approx(sum((starts[name] * step[name]).sum() for name in step), abs=1e-12)


def test_the_regularization_counts_once_and_its_gradient_is_added() -> None:
    W = PARAMS["h.weight"]
    losses = np.array([1.0, 2.0, 6.0])
    for divisor, expected in ((3, 3.0), (1, 9.0)):
        objective = Objective(NETWORK, divisor)
        assert objective.reduced(losses, PARAMS, chunks=1) == pytest.approx(expected + 0.25 * (W**2).sum())
        gradients = {"h.weight": np.ones((3, 2)), "h.bias": np.ones(3)}
        decayed = objective.regularized(gradients, PARAMS)
        assert decayed.keys() == {"h.weight"} and (decayed["h.weight"] == 1 + 0.5 * W).all()
        assert (gradients["h.weight"] == 1).all()
        assert objective.regularized({"h.bias": np.ones(3)}, PARAMS) == {}


def test_long_batches_of_float32_are_summed_in_float64() -> None:
    losses = np.full(10**6, np.float32(0.1))
    objective = Objective(NETWORK.without_regularization(), 1)
    assert objective.reduced(losses, PARAMS, chunks=1) == pytest.approx(
        10**6 * float(np.float32(0.1)), rel=1e-13
    )


def test_under_the_complex_step_it_is_complex() -> None:
    step = {name: array + 1e-200j for name, array in PARAMS.items()}
    loss = Objective(NETWORK, 1).reduced(np.array([2 + 1e-200j]), step, chunks=1)
    assert loss.imag == pytest.approx(1e-200 * (1 + 0.5 * PARAMS["h.weight"].sum()))


def test_cotangents_are_cut_like_the_batch_and_copied() -> None:
    cotangents = {"h": np.arange(12.0).reshape(4, 3)}
    starts = CotangentStarts(cotangents)
    rows = starts(1, 3, np.dtype(np.complex128))["h"]
    assert rows.dtype == np.complex128 and rows.tolist() == cotangents["h"][1:3].tolist()
    rows[:] = 0
    assert cotangents["h"].sum() == 66
    other = starts.with_cotangents({"h": cotangents["h"][1:]})
    assert other(0, 2, np.dtype(np.complex128))["h"].tolist() == cotangents["h"][1:3].tolist()


@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 2**32))
def test_losses_add_up_within_segments_and_then_segments(batch: int, chunks: int, seed: int) -> None:
    chunks = min(batch, chunks)
    rng = np.random.default_rng(seed)
    losses = rng.standard_normal(batch) * 10.0 ** rng.integers(-8, 8, batch)
    sums = [losses[rows].sum() for rows in segment_rows(batch, chunks)]
    objective = Objective(NETWORK.without_regularization(), 1)
    assert objective.reduced(losses, PARAMS, chunks) == reduce(add, sums)


@pytest.mark.parametrize("loss", [-0.0, 0.1, -3.5, 1e-310, np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_single_loss_has_the_bits_of_its_sum(loss: float, dtype: str) -> None:
    losses = np.array([loss], dtype)
    found = Objective(NETWORK.without_regularization(), 1).reduced(losses, PARAMS, chunks=1)
    assert np.float64(found).tobytes() == np.add.reduce(losses, dtype=np.float64).tobytes()
