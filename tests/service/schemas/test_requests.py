"""Request schemas: defaults, and JSON read exactly."""

from __future__ import annotations

from typing import Any

import pytest

from deltawire.errors import Refused
from deltawire_service.faults import load
from deltawire_service.schemas.requests import GradientsSchema, InitSchema


def test_defaults() -> None:
    assert load(GradientsSchema(), {"network": 1, "data": {}}) == {
        "network": 1, "params": {}, "data": {}, "wrt": {"params": True, "data": False}, "reduction": "mean",
        "losses": False, "values": [], "deltas": [], "dtype": "float64", "non_finite": "error",
        "tensors": "lists", "trace": False, "per_example": False,
    }  # fmt: skip
    assert load(InitSchema(), {"network": 1}) == {
        "network": 1, "seed": 0, "dtype": "float64", "tensors": "lists",
    }  # fmt: skip
    asked = load(GradientsSchema(), {"network": 1, "data": {}, "wrt": {"data": ["x"]}})
    assert asked["wrt"] == {"params": True, "data": ["x"]}


def test_networks_and_tensors_pass_untouched() -> None:
    document = {"network": [object()], "params": {"a.b": object()}, "data": {"x": [[object()]]}}
    asked = load(GradientsSchema(), document)
    assert all(asked[name] is document[name] for name in document)


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
        load(GradientsSchema(), {"network": 1, "data": {}, field: wrong})
    assert (refused.value.pointer, refused.value.code) == (f"/{field}", "field_invalid")


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, True, "1", None])
def test_seeds_are_whole_numbers_of_64_bits(seed: Any) -> None:
    assert load(InitSchema(), {"network": 1, "seed": 2**64 - 1})["seed"] == 2**64 - 1
    with pytest.raises(Refused) as refused:
        load(InitSchema(), {"network": 1, "seed": seed})
    assert (refused.value.pointer, refused.value.code) == ("/seed", "field_invalid")


def test_an_unknown_field_gets_a_suggestion() -> None:
    with pytest.raises(Refused, match="did you mean 'reduction'"):
        load(GradientsSchema(), {"network": 1, "data": {}, "reductoin": "sum"})


@pytest.mark.parametrize("schema", [GradientsSchema(), InitSchema()])
def test_every_field_is_described(schema: Any) -> None:
    assert all(field.metadata["description"] for field in schema.fields.values())
