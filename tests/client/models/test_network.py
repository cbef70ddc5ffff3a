"""A model in a network's place: as a mapping it is its spec, and calls know where its parameters are."""

from __future__ import annotations

import numpy as np
import pytest
from support.classifier import batch, classifier
from support.transports import Recorded

from deltawire import Client, Network, Refused
from deltawire.models.network import ModelNetwork, model_path
from deltawire.wire import Array

SPEC = classifier().spec()
NEWEST, SECOND = ModelNetwork("digits", "float32", SPEC), ModelNetwork("digits", "float32", SPEC, 2)
PARAMS: dict[str, Array] = {
    name: np.zeros(shape, np.float32)
    for name, shape in {
        "hidden.weight": (8, 4), "hidden.bias": (8,), "scores.weight": (3, 8), "scores.bias": (3,)
    }.items()
}  # fmt: skip


def test_it_is_its_spec() -> None:
    assert dict(NEWEST) == SPEC and len(NEWEST) == len(SPEC)
    assert Network.from_spec(NEWEST).spec() == SPEC


def test_it_names_its_version() -> None:
    assert (NEWEST.selection, SECOND.selection) == ({}, {"version": 2})
    assert (NEWEST.reference, SECOND.reference) == ({"model": "digits"}, {"model": "digits", "version": 2})
    assert NEWEST.path == "/v1/models/digits" and model_path("a/b") == "/v1/models/a%2Fb"


def sent(network: ModelNetwork, params: dict[str, Array]) -> tuple[str, dict[str, object]]:
    """The path and the document of a call of `vjp`."""
    transport = Recorded({"products": {}})
    client = Client(transport=transport, media_type="application/json")
    client.vjp(network, params, batch(0, dtype=np.float32), {"scores": np.ones((5, 3), np.float32)})
    return transport.requests[0].path, transport.document()


def test_without_parameters_the_route_is_that_of_the_model() -> None:
    path, document = sent(SECOND, {})
    assert path == "/v1/models/digits/vjp" and document["version"] == 2
    assert document.keys().isdisjoint({"network", "params", "dtype"})
    assert "version" not in sent(NEWEST, {})[1]


def test_with_parameters_it_is_a_network_alone() -> None:
    path, document = sent(SECOND, PARAMS)
    assert path == "/v1/vjp" and document["network"] == SPEC
    assert document["dtype"] == "float32" and "version" not in document


def test_a_dtype_of_its_own_takes_the_network_alone() -> None:
    transport = Recorded({"nodes": []})
    client = Client(transport=transport)
    client.plan(NEWEST)
    client.plan(NEWEST, dtype="float64")
    assert [request.path for request in transport.requests] == ["/v1/models/digits/plan", "/v1/plan"]


def test_data_of_another_dtype_is_refused_by_name() -> None:
    with pytest.raises(Refused, match="expected float32, as model 'digits' is, got float64") as refused:
        Client(transport=Recorded({})).gradients(NEWEST, {}, batch(0))
    assert refused.value.pointer == "/data/x"


def test_first_parameters_are_drawn_for_its_network() -> None:
    transport = Recorded({"params": {}})
    Client(transport=transport, media_type="application/json").init(SECOND)
    assert transport.requests[0].path == "/v1/init"
    assert transport.document()["network"] == SPEC and transport.document()["dtype"] == "float32"
