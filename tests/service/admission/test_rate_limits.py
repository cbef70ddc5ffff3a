"""The rate of a key holds over all processes, and over a long time."""

from __future__ import annotations

import multiprocessing

import pytest

from deltawire_service.admission.api_keys import Key
from deltawire_service.admission.rate_limits import Rates


def take(rates: Rates, key: Key, taken: multiprocessing.Queue[int]) -> None:
    taken.put(sum(not rates.take(key, 100.0) for _ in range(50)))


def test_a_rate_holds_over_all_processes() -> None:
    fork = multiprocessing.get_context("fork")
    rates, key, taken = Rates(2), Key("laptop", 1, requests_per_second=30), fork.Queue()
    workers = [fork.Process(target=take, args=(rates, key, taken)) for _ in range(3)]
    for worker in workers:
        worker.start()
    assert sum(taken.get(timeout=20) for _ in workers) == 30
    for worker in workers:
        worker.join()


@pytest.mark.parametrize("rate", [0.1, 1.0, 7.0, 1000.0])
def test_over_a_long_time_a_key_gets_its_rate(rate: float) -> None:
    rates, key = Rates(1), Key("laptop", 0, requests_per_second=rate)
    now, got = 0.0, 0
    while now < 100:
        got += not rates.take(key, now)
        now += 0.03 / rate
    assert 95 * rate - 1 <= got <= 100 * rate + max(1, rate) + 1
