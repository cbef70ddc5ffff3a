"""Results of chunks put together: rows in their places, sums added up, whatever arrays layers hand over."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.engine import compiled

from deltawire_service.engine.execute.backprop import Pass
from deltawire_service.engine.execute.batch_result import BatchResult
from deltawire_service.engine.plan.cuts import chunk_bounds

NETWORK = compiled(
    {
        "inputs": {"x": {"shape": [2]}, "s": {"shape": [3], "shared": True}},
        "nodes": [
            {"name": "h", "kind": "linear", "inputs": ["x"], "config": {"units": 3}},
            {"name": "m", "kind": "multiply", "inputs": ["h", "s"]},
            {"name": "loss", "kind": "sum"},
        ],
    }
)
FLOAT64 = np.dtype(np.float64)


def rows_of(finite: bool = True, **parts: dict[str, Any]) -> Pass:
    """A pass that has computed these arrays."""
    empty: dict[str, Any] = {"values": {}, "deltas": {}, "examples": {}, "grads": {}}
    return cast(Pass, SimpleNamespace(**{**empty, **parts}, finite=finite))


@given(st.integers(1, 300), st.integers(1, 200), st.integers(0, 2**32))
def test_chunks_are_the_whole(batch: int, chunks: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    value, by_row = rng.standard_normal((batch, 3)), rng.integers(-9, 9, (batch, 3)).astype(float)
    chunks = min(batch, chunks)
    result = BatchResult(NETWORK, range(batch), FLOAT64, chunks)
    for start, stop in chunk_bounds(batch, chunks):
        result.add(
            start,
            rows_of(
                values={"h": value[start:stop]},
                deltas={"h": 2 * value[start:stop], "s": by_row[start:stop]},
                grads={"h.bias": by_row[start:stop].sum(axis=0)},
            ),
        )
    assert (result.values["h"] == value).all()
    assert (result.deltas(["h"])["h"] == 2 * value).all()
    # Whole numbers add up exactly, in any order.
    assert (result.deltas(["s"])["s"] == by_row.sum(axis=0)).all()
    assert (result.gradients(["h.bias"])["h.bias"] == by_row.sum(axis=0)).all()
    assert result.finite


def test_what_does_not_lead_to_the_loss_has_zeros() -> None:
    result = BatchResult(NETWORK, range(4), np.dtype(np.float32), 1)
    deltas = result.deltas(["x", "s", "m"])
    assert {name: array.shape for name, array in deltas.items()} == {"x": (4, 2), "s": (3,), "m": (4, 3)}
    (gradient,) = result.gradients(["h.weight"]).values()
    assert gradient.shape == (3, 2) and gradient.dtype == np.float32 and not gradient.any()


@pytest.mark.parametrize("chunks", [1, 2, 3])
def test_arrays_of_layers_are_not_written_to(chunks: int) -> None:
    shared = np.ones(3)
    shared.setflags(write=False)
    result = BatchResult(NETWORK, range(chunks), FLOAT64, chunks)
    for start in range(chunks):
        result.add(start, rows_of(grads={"h.bias": shared}))
    assert result.gradients(["h.bias"])["h.bias"].tolist() == [chunks] * 3 and shared.tolist() == [1] * 3


def test_a_sum_that_overflows_is_not_finite_though_its_parts_are() -> None:
    result = BatchResult(NETWORK, range(2), FLOAT64, 2)
    with np.errstate(all="ignore"):
        for start in range(2):
            result.add(start, rows_of(grads={"h.bias": np.full(3, 1e308)}))
    assert not result.finite
    other = BatchResult(NETWORK, range(1), FLOAT64, 1)
    other.add(0, rows_of(finite=False))
    assert not other.finite
