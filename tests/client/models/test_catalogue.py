"""Models are made from any network and any parameters, found by name, and listed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.classifier import batch, classifier
from support.transports import Recorded

from deltawire import Client, Fault, Model, Network, Refused, Retries, Unreachable, optim
from deltawire.transport import Request, Response

SGD = optim.sgd(0.1)
PARAMS = Client().init(classifier(), seed=3)


def same(model: Model, params: dict[str, Any]) -> bool:
    found = model.params()
    return found.keys() == params.keys() and all(np.array_equal(found[name], params[name]) for name in params)


def test_parameters_are_drawn_from_a_seed(client: Client) -> None:
    by_default = client.create_model(classifier(), name="a", optimizer=SGD)
    drawn = client.create_model(classifier().spec(), name="b", optimizer=SGD, seed=3, dtype="float32")
    assert same(by_default, client.init(classifier()))
    assert same(drawn, client.init(classifier(), seed=3, dtype="float32")) and drawn.dtype == "float32"


def test_parameters_are_sent(client: Client) -> None:
    sent = client.create_model(classifier(), name="a", optimizer=SGD, params=PARAMS)
    as_lists = {name: array.tolist() for name, array in PARAMS.items()}
    listed = client.create_model(classifier(), name="b", optimizer=SGD, params=as_lists, dtype="float32")
    assert same(sent, PARAMS) and sent.dtype == "float64"
    assert same(listed, {name: array.astype(np.float32) for name, array in PARAMS.items()})


def test_parameters_of_another_dtype_are_refused(client: Client) -> None:
    with pytest.raises(Refused, match="expected float32, as dtype is, got float64"):
        client.create_model(classifier(), name="a", optimizer=SGD, params=PARAMS, dtype="float32")


def test_a_published_network_brings_its_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier().publish(Client(), "digits", PARAMS, into=tmp_path / "networks")
    monkeypatch.setenv("DELTAWIRE_NETWORKS_DIR", str(tmp_path / "networks"))
    client = Client(data_dir=tmp_path / "data")
    for name, network in (("a", client.published("digits")), ("b", {"name": "digits"})):
        model = client.create_model(network, name=name, optimizer=SGD)
        assert same(model, PARAMS) and repr(Network.from_spec(model)) == repr(classifier())


def test_a_version_of_a_model_brings_its_parameters_and_not_its_optimizer(client: Client) -> None:
    first = client.create_model(classifier(), name="first", optimizer=optim.adam())
    for seed in range(2):
        first.step(batch(seed))
    newest = client.create_model(first, name="newest", optimizer=SGD)
    earlier = client.create_model(first.at(1), name="earlier", optimizer=SGD)
    drawn = client.create_model(first, name="drawn", optimizer=SGD, seed=3)
    own = client.create_model(first, name="own", optimizer=SGD, params=PARAMS)
    assert same(newest, first.params()) and same(earlier, first.params(1))
    assert same(drawn, PARAMS) and same(own, PARAMS)
    assert newest.describe()["optimizer"]["kind"] == "sgd" and newest.describe()["step"] == 0


def test_a_creation_with_a_key_is_made_once(client: Client) -> None:
    for _ in range(2):
        client.create_model(classifier(), name="a", optimizer=SGD, key="once")
    with pytest.raises(Refused) as refused:
        client.create_model(classifier(), name="a", optimizer=SGD)
    assert (refused.value.code, refused.value.status) == ("model_name_taken", 409)
    with pytest.raises(Refused) as refused:
        client.create_model(classifier(), name="b", optimizer=SGD, key="once")
    assert refused.value.code == "idempotency_key_reused"


def test_a_creation_whose_model_is_deleted_meanwhile_says_so(client: Client) -> None:
    client.create_model(classifier(), name="a", optimizer=SGD, key="once").delete()
    with pytest.raises(Refused, match="the call with key='once' made it, and it was deleted since") as gone:
        client.create_model(classifier(), name="a", optimizer=SGD, key="once")
    assert (gone.value.code, gone.value.status, gone.value.key) == ("model_not_found", 404, "once")


class Made(Recorded):
    """Makes a model, and cannot be reached afterwards."""

    def send(self, request: Request) -> Response:
        response = super().send(request)
        if request.method == "GET":
            raise Unreachable([Fault("", "unreachable", "the cable is cut")])
        return response


@pytest.mark.parametrize("key", [None, "mine"])
def test_a_creation_that_cannot_read_its_model_says_that_it_was_made(key: str | None) -> None:
    transport = Made({"replayed": False}, 201)
    client = Client(transport=transport, retries=Retries(attempts=1))
    with pytest.raises(Unreachable, match="the cable is cut") as lost:
        client.create_model(classifier(), name="a", optimizer=SGD, key=key)
    sent = transport.requests[0].headers["Idempotency-Key"]
    assert lost.value.key == sent and key in (None, sent)
    assert str(lost.value).endswith(f"model 'a' was made; the same call with key={sent!r} returns it")


def test_faults_are_named_by_argument(client: Client) -> None:
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("/optimizer", {"optimizer": None}),
        ("/optimizer/kind", {"optimizer": {"kind": "adem"}}),
        ("/name", {"name": "a b"}),
        ("/seed", {"seed": -1}),
        ("/params", {"params": [1.0]}),
    ]
    for pointer, arguments in wrong:
        with pytest.raises(Refused) as refused:
            client.create_model(**{"network": classifier(), "name": "a", "optimizer": SGD} | arguments)
        assert refused.value.pointer == pointer, refused.value
    for name in ("", None, "a b"):
        with pytest.raises(Refused):
            client.model(name)  # type: ignore[arg-type]
    assert client.models() == []


def test_a_name_is_one_part_of_a_path() -> None:
    transport = Recorded({"name": "x", "dtype": "float64", "network": {}})
    Client(transport=transport).model("a/../b?c")
    assert transport.requests[0].path == "/v1/models/a%2F..%2Fb%3Fc"


def test_all_pages_of_models_are_listed() -> None:
    class Paged(Recorded):
        def send(self, request: Any) -> Any:
            first = "after" not in request.path
            self._answer = {"models": [{"name": "a" if first else "b"}], "next": "a" if first else None}
            return super().send(request)

    transport = Paged(None)
    assert Client(transport=transport).models() == [{"name": "a"}, {"name": "b"}]
    assert [request.path for request in transport.requests] == ["/v1/models", "/v1/models?after=a"]


def test_a_service_without_a_folder_says_so() -> None:
    with pytest.raises(Exception, match="DELTAWIRE_DATA_DIR") as failed:
        Client().models()
    assert json.loads(json.dumps(getattr(failed.value, "code", ""))) == "store_missing"


def test_the_notes_of_a_network_are_kept_with_its_model(client: Client) -> None:
    net = classifier()
    net.metadata["source"] = "a lecture"
    model = client.create_model(net, name="noted", optimizer=optim.sgd(0.1))
    assert model.spec["metadata"] == {"source": "a lecture"}
    assert model.checkpoint().network["metadata"] == model.fork("twin").describe()["network"]["metadata"]
    plain = client.create_model(classifier(), name="plain", optimizer=optim.sgd(0.1))
    assert plain.describe()["network_id"] == model.describe()["network_id"] and "metadata" not in plain.spec
