"""Calls over a transport of one's own: what is sent, and what becomes of what comes back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from support.transports import Recorded

from deltawire import Client, Fault, Network, Refused, Retries, ServiceFailed, Unreachable, wire
from deltawire.transport import Request, Response


def circuit() -> Network:
    net = Network()
    net.loss = net.input("x") * net.input("y")
    return net


def test_a_transport_sees_the_request() -> None:
    transport = Recorded({"layers": [{"kind": "relu"}]})
    client = Client(transport=transport)
    assert client.layers() == [{"kind": "relu"}]
    (request,) = transport.requests
    assert (request.method, request.path, request.body) == ("GET", "/v1/layers", None)
    assert request.headers["Accept"] == "application/json, application/problem+json"
    assert len(request.headers["X-Request-Id"]) == 32
    with client:
        pass
    assert not transport.closed  # it came from outside


@pytest.mark.parametrize("media_type", wire.MEDIA_TYPES)
def test_a_document_is_sent_in_the_media_type_of_the_connection(media_type: str) -> None:
    transport = Recorded({"values": {}})
    client = Client(transport=transport, media_type=media_type)
    with suppress(ServiceFailed):  # the answer is JSON in any case
        client.forward(circuit(), {}, {"x": np.ones(2), "y": [1, 2]}, ["multiply1"])
    (request,) = transport.requests
    assert request.headers["Content-Type"] == media_type
    assert request.headers["Accept"] == f"{media_type}, application/problem+json"
    document = wire.decode(b"".join(request.body or ()), media_type)
    assert document["network"] == circuit().spec() and document["values"] == ["multiply1"]
    assert wire.read_tensor(document["data"]["y"], "float64").tolist() == [1, 2]


@pytest.mark.parametrize(
    "make",
    [
        lambda transport: Client("http://127.0.0.1:9", transport=transport),
        lambda transport: Client(transport=transport, api_key="key"),
        lambda transport: Client(transport=transport, session=object()),
    ],
)
def test_a_transport_goes_without_what_is_for_http(make: Callable[[Any], Client]) -> None:
    with pytest.raises(ValueError, match="^transport: goes without url, session and api_key"):
        make(Recorded({}))


def test_a_session_needs_a_url() -> None:
    with pytest.raises(ValueError, match="^session: needs the url"):
        Client(session=object())  # type: ignore[arg-type]


def test_errors_of_a_transport_have_the_id_of_their_request() -> None:
    class Broken:
        def send(self, request: Request) -> Response:
            self.request_id = request.headers["X-Request-Id"]
            raise Unreachable([Fault("", "unreachable", "the cable is cut")])

        def close(self) -> None: ...

    broken = Broken()
    with pytest.raises(Unreachable, match="the cable is cut") as error:
        Client(transport=broken, retries=Retries(attempts=1)).limits()
    assert error.value.request_id == broken.request_id


def test_a_problem_document_becomes_its_error() -> None:
    fault = {"pointer": "/network/nodes/0", "code": "layer_not_found", "detail": "no such layer"}
    client = Client(transport=Recorded({"errors": [fault], "request_id": "ab"}, status=422))
    with pytest.raises(Refused) as refused:
        client.plan(circuit())
    assert refused.value.errors == (Fault(**fault),)
    assert refused.value.status == 422
