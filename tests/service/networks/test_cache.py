"""Compiled networks are kept, the most recently used ones, for all threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from deltawire.errors import Refused
from deltawire_layers import load_layers
from deltawire_service.engine import Caches, Limits
from deltawire_service.networks.cache import NetworkCache


def spec(units: int) -> dict[str, Any]:
    return {
        "inputs": {"x": {"shape": [2]}},
        "nodes": [{"kind": "linear", "config": {"units": units}}, {"kind": "sum"}],
    }


def cache(most_bytes: int = 2**20) -> NetworkCache:
    return NetworkCache(load_layers(), Limits(), Caches(most_bytes))


def size() -> int:
    """Bytes that one of these networks takes."""
    caches = Caches()
    NetworkCache(load_layers(), Limits(), caches).compiled(spec(1))
    return caches.bytes


def test_a_network_is_compiled_once() -> None:
    networks = cache()
    assert networks.compiled(spec(1)) is networks.compiled(spec(1))
    assert networks.compiled(spec(1)) is not networks.compiled(spec(2))


def test_the_least_recently_used_one_goes() -> None:
    networks = cache(int(2.5 * size()))
    first, second = networks.compiled(spec(1)), networks.compiled(spec(2))
    networks.compiled(spec(1))
    networks.compiled(spec(3))
    assert networks.compiled(spec(1)) is first
    assert networks.compiled(spec(2)) is not second


def test_spellings_of_one_network_push_out_no_other() -> None:
    networks = cache(4 * size())
    other = networks.compiled(spec(2))
    spelled = {networks.compiled(spec(1) | {"metadata": {"note": str(number)}}) for number in range(10)}
    assert len(spelled) == 1
    assert networks.compiled(spec(2)) is other


def test_a_network_that_is_not_kept_keeps_what_is_derived_to_itself() -> None:
    caches = Caches(2_000)
    network = NetworkCache(load_layers(), Limits(), caches).compiled(spec(1))
    network.plan(batch=3)
    assert caches.bytes == 0 and network.caches.bytes > 0


def test_what_is_derived_from_networks_is_counted_with_them() -> None:
    """All 300 networks and their 3,000 programs and plans have one budget."""
    allowed = size()
    caches = Caches(10 * allowed)
    networks = NetworkCache(load_layers(), Limits(), caches)
    for number in range(300):
        network = networks.compiled(spec(1 + number))
        for batch in range(10):
            network.plan(1 + batch, wrt_data=batch % 2 == 0)
        assert caches.bytes <= 10 * allowed


def test_faults_are_below_network_and_nothing_wrong_is_kept() -> None:
    networks = cache()
    kept = networks.compiled(spec(1)), networks.compiled(spec(2))
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            networks.compiled(spec(0))
        assert refused.value.pointer == "/network/nodes/0/config/units"
    assert (networks.compiled(spec(1)), networks.compiled(spec(2))) == kept


def test_threads_share_them() -> None:
    networks = cache(int(3.5 * size()))
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda number: networks.compiled(spec(1 + number % 5)), range(400)))
    assert {network.parameters["linear1.bias"].shape[0] for network in found} == {1, 2, 3, 4, 5}
    assert all(network.parameters["linear1.bias"].shape[0] == 1 + n % 5 for n, network in enumerate(found))
