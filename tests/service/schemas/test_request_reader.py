"""Requests are read by schema once for all that have the same options; what differs passes through."""

from __future__ import annotations

from typing import Any

import pytest
from support.posting import good

from deltawire.errors import Refused
from deltawire_service.faults import load
from deltawire_service.schemas import request_reader
from deltawire_service.schemas.request_reader import KEPT_BYTES, Reader
from deltawire_service.schemas.requests import (
    CheckSchema,
    ForwardSchema,
    GradientsSchema,
    InitSchema,
    PlanSchema,
)

SCHEMAS = {"gradients": GradientsSchema, "forward": ForwardSchema, "check": CheckSchema, "plan": PlanSchema}
NETWORK: dict[str, Any] = {"network": {"nodes": []}}
DOCUMENTS: list[Any] = [
    *(None, [], 1, "", {}, NETWORK, {"network": None}, {"network": 5}, NETWORK | {"data": []}),
    *(
        NETWORK | {"data": {}},
        NETWORK | {"data": {}, "params": None},
        NETWORK | {"data": {"x": [1]}, "seed": 3},
    ),
    *(NETWORK | {"data": {}, "losses": losses} for losses in (True, 1, 1.0, "true", None)),
    *(
        NETWORK | {"data": {}, "wrt": wrt}
        for wrt in ({"data": True}, {"data": ["x"]}, {"dat": True}, [], None)
    ),
    NETWORK | {"data": {}, "values": ["a", "b"], "dtype": "float32", "samples": 3, "batch": 7},
    NETWORK | {"data": {}, "values": ["a" * 100] * 20},
    NETWORK | {"data": {}, "values": ["a" * KEPT_BYTES]},
    NETWORK | {"data": {}, "lossses": True, "reduction": "max", "dtype": "float16"},
]


@pytest.mark.parametrize("schema", [*SCHEMAS.values(), InitSchema])
def test_it_reads_what_the_schema_reads_the_first_time_and_again(schema: Any) -> None:
    reader = Reader(schema())
    for document in DOCUMENTS * 2:
        try:
            expected = load(schema(), document)
        except Refused as refused:
            with pytest.raises(Refused) as told:
                reader(document)
            assert told.value.faults == refused.faults
        else:
            assert reader(document) == expected


def test_the_same_options_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = list[Any]()
    monkeypatch.setattr(request_reader, "load", lambda *given: (calls.append(given), load(*given))[1])
    reader = Reader(GradientsSchema())
    for step in range(5):
        asked = reader(good() | {"data": {"x": [step]}, "losses": True})
        assert asked["data"] == {"x": [step]} and asked["losses"] is True
    assert len(calls) == 1
    reader(good() | {"losses": False})
    assert len(calls) == 2


def test_long_options_are_not_kept() -> None:
    reader = Reader(GradientsSchema())
    for step in range(3):
        reader(good() | {"values": [f"node{step}"] * (KEPT_BYTES // 8)})
    assert reader._options.cache_info().currsize == 0
    for step in range(3 * request_reader.KEPT):
        reader(good() | {"values": [f"node{step}"]})
    assert reader._options.cache_info().currsize == request_reader.KEPT
