"""Rows in several threads: the same bits as in one, in order, and nothing left behind by a failure."""

from __future__ import annotations

from contextlib import closing
from threading import Event, get_ident

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from deltawire_layers import load_layers
from deltawire_service.engine import Network, Threads, compile_network
from deltawire_service.engine.execute.threads import SHARED_BYTES
from deltawire_service.engine.plan.memory_plan import count_chunks

LAYERS = load_layers()
WIDE = {
    "inputs": {"x": {"shape": [200]}, "y": {"shape": [], "dtype": "int64"}},
    "nodes": [
        {"kind": "linear", "config": {"units": 300}, "inputs": ["x"]},
        {"kind": "tanh"},
        {"name": "scores", "kind": "linear", "config": {"units": 10}},
        {"name": "loss", "kind": "softmax_nll", "inputs": ["scores", "y"]},
    ],
}
BATCH = 12_000


def answer(network: Network) -> dict[str, bytes]:
    numbers = np.random.default_rng(0)
    data = {"x": numbers.standard_normal((BATCH, 200)), "y": numbers.integers(0, 10, BATCH)}
    result = network.gradients(network.init(0), data, wrt_data=True, values=["scores"], deltas=["scores"])
    parts = (result.params, result.data, result.values, result.deltas)
    return {name: array.tobytes() for part in parts for name, array in part.items()}


def test_threads_do_not_change_a_bit() -> None:
    one, two, three = (compile_network(WIDE, LAYERS, threads=Threads(count)) for count in (1, 2, 3))
    assert count_chunks(one, BATCH, 8) >= 4
    with_one = compile_network(WIDE, LAYERS, threads=Threads(2))
    Threads(2)._use_in_products(1)  # as the service starts BLAS
    expected = answer(one)
    for network in (two, three, with_one):
        assert answer(network) == expected


def test_results_come_in_order_and_from_several_threads() -> None:
    threads, second_ran = Threads(2), Event()

    def compute(place: int) -> tuple[int, int]:
        if place == 0:
            assert second_ran.wait(10)  # the first waits for the second: they run at the same time
        if place == 1:
            second_ran.set()
        return place, get_ident()

    found = list(threads.map(compute, [(place,) for place in range(20)]))
    assert [place for place, _ in found] == list(range(20))
    assert len({thread for _, thread in found}) == 2


def test_matrix_products_get_all_threads_when_there_is_one_large_chunk() -> None:
    def blas(_: int = 0) -> set[int]:
        return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

    threads = Threads(2)
    assert threads.alone(blas, SHARED_BYTES) == {2}
    assert threads.alone(blas, SHARED_BYTES - 1) == {1}
    assert threads.alone(blas, SHARED_BYTES) == {2}
    assert list(threads.map(blas, [(0,), (1,)])) == [{1}, {1}]


def test_after_a_failure_the_next_request_has_its_turn() -> None:
    threads = Threads(2)

    def fail(place: int) -> int:
        if place == 1:
            raise ArithmeticError("broken")
        return place

    with (
        pytest.raises(ArithmeticError) as kept,
        closing(threads.map(fail, [(n,) for n in range(6)])) as passes,
    ):
        list(passes)
    assert kept.value and list(threads.map(lambda place: place, [(0,), (1,), (2,)])) == [0, 1, 2]


def test_whoever_takes_no_more_gives_the_turn_back() -> None:
    threads = Threads(2)
    with closing(threads.map(lambda place: place, [(n,) for n in range(6)])) as passes:
        assert next(passes) == 0
    assert list(threads.map(lambda place: place, [(0,), (1,)])) == [0, 1]
