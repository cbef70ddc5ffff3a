"""Pause, resume and cancel a run."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from support.http_models import ADAM, SPEC, DescribedClient, code, make_client, make_model
from support.runs import add_dataset, train, trainer_of

from deltawire_service.models.model_store import ModelStore
from deltawire_service.training.run_steps import RunSteps


def start(client: DescribedClient, **recipe: object) -> str:
    answer = client.post("/v1/models/model/runs", json={"dataset": "table", "batch_size": 8} | recipe)
    return str(answer.json["id"])


def state(client: DescribedClient, run: str) -> str:
    return str(client.get(f"/v1/runs/{run}").json["state"])


def test_a_run_stands_still_while_it_is_paused(client: DescribedClient, store: ModelStore) -> None:
    run = start(client)
    assert client.post(f"/v1/runs/{run}/pause").json["state"] == "paused"
    assert client.post(f"/v1/runs/{run}/pause").json["state"] == "paused"
    assert not trainer_of(store).take_turn()
    assert client.post(f"/v1/runs/{run}/resume").json["state"] == "queued"
    assert client.post(f"/v1/runs/{run}/resume").json["state"] == "queued"
    train(store)
    assert state(client, run) == "finished"


def test_a_run_that_is_paused_while_it_is_computed_keeps_no_more_steps(
    client: DescribedClient, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_model(client, "twin")
    run, trainer = start(client, epochs=2), trainer_of(store)
    take, taken = RunSteps.take, list[int]()

    def pausing(self: RunSteps, number: int, *args: object) -> object:
        taken.append(number)
        if number == 3:
            client.post(f"/v1/runs/{run}/pause")
        return take(self, number, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(RunSteps, "take", pausing)
    trainer.take_turn()
    assert len(taken) > 3
    assert (state(client, run), store.find("", "model").version) == ("paused", 0)
    client.post(f"/v1/runs/{run}/resume")
    monkeypatch.undo()
    train(store)
    client.post("/v1/models/twin/runs", json={"dataset": "table", "batch_size": 8, "epochs": 2})
    train(store)
    first, second = (
        client.get(f"/v1/models/{name}/params").json["origin"]["params_id"] for name in ("model", "twin")
    )
    assert first == second and state(client, run) == "finished"


def test_a_cancelled_run_has_ended(client: DescribedClient, store: ModelStore) -> None:
    run = start(client)
    assert client.post(f"/v1/runs/{run}/cancel").json["state"] == "cancelled"
    assert client.post(f"/v1/runs/{run}/cancel").status_code == 200
    for change in ("pause", "resume"):
        assert code(client.post(f"/v1/runs/{run}/{change}")) == "run_ended"
    assert not trainer_of(store).take_turn()


def test_a_change_that_comes_again_is_answered_as_before(client: DescribedClient) -> None:
    run, headers = start(client), {"Idempotency-Key": "once"}
    first = client.post(f"/v1/runs/{run}/pause", headers=headers).json
    client.post(f"/v1/runs/{run}/resume")
    again = client.post(f"/v1/runs/{run}/pause", headers=headers).json
    assert again == first | {"replayed": True}
    assert state(client, run) == "queued"
    assert code(client.post(f"/v1/runs/{run}/cancel", headers=headers)) == "idempotency_key_reused"


def test_other_keys_do_not_see_a_run(tmp_path: Path) -> None:
    secrets = [f"secret-of-{name}-0123456789" for name in ("anna", "ben")]
    digests = [hashlib.sha256(secret.encode()).hexdigest() for secret in secrets]
    client = make_client(tmp_path, api_keys=f"{digests[0]} anna\n{digests[1]} ben")
    keys = [{"Authorization": f"Bearer {secret}"} for secret in secrets]
    store = client.application.extensions["deltawire"].models
    add_dataset(store, owner="anna")
    made = client.post(
        "/v1/models", json={"name": "model", "network": SPEC, "optimizer": ADAM}, headers=keys[0]
    )
    assert made.status_code == 201
    run = client.post("/v1/models/model/runs", json={"dataset": "table"}, headers=keys[0]).json["id"]
    assert code(client.get(f"/v1/runs/{run}", headers=keys[1])) == "run_not_found"
    assert code(client.get(f"/v1/runs/{run}/metrics", headers=keys[1])) == "run_not_found"
    assert code(client.post(f"/v1/runs/{run}/cancel", headers=keys[1])) == "run_not_found"
    assert client.get("/v1/runs", headers=keys[1]).json["runs"] == []
    assert len(client.get("/v1/runs", headers=keys[0]).json["runs"]) == 1
    answer = client.post("/v1/models/model/runs", json={"dataset": "table"}, headers=keys[1])
    assert code(answer) == "model_not_found"
    own = {"name": "own", "network": SPEC, "optimizer": ADAM}
    assert client.post("/v1/models", json=own, headers=keys[1]).status_code == 201
    answer = client.post("/v1/models/own/runs", json={"dataset": "table"}, headers=keys[1])
    assert code(answer) == "dataset_not_found"
    add_dataset(store, owner="ben", name="mine")
    validated = {"dataset": "mine", "validation": {"dataset": "table"}}
    answer = client.post("/v1/models/own/runs", json=validated, headers=keys[1])
    assert code(answer, "/validation/dataset") == "dataset_not_found"
