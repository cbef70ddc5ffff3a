"""Calls over a transport of one's own: what is sent, and what becomes of what comes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.transports import Recorded

from deltawire import Client, Fault, Network, Refused, Retries, ServiceFailed, Unreachable, wire
from deltawire.transport import EmbeddedTransport, Request, Response


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


@pytest.mark.parametrize("arguments", [{"url": "http://127.0.0.1:9"}, {"transport": Recorded({})}])
def test_a_folder_is_for_a_service_in_this_process(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="^data_dir: is for a service in this process"):
        Client(data_dir="data", **arguments)


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


class Refusing(Recorded):
    """Answers with a problem document of one fault."""

    def __init__(self, fault: Any, status: int = 422):
        super().__init__(None, status)
        self.fault = fault

    def send(self, request: Request) -> Response:
        problem = {"errors": [self.fault], "request_id": request.headers["X-Request-Id"]}
        return replace(super().send(request), body=json.dumps(problem).encode())


def test_a_problem_document_becomes_its_error() -> None:
    fault = {"pointer": "/network/nodes/0", "code": "layer_not_found", "detail": "no such layer"}
    client = Client(transport=Refusing(fault))
    with pytest.raises(Refused) as refused:
        client.plan(circuit())
    assert refused.value.errors == (Fault(**fault),)
    assert refused.value.status == 422


@pytest.mark.parametrize("status", [200, 422])
def test_a_response_must_have_the_id_of_its_request(status: int) -> None:
    class Nameless(Recorded):
        def send(self, request: Request) -> Response:
            return replace(super().send(request), headers={})

    problem = {"errors": [{"pointer": "", "code": "x", "detail": "x"}], "request_id": "of-another"}
    transport = Nameless(problem if status == 422 else {"layers": []}, status)
    with pytest.raises(ServiceFailed) as failed:
        Client(transport=transport).layers()
    assert (failed.value.code, failed.value.status) == ("answer_invalid", status)


def long_chain(nodes: int = 450) -> dict[str, Any]:
    linear = {"kind": "linear", "config": {"units": 2}}
    return {"inputs": {"x": {"shape": [2]}}, "nodes": [*[linear] * nodes, {"kind": "sum"}]}


class Limited:
    """A service in this process that tells other limits than it has."""

    def __init__(self, **limits: int):
        self.embedded, self.limits = EmbeddedTransport(), limits
        self.media_types: list[str | None] = []

    def send(self, request: Request) -> Response:
        response = self.embedded.send(request)
        if request.path == "/v1/limits":
            answer = json.loads(response.body)
            return replace(
                response, body=json.dumps(answer | {"limits": answer["limits"] | self.limits}).encode()
            )
        self.media_types.append(request.headers.get("Content-Type"))
        return response

    def close(self) -> None: ...


def test_a_header_too_large_for_a_binary_body_is_sent_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DELTAWIRE_TENSOR_HEADER_BYTES", str(2**16))
    transport = Limited()
    client = Client(transport=transport)
    params = client.init(long_chain())
    loss, gradients = client.value_and_grad(long_chain(), params, {"x": [[1.0, 2.0]]})
    assert gradients.keys() == params.keys() and np.isfinite(loss)
    assert transport.media_types == [wire.JSON, wire.JSON]


def test_a_service_that_reads_large_headers_gets_a_binary_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DELTAWIRE_TENSOR_HEADER_BYTES", str(2**20))
    transport = Limited()
    client = Client(transport=transport)
    params = client.init(long_chain())
    client.value_and_grad(long_chain(), params, {"x": [[1.0, 2.0]]})
    assert transport.media_types == [wire.JSON, wire.SAFETENSORS]


def test_a_request_that_fits_neither_body_says_what_it_takes_and_the_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DELTAWIRE_TENSOR_HEADER_BYTES", str(2**16))
    transport = Limited(json_body_bytes=2**16)
    client = Client(transport=transport)
    params = client.init(long_chain())
    transport.media_types.clear()
    with pytest.raises(Refused, match="a header of [0-9,]+ bytes, .* at most 65,536") as refused:
        client.value_and_grad(long_chain(), params, {"x": [[1.0, 2.0]]})
    assert refused.value.code == "tensor_header_too_large"
    assert "Publish the network" in str(refused.value) and not transport.media_types


class Lossy(Recorded):
    """Makes each change, and loses its first answers."""

    def __init__(self, answer: Any, lost: int, status: int = 200):
        super().__init__(answer, status)
        self.lost = lost

    def send(self, request: Request) -> Response:
        response = super().send(request)
        if len(self.requests) <= self.lost:
            raise Unreachable([Fault("", "unreachable", "the cable is cut")])
        return response


class LostThenBusy(Refusing):
    """Loses its first answer, and is busy from then on."""

    def __init__(self) -> None:
        super().__init__({"pointer": "", "code": "overloaded", "detail": "busy"}, 503)

    def send(self, request: Request) -> Response:
        response = super().send(request)
        if len(self.requests) == 1:
            raise Unreachable([Fault("", "unreachable", "the cable is cut")])
        return response


def test_a_change_keeps_its_key_and_body_when_it_is_repeated() -> None:
    transport = Lossy({"version": 1}, lost=2)
    connection = Client(transport=transport).connection
    assert (
        connection.change("POST", "/v1/models/a/restore", {"version": 0}, lambda answer: answer["version"])
        == 1
    )
    sent = {
        (request.headers["Idempotency-Key"], b"".join(request.body or ())) for request in transport.requests
    }
    assert len(transport.requests) == 3 and len(sent) == 1


def test_each_change_has_a_key_of_its_own() -> None:
    transport = Recorded({})
    connection = Client(transport=transport).connection
    for _ in range(2):
        connection.change("DELETE", "/v1/models/a", None, dict)
    connection.change("DELETE", "/v1/models/a", None, dict, key="mine")
    first, second, mine = (request.headers["Idempotency-Key"] for request in transport.requests)
    assert first != second and mine == "mine"
    assert transport.requests[0].body is None


@pytest.mark.parametrize("key", ["", "a b", 'a"b', "é", "a\n", "x" * 256, 7, b"key"])
def test_a_key_that_no_header_carries_is_refused_before_anything_is_sent(key: Any) -> None:
    transport = Recorded({})
    with pytest.raises(Refused) as refused:
        Client(transport=transport).connection.change("DELETE", "/v1/models/a", None, dict, key=key)
    assert refused.value.pointer == "/key" and not transport.requests


def test_an_answer_may_have_status_201() -> None:
    connection = Client(transport=Recorded({"name": "a"}, 201)).connection
    assert connection.change("POST", "/v1/models", {}, dict) == {"name": "a"}


def test_a_change_that_may_have_been_made_says_how_to_find_out() -> None:
    retries = Retries(attempts=2)
    client = Client(transport=Lossy({}, lost=9), retries=retries)
    with pytest.raises(Unreachable, match="may have been made; the same call with key='k' finds out") as lost:
        client.connection.change("DELETE", "/v1/models/a", None, dict, key="k")
    assert lost.value.key == "k"
    late = Refusing({"pointer": "", "code": "deadline_exceeded", "detail": "too late"}, 504)
    with pytest.raises(ServiceFailed, match="may have been made; the same call with key='k' finds out"):
        Client(transport=late, retries=retries).connection.change(
            "DELETE", "/v1/models/a", None, dict, key="k"
        )
    busy = Client(transport=LostThenBusy(), retries=retries)
    with pytest.raises(ServiceFailed, match="busy: the change may have been made; the same call") as failed:
        busy.connection.change("DELETE", "/v1/models/a", None, dict, key="k")
    assert failed.value.key == "k"
    refusing = Client(transport=Refusing({"pointer": "", "code": "model_not_found", "detail": "none"}))
    with pytest.raises(Refused) as refused:
        refusing.connection.change("DELETE", "/v1/models/a", None, dict, key="k")
    assert "may have been made" not in str(refused.value) and refused.value.key is None


def test_an_error_has_the_key_that_was_made_for_its_change() -> None:
    transport = Lossy({}, lost=9)
    with pytest.raises(Unreachable) as lost:
        Client(transport=transport, retries=Retries(attempts=2)).connection.change(
            "DELETE", "/v1", None, dict
        )
    assert {lost.value.key} == {request.headers["Idempotency-Key"] for request in transport.requests}
    assert f"with key={lost.value.key!r} finds out" in str(lost.value)
