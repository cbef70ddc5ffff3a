"""Models belong to the API key that made them; without a folder there are none."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from support.http_models import ADAM, DATA, SPEC, DescribedClient, code, make_client

KEYS = "\n".join(f"{sha256(name.encode()).hexdigest()} {name}" for name in ("anna", "bert"))
NEW = {"name": "model", "network": SPEC, "optimizer": ADAM}
BIAS = {"scores.bias": [1, 0, 0]}
ROUTES: dict[str, tuple[str, str, Any]] = {
    "describe": ("GET", "", None),
    "ledger": ("GET", "/ledger", None),
    "params": ("GET", "/params", None),
    "version": ("GET", "/params?version=0", None),
    "optimizer": ("GET", "/optimizer", None),
    "change": ("PATCH", "", {"optimizer": {}}),
    "step": ("POST", "/steps", {"data": DATA}),
    "restore": ("POST", "/restore", {"version": 0}),
    "fork": ("POST", "/fork", {"name": "copy"}),
    "forward": ("POST", "/forward", {"data": DATA, "values": ["scores"]}),
    "gradients": ("POST", "/gradients", {"data": DATA}),
    "vjp": ("POST", "/vjp", {"data": DATA, "cotangents": {"loss": [1] * 5}}),
    "jvp": ("POST", "/jvp", {"data": DATA, "tangents": {"params": BIAS}, "outputs": ["loss"]}),
    "jacobian": ("POST", "/jacobian", {"data": DATA, "outputs": ["loss"]}),
    "hvp": ("POST", "/hvp", {"data": DATA, "diagonal": {}}),
    "plan": ("POST", "/plan", {}),
    "check": ("POST", "/check", {"data": DATA}),
    "delete": ("DELETE", "", None),
}


def send(client: DescribedClient, route: str, owner: str = "", **headers: str) -> Any:
    method, path, document = ROUTES[route]
    if owner:
        headers["Authorization"] = f"Bearer {owner}"
    body = {} if document is None else {"json": document}
    return client.open(f"/v1/models/model{path}", method=method, headers=headers, **body)


def test_an_api_key_cannot_see_the_models_of_another(tmp_path: Path) -> None:
    client = make_client(tmp_path, api_keys=KEYS)
    anna, bert = ({"Authorization": f"Bearer {name}"} for name in ("anna", "bert"))
    key = {"Idempotency-Key": "one"}
    assert client.post("/v1/models", json=NEW, headers=anna | key).json["replayed"] is False
    assert client.get("/v1/models", headers=bert).json == {"models": [], "next": None}
    for route in ROUTES:
        answer = send(client, route, "bert")
        assert code(answer, "") == "model_not_found"
        assert answer.json["detail"] == "there is no model 'model'; there are none"
        assert code(send(client, route)) == "unauthorized"
    reference = NEW | {"name": "mine", "network": {"model": "model"}}
    assert code(client.post("/v1/models", json=reference, headers=bert)) == "model_not_found"
    assert client.post("/v1/models", json=NEW, headers=bert | key).json["replayed"] is False
    assert send(client, "delete", "bert").status_code == 200
    assert send(client, "describe", "anna").json["version"] == 0
    for route in ROUTES:
        assert send(client, route, "anna").status_code in (200, 201), route


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> DescribedClient:
    return make_client(tmp_path_factory.mktemp("without"), data_dir="")


@pytest.mark.parametrize("route", ROUTES)
def test_a_service_without_a_folder_keeps_no_models(without: DescribedClient, route: str) -> None:
    for headers in ({}, {"Idempotency-Key": "one"} if ROUTES[route][0] != "GET" else {}):
        answer = send(without, route, **headers)
        assert code(answer, "") == "store_missing" and "DELTAWIRE_DATA_DIR" in answer.json["detail"]


def test_a_service_without_a_folder_makes_and_lists_none(without: DescribedClient) -> None:
    assert code(without.post("/v1/models", json=NEW)) == "store_missing"
    assert code(without.get("/v1/models")) == "store_missing"
