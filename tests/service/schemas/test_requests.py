"""Requests: their options and defaults, and JSON read exactly."""

from __future__ import annotations

import dataclasses
from typing import Any, get_type_hints

import pytest

from deltawire.errors import Refused
from deltawire_service.engine import Caches
from deltawire_service.faults import load
from deltawire_service.schemas import requests
from deltawire_service.schemas.request_fields import Estimate, Wrt
from deltawire_service.schemas.request_reader import RequestReader
from deltawire_service.schemas.requests import (
    ComputeRequest,
    GradientsRequest,
    HvpRequest,
    InitRequest,
    NetworkRequest,
    TensorsRequest,
    schema_of,
)

ABSTRACT = (NetworkRequest, TensorsRequest, ComputeRequest)
ROUTES = [
    each
    for each in vars(requests).values()
    if isinstance(each, type) and issubclass(each, NetworkRequest) and each not in ABSTRACT
]

gradients = RequestReader(GradientsRequest, Caches())
init = RequestReader(InitRequest, Caches())
hvp = RequestReader(HvpRequest, Caches())


def test_defaults() -> None:
    options, parts = gradients({"network": 1, "data": {}})
    assert options == GradientsRequest(
        dtype="float64", tensors="lists", wrt=Wrt(True, False), reduction="mean", losses=False, values=[],
        deltas=[], non_finite="error", trace=False, per_example=False,
    )  # fmt: skip
    assert parts == (1, {}, {}, {}, {}, {}, None)
    assert init({"network": 1})[0] == InitRequest(dtype="float64", tensors="lists", seed=0)
    assert gradients({"network": 1, "data": {}, "wrt": {"data": ["x"]}})[0].wrt == Wrt(True, ["x"])
    assert hvp({"network": 1, "data": {}, "diagonal": {"seed": 3}})[0].diagonal == Estimate(10, 3)


def test_networks_and_tensors_pass_untouched() -> None:
    leaves = {"params": {"a.b": object()}, "data": {"x": [[object()]]}}
    spec = [object()]
    _, parts = gradients({"network": spec, **leaves})
    assert parts.network is spec and parts.params is leaves["params"] and parts.data is leaves["data"]


@pytest.mark.parametrize("route", ROUTES)
def test_every_option_is_typed_and_described(route: type[NetworkRequest]) -> None:
    schema = schema_of(route)()
    options = {each.name for each in dataclasses.fields(route)}
    assert options | route.parts.keys() == schema.fields.keys() and not options & route.parts.keys()
    assert options <= get_type_hints(route).keys()
    assert all(field.metadata["description"] for field in schema.fields.values())


@pytest.mark.parametrize("route", ROUTES)
def test_options_are_read_as_what_their_types_say(route: type[NetworkRequest]) -> None:
    minimal = {"network": {}, "params": {}, "data": {}, "cotangents": {}, "tangents": {}, "vectors": {}}
    minimal |= {"values": ["a"], "outputs": ["a"], "diagonal": {}}
    fields = schema_of(route)().fields
    options, _ = RequestReader(route, Caches())(
        {name: part for name, part in minimal.items() if name in fields}
    )
    for name, hint in get_type_hints(route).items():
        if name != "parts":
            kind = (
                type(getattr(options, name)).__name__.replace("NoneType", "None").replace("list", "Sequence")
            )
            assert kind in str(hint), name


@pytest.mark.parametrize(
    "field, wrong",
    [
        *(("losses", value) for value in (0, 1, "true", "yes", 1.0, [], None)),
        *(("values", value) for value in ("x", {"x": 1}, [1], [None], [["x"]], None, 5)),
        *(("values", value) for value in (["a"] * 3000, ["a" * 300])),
        *(("params", value) for value in ([], "x", 5, None)),
        *(("reduction", value) for value in ("MEAN", "", ["mean"], None, 1)),
        *(("non_finite", value) for value in ("ignore", True)),
        *(("tensors", value) for value in ("base32", 64)),
        *(("wrt", value) for value in (True, ["params"], None, "x")),
    ],
)
def test_what_is_not_exactly_right_is_refused(field: str, wrong: Any) -> None:
    with pytest.raises(Refused) as refused:
        gradients({"network": 1, "data": {}, field: wrong})
    assert (refused.value.pointer, refused.value.code) == (f"/{field}", "field_invalid")


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, True, "1", None])
def test_seeds_are_whole_numbers_of_64_bits(seed: Any) -> None:
    assert init({"network": 1, "seed": 2**64 - 1})[0].seed == 2**64 - 1
    with pytest.raises(Refused) as refused:
        init({"network": 1, "seed": seed})
    assert (refused.value.pointer, refused.value.code) == ("/seed", "field_invalid")


def test_an_unknown_field_gets_a_suggestion() -> None:
    with pytest.raises(Refused, match="did you mean 'reduction'"):
        load(schema_of(GradientsRequest)(), {"network": 1, "data": {}, "reductoin": "sum"})
