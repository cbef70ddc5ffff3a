"""Requests are read by schema once for all that have the same options; what differs passes through."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from support.posting import good

from deltawire.errors import Refused
from deltawire_service.engine import Caches
from deltawire_service.faults import load
from deltawire_service.schemas.request_reader import KEPT_BYTES, RequestParts, RequestReader
from deltawire_service.schemas.requests import (
    CheckRequest,
    ForwardRequest,
    GradientsRequest,
    HvpRequest,
    InitRequest,
    JvpRequest,
    NetworkRequest,
    PlanRequest,
    VjpRequest,
    schema_of,
)

NETWORK: dict[str, Any] = {"network": {"nodes": []}}
BATCH = NETWORK | {"data": {}}
DOCUMENTS: list[Any] = [
    *(None, [], 1, "", {}, NETWORK, {"network": None}, {"network": 5}, NETWORK | {"data": []}),
    *(BATCH, BATCH | {"params": None}, NETWORK | {"data": {"x": [1]}, "seed": 3}),
    *(BATCH | {"losses": losses} for losses in (True, 1, 1.0, "true", None)),
    *(BATCH | {"wrt": wrt} for wrt in ({"data": True}, {"data": ["x"]}, {"dat": True}, [], None)),
    BATCH | {"values": ["a", "b"], "dtype": "float32", "samples": 3, "batch": 7},
    BATCH | {"values": ["a" * 100] * 20},
    BATCH | {"values": ["a" * KEPT_BYTES]},
    BATCH | {"lossses": True, "reduction": "max", "dtype": "float16"},
    *(BATCH | {"cotangents": given} for given in ({}, {"a": [1]}, [], None)),
    *(
        BATCH | {"outputs": ["a"], "tangents": given}
        for given in ({}, {"data": {"x": [1]}}, {"params": []}, {"dat": {}}, [], None)
    ),
    *(BATCH | {"vectors": given} for given in ({"params": {"w": [1]}}, {}, None, 3)),
    *(BATCH | {"noise_seed": seed} for seed in (0, 2**64 - 1, None, 2**64, -1, 1.0, "1", True)),
]


@pytest.mark.parametrize(
    "route",
    [
        *(GradientsRequest, ForwardRequest, CheckRequest, PlanRequest, InitRequest),
        *(VjpRequest, JvpRequest, HvpRequest),
    ],
)
def test_it_reads_what_the_schema_reads_the_first_time_and_again(route: type[NetworkRequest]) -> None:
    reader, schema = RequestReader(route, Caches()), schema_of(route)()
    read = 0
    for document in DOCUMENTS * 2:
        try:
            expected = load(schema, document)
        except Refused as refused:
            with pytest.raises(Refused) as again:
                reader(document)
            assert again.value.faults == refused.faults
            continue
        read += 1
        options, parts = reader(document)
        assert vars(options) == {each.name: expected[each.name] for each in dataclasses.fields(route)}
        assert parts.network == expected["network"]
        for name in ("params", "data", "cotangents"):
            assert getattr(parts, name) == expected.get(name, {})
        assert parts.noise_seed == expected.get("noise_seed")
        directions = {name: expected[name] for name in ("tangents", "vectors") if expected.get(name)}
        assert parts.directions == directions
    assert read > 1


def test_the_same_options_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = list[Any]()
    monkeypatch.setattr(
        "deltawire_service.schemas.request_reader.load",
        lambda *given: (calls.append(given), load(*given))[1],
    )
    reader = RequestReader(GradientsRequest, Caches())
    first, _ = reader(good() | {"losses": True})
    for step in range(5):
        options, parts = reader(good() | {"data": {"x": [step]}, "losses": True, "noise_seed": step})
        assert (parts.data, parts.noise_seed) == ({"x": [step]}, step) and options is first
    assert len(calls) == 1
    reader(good() | {"losses": False})
    assert len(calls) == 2


def test_directions_do_not_stand_in_the_way() -> None:
    reader = RequestReader(JvpRequest, Caches())
    document = good() | {"outputs": ["loss"], "tangents": {"data": {"x": [[1.0, 2.0]]}}}
    first, second = reader(document), reader(document)
    assert first[0] is second[0]
    assert first[1].directions == {"tangents": {"params": {}, "data": {"x": [[1.0, 2.0]]}}}


def test_long_options_are_not_kept() -> None:
    def options(*values: str) -> Any:
        return reader(good() | {"values": list(values)})[0]

    reader = RequestReader(GradientsRequest, Caches())
    long = [f"node{number}" for number in range(KEPT_BYTES // 8)]
    assert options(*long) is not options(*long)
    assert options("a") is options("a")


def test_an_array_among_the_options_is_refused() -> None:
    """A binary body may put one there."""
    with pytest.raises(Refused) as refused:
        RequestReader(GradientsRequest, Caches())(good() | {"values": {"x": np.zeros(2)}})
    assert refused.value.pointer == "/values"


def test_what_is_missing_is_empty() -> None:
    assert RequestReader(PlanRequest, Caches())(NETWORK)[1] == RequestParts({"nodes": []}, {}, {}, {}, {}, {})
