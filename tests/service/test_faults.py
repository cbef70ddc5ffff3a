"""Faults: how they are gathered, worded and made of marshmallow's errors; and what answers say of them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError, fields, validate
from support.posting import GONE, changed, good, pointwise

from deltawire.errors import MOST_FAULTS, Fault, Refused
from deltawire_service.app import create_app
from deltawire_service.faults import Coded, Faults, escape, load, nearest, shown, unknown_kind
from deltawire_service.settings import Settings


def test_faults_refuse_by_themselves_once_an_error_is_full() -> None:
    faults = Faults()
    faults.refuse()  # none yet
    endless = (Fault(f"/{n}", "unknown_name", "no") for n in range(10**9))
    with pytest.raises(Refused) as refused:
        faults += endless
    assert len(refused.value.faults) == MOST_FAULTS


@given(st.text(alphabet="abcdefghij", min_size=4, max_size=12), st.integers(0, 3))
def test_a_misspelt_name_suggests_the_right_one(name: str, place: int) -> None:
    misspelt = name[:place] + "z" + name[place + 1 :]
    assert nearest(misspelt, [name, "0123456789"]) == f"; did you mean '{name}'?"


def test_without_a_similar_name_the_known_ones_are_listed() -> None:
    assert nearest("zz", ["b", "a"]) == "; known: a, b"
    assert nearest(7, [f"n{n:02}" for n in range(20)]).endswith("n11, …")
    assert nearest("a", []) == "; there are none"


@given(st.text(max_size=20))
def test_an_escaped_name_is_one_step_of_a_pointer(name: str) -> None:
    step = escape(name)
    assert "/" not in step and step.replace("~1", "/").replace("~0", "~") == name


def test_values_are_shown_short_and_on_one_line() -> None:
    assert shown("a\nb") == "'a\\nb'"
    assert len(shown("x" * 10**6)) <= 81 and len(shown([[list(range(99))] * 99] * 99)) <= 81


class Inner(Schema):
    number = fields.Integer(required=True)


def odd(value: int) -> None:
    if value % 2 == 0:
        raise ValidationError([Coded("number_even", "even")])


class Outer(Schema):
    inner = fields.List(fields.Nested(Inner))
    odd = fields.Integer(validate=odd)
    table = fields.Dict(keys=fields.String(validate=validate.NoneOf(["no"])), values=fields.Integer())


def test_every_place_that_does_not_fit_has_a_pointer_and_a_code() -> None:
    document = {"inner": [{"number": 1}, {"nmber": 2}], "odd": 4, "table": {"a": "b", "no": 1}}
    with pytest.raises(Refused) as refused:
        load(Outer(), document, "/at")
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [
        ("/at/inner/1/nmber", "field_unknown"),
        ("/at/inner/1/number", "field_missing"),
        ("/at/odd", "number_even"),
        ("/at/table/no", "field_invalid"),
        ("/at/table/a", "field_invalid"),
    ]
    assert refused.value.faults[0].detail.endswith("did you mean 'number'?")
    assert load(Outer(), {"odd": 3}) == {"odd": 3}
    with pytest.raises(Refused, match="expected an object, got \\[\\]"):
        load(Outer(), [])


def test_a_plan_that_is_too_large_names_the_setting() -> None:
    client = create_app(Settings(planned_bytes=2**20)).test_client()
    detail = detail_of(client, {**chain(2), "data": {"x": [0.5] * 2**16}})
    assert detail.endswith("at most 1048576 are allowed (DELTAWIRE_PLANNED_BYTES)")


A_OF_B = {"name": "a", "kind": "relu", "inputs": ["b"]}
B_OF_A = {"name": "b", "kind": "relu", "inputs": ["a"]}


def detail_of(client: FlaskClient, request: dict[str, Any]) -> str:
    return str(client.post("/v1/gradients", json=request).get_json()["detail"])


def chain(length: int) -> dict[str, Any]:
    network = {"inputs": {"x": {"shape": []}}, "nodes": [{"kind": "tanh"}] * length}
    return {"network": network, "data": {"x": [0.5]}}


@pytest.fixture(scope="module")
def client() -> Iterator[FlaskClient]:
    yield create_app().test_client()


def test_the_largest_network_is_answered(client: FlaskClient) -> None:
    assert client.post("/v1/gradients", json=chain(640)).status_code == 200


def test_of_duplicate_keys_the_last_one_counts(client: FlaskClient) -> None:
    body = json.dumps(good())[:-1] + ', "reduction": "max", "reduction": "mean"}'
    answer = client.post("/v1/gradients", data=body, content_type="application/json")
    assert answer.get_json() == client.post("/v1/gradients", json=good()).get_json()


def test_numbers_that_are_not_finite_are_returned_on_request(client: FlaskClient) -> None:
    """As strings in lists, as bytes in base64: JSON itself has no way to say them."""
    request = pointwise("reciprocal", 0.0) | {"non_finite": "return", "losses": True}
    answer = client.post("/v1/gradients", json=request).get_json()
    assert answer["loss"] == "Infinity"
    assert answer["losses"] == ["Infinity"]
    assert answer["gradients"]["data"]["x"] == ["-Infinity"]
    answer = client.post("/v1/gradients", json=request | {"tensors": "base64"}).get_json()
    assert np.frombuffer(base64.b64decode(answer["gradients"]["data"]["x"]["base64"])) == -np.inf


def test_a_cycle_is_named_and_an_unknown_name_gets_a_suggestion(client: FlaskClient) -> None:
    detail = detail_of(client, changed(("/network/nodes", [A_OF_B, B_OF_A])))
    assert "a → b → a" in detail or "b → a → b" in detail
    detail = detail_of(client, changed(("/network/nodes/1/inputs/0", "score")))
    assert "did you mean 'scores'?" in detail


def test_a_wrong_label_is_named_with_its_example(client: FlaskClient) -> None:
    for label in (-1, 3, 1.9, 1e30, True):
        assert "in example 1" in detail_of(client, changed(("/data/y/1", label))), label


def test_all_faults_are_told_at_once(client: FlaskClient) -> None:
    request = changed(("/reductoin", 1), ("/losses", 1), ("/wrt", {"params": 1}), ("/network", GONE))
    answer = client.post("/v1/gradients", json=request)
    assert {(error["pointer"], error["code"]) for error in answer.get_json()["errors"]} == {
        ("/reductoin", "field_unknown"),
        ("/losses", "field_invalid"),
        ("/wrt/params", "field_invalid"),
        ("/network", "field_missing"),
    }
    request = changed(("/data/x/0/1", None), ("/params/scores.bias/2", "0"), ("/data/y/0", 0.5))
    answer = client.post("/v1/gradients", json=request)
    assert {error["pointer"] for error in answer.get_json()["errors"]} == {
        "/data/x/0/1", "/params/scores.bias/2", "/data/y/0",
    }  # fmt: skip


@pytest.mark.parametrize(
    "kind, hint",
    [
        ("Dense", "; here it is 'linear'"),
        ("Softshrink", "; 'relu' comes closest: of shifted numbers, or x − tanh(x)"),
        ("Sequential", "; a network is a list of nodes, which name their inputs"),
        ("linera", "; did you mean 'linear'?"),
        (7, "; known: linear, relu"),
        ("x" * 10**6, "; known: linear, relu"),
    ],
)
def test_an_unknown_kind_leads_to_one_that_is_installed(kind: Any, hint: str) -> None:
    message = unknown_kind(kind, ["linear", "relu"])
    assert message.startswith("no layer of kind ") and message.endswith(hint)
