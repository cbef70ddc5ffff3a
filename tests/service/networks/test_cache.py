"""Compiled networks are kept, the most recently used ones, for all threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from deltawire.errors import Refused
from deltawire_layers import load_layers
from deltawire_service.engine import Limits
from deltawire_service.networks.cache import NetworkCache


def spec(units: int) -> dict[str, Any]:
    return {
        "inputs": {"x": {"shape": [2]}},
        "nodes": [{"kind": "linear", "config": {"units": units}}, {"kind": "sum"}],
    }


def test_a_network_is_compiled_once() -> None:
    networks = NetworkCache(load_layers(), Limits(), capacity=2)
    assert networks.compiled(spec(1)) is networks.compiled(spec(1))
    assert networks.compiled(spec(1)) is not networks.compiled(spec(2))


def test_the_least_recently_used_one_goes() -> None:
    networks = NetworkCache(load_layers(), Limits(), capacity=2)
    first, second = networks.compiled(spec(1)), networks.compiled(spec(2))
    networks.compiled(spec(1))
    networks.compiled(spec(3))
    assert networks.compiled(spec(1)) is first
    assert networks.compiled(spec(2)) is not second


def test_faults_are_below_network_and_nothing_wrong_is_kept() -> None:
    networks = NetworkCache(load_layers(), Limits(), capacity=2)
    kept = networks.compiled(spec(1)), networks.compiled(spec(2))
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            networks.compiled(spec(0))
        assert refused.value.pointer == "/network/nodes/0/config/units"
    assert (networks.compiled(spec(1)), networks.compiled(spec(2))) == kept


def test_threads_share_them() -> None:
    networks = NetworkCache(load_layers(), Limits(), capacity=3)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda number: networks.compiled(spec(1 + number % 5)), range(400)))
    assert {network.parameters["linear1.bias"].shape[0] for network in found} == {1, 2, 3, 4, 5}
    assert all(network.parameters["linear1.bias"].shape[0] == 1 + n % 5 for n, network in enumerate(found))
