"""Rows in several threads: the same bits as in one, in order, and nothing left behind by a failure."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from threading import Event, get_ident
from time import monotonic, sleep
from typing import Any, TypeVar
from unittest.mock import patch

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_info

from deltawire_layers import (
    DeadlineExceeded,
    call_until,
    current_deadline,
    load_layers,
    products,
    sharing,
)
from deltawire_service.engine import Network, Threads, compile_network
from deltawire_service.engine.execute.threads import later
from deltawire_service.engine.plan.memory_plan import count_chunks

LAYERS = load_layers()
T = TypeVar("T")
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
    Threads(2).alone(int)  # BLAS with one thread, as the service starts it
    expected = answer(one)
    for network in (two, three):
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


def blas_threads(*_: int) -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_blas_has_one_thread_wherever_several_compute() -> None:
    for library in ThreadpoolController().select(user_api="blas").lib_controllers:
        library.set_num_threads(2)
    assert Threads(1).alone(blas_threads) == {2}  # as it was started
    assert Threads(2).alone(blas_threads) == {1}
    assert list(Threads(2).map(blas_threads, [(0,), (1,)])) == [{1}, {1}]


def test_a_single_chunk_shares_its_large_products() -> None:
    threads, idents = Threads(2), set[int]()
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((1200, 700)), rng.standard_normal((700, 600))

    def compute() -> np.ndarray:
        idents.add(get_ident())
        return products.matmul(a, b)

    threads.limit_blas()  # its own threads would cut the product by their number
    expected = compute()
    share = sharing.sharing.get()
    with patch.object(np, "matmul", noting(np.matmul, idents)):
        assert threads.alone(compute).tobytes() == expected.tobytes()
    assert len(idents) == 2 and sharing.sharing.get() is share


def noting(function: Callable[..., T], idents: set[int]) -> Callable[..., T]:
    """The function, noting which threads call it. Each waits a little for the others to begin."""

    def note(*arguments: Any) -> T:
        idents.add(get_ident())
        sleep(0.05)
        return function(*arguments)

    return note


def test_a_piece_that_fails_fails_the_product_after_all_that_began_have_ended() -> None:
    threads, failing, begun = Threads(2), Event(), Event()
    ended, computed = list[bool](), list[bool]()

    def fail() -> None:
        failing.set()
        assert begun.wait(10)
        raise MemoryError

    def slow() -> None:
        begun.set()
        sleep(0.2)
        ended.append(True)

    def compute() -> None:
        leave = later.get()
        assert leave is not None
        leave(partial(failing.wait, 10))  # the other thread begins its piece when this one is failing
        share_of([fail, slow, partial(computed.append, True)])

    with pytest.raises(MemoryError):
        threads.alone(compute)
    assert ended == [True] and computed in ([], [True])
    assert threads.alone(lambda: "next") == "next"


class Numbers:
    """What a failing computation holds."""


def fail_with(held: list[weakref.ref[Numbers]]) -> None:
    numbers = Numbers()
    held.append(weakref.ref(numbers))
    raise ArithmeticError


def leave_two(fail: Callable[[], None]) -> None:
    leave = later.get()
    assert leave is not None
    for wait in [leave(fail), leave(fail)]:
        assert wait is not None
        wait()


def test_no_thread_idles_while_another_computes_a_longer_item() -> None:
    threads, here = Threads(2), get_ident()
    long, done = list[int](), list[int]()

    def compute(place: int) -> None:
        if get_ident() == here and not long:
            long.append(place)
            deadline = monotonic() + 5
            while len(done) < 2 and monotonic() < deadline:
                sleep(0.001)
        done.append(place)

    for _ in threads.map(compute, [(place,) for place in range(5)]):
        pass
    assert len(done) == 5 and done.index(long[0]) >= 2  # the other thread has made two items meanwhile


@pytest.mark.parametrize("way", ["share", "later", "map"])
def test_a_failure_holds_nothing_when_its_error_is_gone(way: str) -> None:
    threads, held = Threads(2), list[weakref.ref[Numbers]]()

    def run() -> None:
        if way == "map":
            list(threads.map(lambda _: fail_with(held), [(n,) for n in range(4)]))
        elif way == "share":
            threads.alone(lambda: share_of([partial(fail_with, held)] * 3))
        else:
            threads.alone(lambda: leave_two(partial(fail_with, held)))

    gc.disable()
    try:
        for _ in range(3):
            with pytest.raises(ArithmeticError) as caught:
                run()
            del caught
        threads.alone(lambda: None)
        deadline = monotonic() + 5  # a helper may still be on its way out of its call
        while any(each() is not None for each in held) and monotonic() < deadline:
            sleep(0.01)
        assert held and [each() for each in held] == [None] * len(held)
    finally:
        gc.enable()


def test_no_more_is_left_than_others_can_begin_soon() -> None:
    threads, release = Threads(2), Event()

    def leave_three() -> list[bool]:
        leave = later.get()
        assert leave is not None
        left = [leave(partial(release.wait, 10)) for _ in range(3)]
        release.set()
        return [wait is not None and wait() for wait in left]

    assert threads.alone(leave_three) == [True, True, False]
    assert later.get() is None


def test_a_thread_that_has_not_begun_is_not_waited_for() -> None:
    threads, done, here = Threads(2), Event(), get_ident()
    computed = list[int]()

    def hold_another(inner: Callable[[], None]) -> None:
        """Have another thread take a piece that ends with the test, and call a function meanwhile."""
        begun = Event()

        def piece() -> None:
            if get_ident() == here:
                assert begun.wait(10)
                inner()
            else:
                begun.set()
                assert done.wait(10)

        share_of([piece, piece])

    def compute() -> None:
        share_of([partial(computed.append, place) for place in range(3)])
        done.set()

    threads.alone(lambda: hold_another(compute))
    assert computed == [0, 1, 2]


def share_of(functions: list[Callable[[], None]]) -> None:
    share = sharing.sharing.get()
    assert share is not None
    share(functions)


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


def test_a_request_waits_for_its_turn_until_its_deadline() -> None:
    threads, begun, release = Threads(2), Event(), Event()

    def hold() -> bool:
        begun.set()
        return release.wait(10)

    with ThreadPoolExecutor(1) as callers:
        first = callers.submit(threads.alone, hold)
        assert begun.wait(5)
        for wait in (threads.alone, lambda compute: list(threads.map(compute, [()]))):
            with pytest.raises(DeadlineExceeded):
                call_until(monotonic() + 0.1, lambda w=wait: w(lambda: pytest.fail("computed")))
        release.set()
        assert first.result(5)
    assert threads.alone(lambda: "next") == "next"


def test_threads_have_the_deadline_of_their_caller() -> None:
    threads, later = Threads(2), monotonic() + 100
    items = [(0,), (1,), (2,)]
    deadlines = call_until(later, lambda: list(threads.map(lambda _: current_deadline(), items)))
    assert deadlines == [later] * 3
