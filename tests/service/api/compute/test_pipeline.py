"""A view gets typed options, a network and tensors; its answer names the network and its parameters."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import pytest
from flask import Blueprint
from flask.testing import FlaskClient
from support.posting import changed, good
from support.publishing import publish

from deltawire_service.admission.deadlines import set_deadline
from deltawire_service.api.compute import pipeline
from deltawire_service.app import create_app
from deltawire_service.engine import Network
from deltawire_service.http.request_context import with_context
from deltawire_service.networks.cache import NetworkCache
from deltawire_service.networks.request_tensors import RequestTensors
from deltawire_service.schemas.requests import ForwardRequest, InitRequest
from deltawire_service.schemas.responses import ForwardResponse, InitResponse
from deltawire_service.settings import Settings


@pytest.fixture
def seen() -> list[Any]:
    """The arguments of the two views."""
    return []


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: list[Any]) -> FlaskClient:
    """A service with three more routes; /v1/computed and /v1/compiled note their arguments."""
    publish(tmp_path)
    made = list[pipeline.Pipeline]()
    monkeypatch.setattr(
        "deltawire_service.app.Pipeline", lambda *given: made.append(pipeline.Pipeline(*given)) or made[-1]
    )
    settings = Settings(log_level="error", networks_dir=str(tmp_path))
    app = create_app(settings)
    routes = Blueprint("seen", __name__, url_prefix="/v1")
    routes.before_request(with_context(partial(set_deadline, settings)))

    @routes.post("/computed")
    @made[0].computing(ForwardRequest, ForwardResponse)
    def computed(request: ForwardRequest, network: Network, tensors: RequestTensors) -> dict[str, Any]:
        seen.append((request, network, tensors))
        return {"values": {}}

    @routes.post("/compiled")
    @made[0].compiling(InitRequest, InitResponse)
    def compiled(request: InitRequest, network: Network) -> dict[str, Any]:
        seen.append((request, network))
        return {"params": {"a": np.zeros(1)}}

    @routes.post("/slow")
    @made[0].computing(ForwardRequest, ForwardResponse)
    def slow(request: ForwardRequest, network: Network, tensors: RequestTensors) -> dict[str, Any]:
        sleep(0.3)
        return {"values": {}}

    app.register_blueprint(routes)
    return app.test_client()


@pytest.mark.parametrize("owner, slow", [(pipeline.bodies, "read"), (NetworkCache, "compiled")])
def test_no_phase_begins_after_the_deadline(
    client: FlaskClient, seen: list[Any], monkeypatch: pytest.MonkeyPatch, owner: Any, slow: str
) -> None:
    original = getattr(owner, slow)
    monkeypatch.setattr(owner, slow, lambda *given: (sleep(0.3), original(*given))[1])
    request = {"network": good()["network"]}
    assert client.post("/v1/compiled", json=request).status_code == 200
    seen.clear()
    answer = client.post("/v1/compiled", json=request, headers={"Deltawire-Deadline": "0.2"})
    assert (answer.status_code, answer.json["code"]) == (504, "deadline_exceeded")
    assert not seen


def test_an_answer_that_comes_after_the_deadline_is_not_written(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = list[str]()
    original = pipeline.bodies.respond
    monkeypatch.setattr(
        pipeline.bodies, "respond", lambda *given: (written.append("answer"), original(*given))[1]
    )
    request = good() | {"values": ["scores"]}
    answer = client.post("/v1/slow", json=request, headers={"Deltawire-Deadline": "0.2"})
    assert (answer.status_code, answer.json["code"]) == (504, "deadline_exceeded")
    assert not written


def test_a_computing_view_gets_options_network_and_tensors(client: FlaskClient, seen: list[Any]) -> None:
    answer = client.post("/v1/computed", json=good() | {"values": ["scores"], "dtype": "float32"})
    ((request, network, tensors),) = seen
    assert request == ForwardRequest("float32", "lists", ["scores"], "error")
    assert isinstance(network, Network) and answer.json == {"values": {}, "network_id": network.id}
    assert tensors.params["scores.bias"].dtype == tensors.data["x"].dtype == np.float32
    assert tensors.data["y"].dtype == np.int64 and tensors.body_cost.with_parameters


def test_a_compiling_view_gets_options_and_network(client: FlaskClient, seen: list[Any]) -> None:
    request = {"network": good()["network"], "seed": 3, "tensors": "base64"}
    answer = client.post("/v1/compiled", json=request).json
    ((options, network),) = seen
    assert options == InitRequest("float64", "base64", 3)
    assert answer["network_id"] == network.id and "base64" in answer["params"]["a"]


def test_published_parameters_are_named_and_in_no_body(client: FlaskClient, seen: list[Any]) -> None:
    answer = client.post("/v1/computed", json={"network": {"name": "good"}, "data": good()["data"]})
    ((_, _, tensors),) = seen
    assert answer.json["params_id"] == answer.headers["Deltawire-Params-Id"]
    assert not tensors.body_cost.with_parameters
    own = {"network": {"name": "good"}, "data": good()["data"], "params": good()["params"]}
    answer = client.post("/v1/computed", json=own)
    assert "params_id" not in answer.json and seen[1][2].body_cost.with_parameters


def test_a_view_is_not_called_for_what_cannot_be_read(client: FlaskClient, seen: list[Any]) -> None:
    for wrong in (changed(("/data/x", "a")), good() | {"value": []}, changed(("/network/nodes", []))):
        assert client.post("/v1/computed", json=wrong | {"values": ["scores"]}).status_code == 422
    assert seen == []
