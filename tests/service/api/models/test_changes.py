"""Other hyperparameters, back to a version, deletion: what they do, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from support.http_models import ADAM, DescribedClient, code, make_model, step, versions


def rule(client: DescribedClient) -> Any:
    return client.get("/v1/models/model").json["optimizer"]


def test_hyperparameters_change_key_by_key(client: DescribedClient) -> None:
    before = rule(client)
    changes = {"config": {"learning_rate": 0.5}, "clip": {"norm": 1.0}}
    answer = client.patch("/v1/models/model", json={"optimizer": changes}).json
    assert answer == {"version": 1, "step": 0, "durable": True, "replayed": False}
    assert rule(client) == before | {
        "config": before["config"] | {"learning_rate": 0.5},
        "clip": {"norm": 1.0},
    }
    assert step(client).json["learning_rate"] == 0.5


def test_a_schedule_comes_and_goes(client: DescribedClient) -> None:
    schedule = {"kind": "linear", "start_factor": 0.5, "total_iters": 4}
    client.patch("/v1/models/model", json={"optimizer": {"schedule": schedule}})
    assert step(client).json["learning_rate"] == 0.005
    client.patch("/v1/models/model", json={"optimizer": {"schedule": None, "clip": {}}})
    assert rule(client)["schedule"] is None
    assert step(client).json["learning_rate"] == 0.01


@pytest.mark.parametrize("changes", [{}, {"kind": "adam"}, {"config": {}}, ADAM])
def test_a_change_of_nothing_is_a_version_too(client: DescribedClient, changes: Any) -> None:
    before = rule(client)
    assert client.patch("/v1/models/model", json={"optimizer": changes}).json["version"] == 1
    assert rule(client) == before and versions(client) == ["created", "hyperparameters"]


@pytest.mark.parametrize(
    "document, pointer, problem",
    [
        ({}, "/optimizer", "field_missing"),
        *[({"optimizer": changes}, "/optimizer", "field_invalid") for changes in (None, [], "adam", 3)],
        *[({"optimizer": {"kind": k}}, "/optimizer/kind", "field_invalid") for k in ("sgd", "adm", None, 3)],
        ({"optimizer": {"config": None}}, "/optimizer/config", "field_invalid"),
        ({"optimizer": {"config": {"lr": 1}}}, "/optimizer/config/lr", "field_unknown"),
        ({"optimizer": {"config": {"betas": [1, 2]}}}, "/optimizer/config/betas/0", "field_invalid"),
        ({"optimizer": {"config": {"amsgrad": True}}}, "/optimizer/config", "field_invalid"),
        ({"optimizer": {"clip": None}}, "/optimizer/clip", "field_invalid"),
        ({"optimizer": {"clip": {"norm": -1}}}, "/optimizer/clip/norm", "field_invalid"),
        ({"optimizer": {"schedule": {"kind": "warm"}}}, "/optimizer/schedule/kind", "field_invalid"),
        ({"optimizer": {"more": 1}}, "/optimizer/more", "field_unknown"),
        ({"optimizer": {}, "if_version": 1}, "/if_version", "version_changed"),
        ({"optimizer": {}, "if_version": -1}, "/if_version", "field_invalid"),
        ({"optimizer": {}, "name": "other"}, "/name", "field_unknown"),
    ],
)  # fmt: skip
def test_a_change_that_does_not_fit_is_refused_at_its_place(
    unchanged: DescribedClient, document: Any, pointer: str, problem: str
) -> None:
    answer = unchanged.patch("/v1/models/model", json=document)
    assert code(answer, pointer) == problem
    assert versions(unchanged) == ["created"]


def test_a_restore_brings_everything_back(client: DescribedClient) -> None:
    make_model(client, "twin")
    for name in ("model", "twin"):
        step(client, 0, name)
    client.patch("/v1/models/model", json={"optimizer": {"config": {"learning_rate": 0.5}}})
    step(client, 5)
    answer = client.post("/v1/models/model/restore", json={"version": 1, "if_version": 3}).json
    origin = client.get("/v1/models/twin/params").json["origin"]
    assert answer == {
        "version": 4, "step": 1, "params_id": origin["params_id"], "durable": True, "replayed": False,
    }  # fmt: skip
    assert step(client, 1).json["loss"] == step(client, 1, "twin").json["loss"]
    a, b = (client.get(f"/v1/models/{name}/optimizer").json for name in ("model", "twin"))
    assert (a["optimizer"], a["state"]) == (b["optimizer"], b["state"])


@pytest.mark.parametrize(
    "document, pointer, problem",
    [
        ({}, "/version", "field_missing"),
        *[({"version": v}, "/version", "field_invalid") for v in (None, -1, 2**70, "0", 0.0, True, [0])],
        ({"version": 1}, "/version", "version_not_found"),
        ({"version": 0, "if_version": 1}, "/if_version", "version_changed"),
    ],
)
def test_a_restore_that_does_not_fit_is_refused(
    unchanged: DescribedClient, document: Any, pointer: str, problem: str
) -> None:
    assert code(unchanged.post("/v1/models/model/restore", json=document), pointer) == problem
    assert versions(unchanged) == ["created"]


def test_a_deletion_needs_no_body(client: DescribedClient) -> None:
    answer = client.delete("/v1/models/model")
    assert answer.json == {"name": "model", "version": 0, "replayed": False}
    assert code(client.delete("/v1/models/model"), "") == "model_not_found"
    make_model(client)
    assert client.delete("/v1/models/model", json={}).status_code == 200


def test_a_body_of_a_deletion_is_read(unchanged: DescribedClient) -> None:
    assert code(unchanged.delete("/v1/models/model", json={"name": "x"}), "/name") == "field_unknown"
    text = unchanged.delete("/v1/models/model", data=b"x", content_type="text/plain")
    assert code(text) == "media_type_unsupported"
    assert versions(unchanged) == ["created"]
