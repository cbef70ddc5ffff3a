"""POST /v1/models/{name}/runs: what is made, and what is refused before anything is."""

from __future__ import annotations

import hashlib
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.http_models import ADAM, SPEC, DescribedClient, code, make_client, make_model, step
from support.runs import add_dataset, examples, train
from werkzeug.test import TestResponse

from deltawire_service.admission.answer_memory import AnswerMemory
from deltawire_service.datasets.changes import delete
from deltawire_service.datasets.errors import DatasetInUse
from deltawire_service.datasets.rows import RowsReference
from deltawire_service.models.model_store import ModelStore


def start(client: DescribedClient, name: str = "model", key: str = "", **recipe: Any) -> TestResponse:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"/v1/models/{name}/runs", json={"dataset": "table"} | recipe, headers=headers)


def test_a_run_is_made_with_every_default(client: DescribedClient) -> None:
    answer = start(client)
    assert answer.status_code == 202
    run = answer.json
    assert (run["state"], run["steps"], run["total_steps"], run["ahead"]) == ("queued", 0, 2, 0)
    assert run["recipe"] == {
        "dataset": "table",
        "columns": {},
        "epochs": None,
        "steps": None,
        "batch_size": 32,
        "shuffle": True,
        "seed": 0,
        "reduction": "mean",
        "schedule": None,
        "clip": None,
        "validation": None,
        "early_stopping": None,
    }
    assert client.get(f"/v1/runs/{run['id']}").json == {n: v for n, v in run.items() if n != "replayed"}


@pytest.mark.parametrize(
    ("recipe", "expected", "pointer"),
    [
        ({"dataset": "tabel"}, "dataset_not_found", "/dataset"),
        ({"dataset": None}, "field_invalid", "/dataset"),
        ({"epochs": 1, "steps": 2}, "field_invalid", "/steps"),
        ({"epochs": 0}, "field_invalid", "/epochs"),
        ({"epochs": 10**12, "batch_size": 1}, "field_invalid", "/epochs"),
        ({"epochs": 10**12, "batch_size": 50}, "field_invalid", "/epochs"),
        ({"steps": 10**9 + 1}, "field_invalid", "/steps"),
        ({"batch_size": 2.5}, "field_invalid", "/batch_size"),
        ({"epoch": 3}, "field_unknown", "/epoch"),
        ({"columns": {"x": "z"}}, "unknown_column", "/columns/x"),
        ({"columns": {"z": "x"}}, "unknown_data", "/columns/z"),
        ({"columns": {"x": ["x", "y"]}}, "shape_invalid", "/columns/x"),
        ({"schedule": {"kind": "steps"}}, "field_invalid", "/schedule/kind"),
        ({"clip": {"norm": 0}}, "field_invalid", "/clip/norm"),
        ({"validation": {}}, "field_invalid", "/validation/dataset"),
        ({"validation": {"fraction": 1}}, "field_invalid", "/validation/fraction"),
        ({"validation": {"fraction": 0.001}}, "field_invalid", "/validation/fraction"),
        ({"validation": {"dataset": "none"}}, "dataset_not_found", "/validation/dataset"),
        ({"validation": {"dataset": "table", "fraction": 0.1}}, "field_invalid", "/validation/dataset"),
        ({"early_stopping": {"patience": 1}}, "field_missing", "/validation"),
        ({"early_stopping": {}, "validation": {"fraction": 0.1}}, "field_missing", None),
    ],
)
def test_a_recipe_that_does_not_fit_is_refused(
    client: DescribedClient, recipe: dict[str, Any], expected: str, pointer: str | None
) -> None:
    assert code(start(client, **recipe), pointer) == expected
    assert client.get("/v1/runs").json == {"runs": [], "next": None}
    assert step(client).status_code == 200


def test_a_run_takes_as_many_steps_as_it_may(client: DescribedClient) -> None:
    assert start(client, steps=10**9).json["total_steps"] == 10**9


def test_the_first_batch_is_tried(client: DescribedClient, store: ModelStore) -> None:
    arrays = examples()
    add_dataset(store, {"x": arrays["x"][:, :3], "y": arrays["y"]}, "narrow", owner="")
    assert code(start(client, dataset="narrow"), "/columns/x") == "shape_mismatch"
    add_dataset(store, {"x": arrays["x"], "y": arrays["y"] + 9}, "labels", owner="")
    assert code(start(client, dataset="labels"), "/columns/y") == "label_out_of_range"
    add_dataset(store, {"x": arrays["x"]}, "unlabelled", owner="")
    assert code(start(client, dataset="unlabelled")) == "missing_data"
    add_dataset(store, {"x": np.empty((0, 4)), "y": np.empty(0, np.int64)}, "empty", owner="")
    assert code(start(client, dataset="empty")) == "batch_empty"


def test_a_batch_beyond_the_planned_memory_is_refused(client: DescribedClient, store: ModelStore) -> None:
    wide = {
        "inputs": {"x": {"shape": [4]}},
        "nodes": [
            {"name": "a", "kind": "linear", "inputs": ["x"], "config": {"units": 2**20}},
            {"name": "f", "kind": "sum"},
        ],
    }
    make_model(client, "wide", network=wide)
    rows = {"x": np.ones((2**17, 4))}
    add_dataset(store, rows, "many", owner="")
    answer = start(client, "wide", dataset="many", batch_size=2**17)
    assert code(answer) in ("memory_plan_exceeded", "cost_plan_exceeded")


def test_a_first_batch_that_is_too_large_is_not_read(
    client: DescribedClient, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gather(*arguments: object) -> None:
        raise AssertionError("the rows were read")

    rows = 2**25  # of 4 + 1 numbers with 8 bytes, and 40 bytes for the order
    dataset = add_dataset(store, examples(8), "huge", owner="")
    with store.database.writing() as transaction:
        transaction.execute("UPDATE datasets SET rows = ? WHERE id = ?", (rows, dataset.id))
    monkeypatch.setattr(RowsReference, "gather", gather)
    answer = start(client, dataset="huge", batch_size=10**12)
    assert code(answer, "/batch_size") == "memory_plan_exceeded"
    assert str(80 * rows) in answer.text


def test_a_first_batch_is_bounded_by_the_key_and_the_memory_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "secret-of-anna-0123456789"
    digest = hashlib.sha256(secret.encode()).hexdigest()
    headers, admitted = {"Authorization": f"Bearer {secret}"}, list[int]()
    admit = AnswerMemory.admit_body

    def noting(self: AnswerMemory, context: Any, count: int) -> None:
        admitted.append(count)
        admit(self, context, count)

    monkeypatch.setattr(AnswerMemory, "admit_body", noting)
    client = make_client(tmp_path, api_keys=f"{digest} anna planned_bytes=3000")
    document = {"name": "model", "network": SPEC, "optimizer": ADAM}
    assert client.post("/v1/models", json=document, headers=headers).status_code == 201
    add_dataset(client.application.extensions["deltawire"].models, owner="anna")
    body = {"dataset": "table", "batch_size": 50}
    answer = client.post("/v1/models/model/runs", json=body, headers=headers)
    assert code(answer, "/batch_size") == "memory_plan_exceeded" and 50 * 80 not in admitted
    body["batch_size"] = 10
    client.post("/v1/models/model/runs", json=body, headers=headers)
    assert 10 * 80 in admitted


def test_a_model_that_is_not_there_has_no_runs(client: DescribedClient) -> None:
    assert code(start(client, "mdel")) == "model_not_found"


def test_a_model_in_a_run_is_not_changed_otherwise(client: DescribedClient) -> None:
    run = start(client).json["id"]
    others = [
        step(client),
        client.patch("/v1/models/model", json={"optimizer": {"config": {"learning_rate": 0.5}}}),
        client.post("/v1/models/model/restore", json={"version": 0}),
        client.delete("/v1/models/model"),
        start(client),
    ]
    assert [(answer.status_code, code(answer)) for answer in others] == 5 * [(409, "model_in_run")]
    client.post(f"/v1/runs/{run}/pause")
    assert code(step(client)) == "model_in_run"
    assert client.post("/v1/models/model/fork", json={"name": "copy"}).status_code == 201
    assert client.get("/v1/models/model/params").status_code == 200
    client.post(f"/v1/runs/{run}/cancel")
    assert step(client).status_code == 200


def test_a_key_has_so_many_runs(client: DescribedClient, store: ModelStore) -> None:
    for number in range(3):
        make_model(client, f"model{number}")
        assert start(client, f"model{number}").json["ahead"] == number
    assert code(start(client)) == "quota_exceeded"
    train(store)
    assert start(client).status_code == 202


def test_a_request_that_comes_again_makes_no_other_run(client: DescribedClient, store: ModelStore) -> None:
    first = start(client, key="once").json
    again = start(client, key="once")
    assert again.status_code == 202 and again.json == first | {"replayed": True}
    train(store)
    assert start(client, key="once").json["id"] == first["id"]
    assert code(start(client, key="once", epochs=2)) == "idempotency_key_reused"


def test_a_dataset_stays_while_a_run_needs_it(client: DescribedClient, store: ModelStore) -> None:
    add_dataset(store, name="other", owner="")
    run = start(client, validation={"dataset": "other"}).json["id"]
    for name in ("table", "other"):
        with pytest.raises(DatasetInUse, match=run):
            delete(store.datasets, "", name, inf)
    answer = client.delete("/v1/datasets/table")
    assert (answer.status_code, code(answer)) == (409, "dataset_in_use")
    client.post(f"/v1/runs/{run}/cancel")
    delete(store.datasets, "", "other", inf)
    assert client.get(f"/v1/runs/{run}").json["state"] == "cancelled"


def test_the_first_batch_of_a_validation_is_tried(client: DescribedClient, store: ModelStore) -> None:
    arrays = examples()
    for name, other, expected in (
        ("narrow", {"x": arrays["x"][:, :3], "y": arrays["y"]}, "shape_mismatch"),
        ("labels", {"x": arrays["x"], "y": arrays["y"] + 9}, "label_out_of_range"),
        ("unlabelled", {"x": arrays["x"]}, "missing_data"),
    ):
        add_dataset(store, other, name, owner="")
        answer = start(client, validation={"dataset": name})
        assert code(answer, "/validation/dataset") == expected
    assert client.get("/v1/runs").json["runs"] == []


def test_numbers_that_are_not_finite_are_refused_before_the_first_step(
    client: DescribedClient, store: ModelStore
) -> None:
    arrays = examples(200)
    arrays["x"][150:153, 1] = np.nan  # far behind the first batch
    add_dataset(store, arrays, "gaps", owner="")
    detail = (
        "column 'x' of dataset 'gaps' has 3 numbers that are not finite, such as NaN of an empty cell: "
        "fill them in, or leave out their rows"
    )
    for recipe, pointer in (
        ({"dataset": "gaps"}, "/columns/x"),
        ({"dataset": "gaps", "steps": 1}, "/columns/x"),
        ({"validation": {"dataset": "gaps"}}, "/validation/dataset"),
    ):
        answer = start(client, **recipe)
        assert code(answer, pointer) == "non_finite"
        assert answer.json["detail"] == detail
    assert client.get("/v1/runs").json["runs"] == []
    assert start(client, columns={"x": "x"}, validation={"dataset": "table"}).status_code == 202


def test_numbers_that_float32_does_not_hold_are_refused_before_the_first_step(
    client: DescribedClient, store: ModelStore
) -> None:
    arrays = examples(200)
    arrays["x"][150, 1] = -1e39
    add_dataset(store, arrays, "large", owner="")
    make_model(client, "single", dtype="float32")
    answer = start(client, "single", dataset="large")
    assert code(answer, "/columns/x") == "tensor_invalid"
    assert "-1e+39" in answer.json["detail"] and "float32" in answer.json["detail"]
