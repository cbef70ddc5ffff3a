"""Caches: bytes are counted as they are allocated, all entries together, and the least recently used go."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from support.allocations import traced
from support.engine import compiled

from deltawire_service.engine.caches import ENTRY_BYTES, Caches, bytes_of
from deltawire_service.engine.plan.program import make_program
from deltawire_service.engine.plan.targets import Wrt


def stack(nodes: int) -> dict[str, Any]:
    layers = [{"name": f"n{n}", "kind": "linear", "config": {"units": 8}} for n in range(nodes)]
    return {"inputs": {"x": {"shape": [8]}}, "nodes": [*layers, {"kind": "sum"}]}


def entry(size: int) -> bytes:
    """A value that takes about so many bytes with its entry."""
    return bytes(size - ENTRY_BYTES)


def test_all_entries_share_one_budget() -> None:
    caches = Caches(10_000)
    for key in range(20):
        caches.keep(key, entry(1_000))
        assert caches.bytes <= 10_000
    assert caches.bytes > 8_000
    assert caches.find(0) is None and caches.find(19) is not None


def test_the_least_recently_used_goes_first() -> None:
    caches = Caches(3_800)
    for key in "abc":
        caches.keep(key, entry(1_000))
    caches.find("a")
    caches.keep("d", entry(1_000))
    assert [key for key in "abcd" if caches.find(key) is not None] == ["a", "c", "d"]


def test_what_is_too_large_pushes_nothing_out() -> None:
    caches = Caches(10_000)
    kept = caches.keep("small", entry(1_000))
    assert caches.keep("large", bytes(20_000)) is None
    assert caches.find("small") is kept and caches.find("large") is None


def test_the_first_value_of_a_key_stays() -> None:
    caches = Caches()
    first = caches.keep("key", ["first"])
    before = caches.bytes
    assert caches.keep("key", ["second"]) is first and caches.bytes == before


def test_a_function_is_called_once_for_its_arguments() -> None:
    caches, calls = Caches(), list[tuple[int, ...]]()

    def add(*numbers: int) -> int:
        calls.append(numbers)
        return sum(numbers)

    one, other = caches.cached(add), caches.cached(add)
    assert [one(1, 2), one(1, 2), one(2), other(1, 2)] == [3, 3, 2, 3]
    assert calls == [(1, 2), (2,), (1, 2)]  # each cached function has entries of its own


def test_errors_are_not_kept() -> None:
    caches = Caches()
    inverse = caches.cached(lambda x: 1 / x)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            inverse(0)
    assert caches.bytes == 0


def test_threads_share_them() -> None:
    caches = Caches(20_000)
    square = caches.cached(lambda number: [number**2])
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda n: square(n % 97)[0], range(20_000)))
    assert results == [(n % 97) ** 2 for n in range(20_000)]
    entries = caches.bytes
    assert 0 < entries <= 20_000


@pytest.mark.parametrize("nodes", [1, 10, 200])
def test_bytes_are_those_that_were_allocated(nodes: int) -> None:
    network, allocated = traced(lambda: compiled(stack(nodes)))
    outside = (network.threads, network.runner, network.limits, network.caches)
    assert 0.9 * allocated < bytes_of(network, outside) < 1.3 * allocated
    targets = network.targets(Wrt(True, True))
    other = compiled(stack(2))
    make_program(other, other.targets(Wrt(True, True)))  # what a process allocates once is not the program's
    program, allocated = traced(lambda: make_program(network, targets))
    assert 0.9 * allocated < bytes_of(program, network.parts) < 1.5 * allocated + 2_000  # names count too


def test_arrays_count_where_they_own_their_numbers() -> None:
    array = np.zeros(10_000)
    assert 80_000 < bytes_of({"own": array}) < 81_000
    assert bytes_of({"view": array[:]}) < 1_000
    assert bytes_of([array, array, [array]]) < 81_000  # each object once
    assert bytes_of({"own": array}, beside=[array]) < 1_000
