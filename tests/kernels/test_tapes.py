"""Tapes of the compiled kernels: the bits of the layers, one after the other."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from time import monotonic
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.circuits import Circuit, circuits
from support.engine import compiled

from deltawire_layers import DeadlineExceeded, call_until
from deltawire_layers.gates import tapes
from deltawire_service.engine import Threads

pytestmark = pytest.mark.kernels


@given(circuits())
def test_circuits_have_the_bits_of_the_loop(circuit: Circuit) -> None:
    network = compiled(circuit.spec)
    loop = circuit.bits(replace(network, flat_after=inf))
    joined = circuit.bits(replace(network, flat_after=0))
    assert [name for name in loop if loop[name] != joined[name]] == []


@settings(max_examples=settings.default.max_examples // 4)
@given(circuits(), st.integers(1, 3), st.integers(1, 10_000))
def test_neither_threads_nor_pieces_change_a_bit(circuit: Circuit, threads: int, operations: int) -> None:
    network = compiled(circuit.spec)
    once = circuit.bits(replace(network, flat_after=0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tapes, "OPERATIONS", operations)
        pieces = circuit.bits(replace(compiled(circuit.spec), flat_after=0, threads=Threads(threads)))
    assert [name for name in once if once[name] != pieces[name]] == []


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("numbers", [4096, 4097, 10_000, 65_535])
def test_a_team_changes_no_bit(numbers: int, dtype: str) -> None:
    kinds = ["tanh", "negate", "sigmoid", "abs", "gelu"] * 8
    nodes = [{"name": f"n{place}", "kind": kind} for place, kind in enumerate(kinds)]
    network = compiled({"inputs": {"x": {"shape": []}}, "nodes": nodes})
    data = {"x": np.random.default_rng(0).normal(size=numbers).astype(dtype)}

    def bits(threads: int, flat_after: float) -> list[bytes]:
        one = replace(network, flat_after=flat_after, threads=Threads(threads))
        result = one.gradients({}, data, wrt_data=True, values=["n7"])
        return [result.data["x"].tobytes(), result.values["n7"].tobytes(), result.losses.tobytes()]

    loop = bits(1, inf)
    assert all(bits(threads, 0) == loop for threads in (1, 2, 3, 2, 3))


CHAIN: dict[str, Any] = {
    "inputs": {"x": {"shape": []}},
    "nodes": [{"name": "a", "kind": "tanh"}, {"name": "b", "kind": "negate"}, {"name": "c", "kind": "tanh"}],
}


def test_a_long_run_looks_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tapes, "OPERATIONS", 1)
    looks = iter(range(1, 1000))
    monkeypatch.setattr(tapes, "check_deadline", lambda: next(looks))
    network = replace(compiled(CHAIN), flat_after=0)
    network.gradients({}, {"x": np.zeros(1000)}, wrt_data=True)
    assert next(looks) == 9  # four blocks in each pass


def test_a_run_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tapes, "OPERATIONS", 1)
    network = replace(compiled(CHAIN), flat_after=0)
    x = np.zeros(5_000_000)
    with pytest.raises(DeadlineExceeded):
        call_until(monotonic() + 0.01, lambda: network.gradients({}, {"x": x}, wrt_data=True))


def test_operations_are_those_of_numpy() -> None:
    import deltawire_kernels

    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, 600))
    b[:3] = 0.0, -0.0, np.inf
    exact = {
        "add": a + b,
        "subtract": a - b,
        "multiply": a * b,
        "divide": a / np.where(b == 0, 1, b),
        "negate": -a,
        "halve": a / 2,
        "reciprocal": 1 / a,
        "root": np.sqrt(np.abs(a)),
        "absolute": np.abs(a),
        "absolute_delta": b * np.sign(a),
    }
    for name, expected in exact.items():
        number, y = deltawire_kernels.operations.index(name), np.empty_like(a)
        first = np.abs(a) if name == "root" else a
        second = np.where(b == 0, 1, b) if name == "divide" else b
        rows = np.array([[number, 2, 0, 1]], np.int32)
        deltawire_kernels.tape(rows, (first, second), (y,), np.empty(0), 0, 600, 0, 600)
        np.testing.assert_array_equal(y, expected, name)


@pytest.mark.parametrize(
    ("row", "numbers", "start", "stop", "problem"),
    [
        ([0, 2, 0, 1], 600, 1, 600, "whole blocks"),
        ([0, 2, 0, 1], 600, 0, 300, "whole blocks"),
        ([0, 2, 0, 1], 600, 0, 1024, "whole blocks"),
        ([0, 2, 0, 1], 600, 512, 512, "whole blocks"),
        ([0, 2, 0, 1], 599, 0, 599, "differ in size"),
        ([999, 2, 0, 1], 600, 0, 600, "names no operation"),
        ([-1, 2, 0, 1], 600, 0, 600, "names no operation"),
        ([0, 1, 0, 1], 600, 0, 600, "no register"),  # it would write to what was given
        ([0, 4, 0, 1], 600, 0, 600, "no register"),
        ([0, 2, 4, 1], 600, 0, 600, "no register"),
        ([0, 2, 0, -1], 600, 0, 600, "no register"),
    ],
)
def test_a_tape_that_does_not_fit_is_refused(
    row: list[int], numbers: int, start: int, stop: int, problem: str
) -> None:
    import deltawire_kernels

    x, y = np.ones((2, 600)), np.zeros(600)
    with pytest.raises(ValueError, match=problem):
        deltawire_kernels.tape(
            np.array([row], np.int32), (x[0], x[1]), (y,), np.empty(0), 1, numbers, start, stop
        )
    assert not y.any()


def test_arrays_of_another_dtype_or_order_are_refused() -> None:
    import deltawire_kernels

    rows, x, y = np.array([[0, 1, 0, 0]], np.int32), np.ones(4), np.empty(4)
    for arrays, made in [((x.astype(np.float32),), (y,)), ((np.ones(8)[::2],), (y,)), ((x,), (y[::-1],))]:
        with pytest.raises((TypeError, RuntimeError)):
            deltawire_kernels.tape(rows, arrays, made, np.empty(0), 0, 4, 0, 4)
