"""Runs are listed and described, and their curves are read page by page."""

from __future__ import annotations

from typing import Any

import pytest
from support.http_models import DescribedClient, code, make_model, step
from support.runs import train, trainer_of

from deltawire_service.models.model_store import ModelStore
from deltawire_service.training import trainer as trainers
from deltawire_service.training import training_loop


def start(client: DescribedClient, name: str = "model", **recipe: Any) -> str:
    document = {"dataset": "table", "batch_size": 8} | recipe
    return str(client.post(f"/v1/models/{name}/runs", json=document).json["id"])


def test_a_run_tells_how_far_it_has_come(client: DescribedClient, store: ModelStore) -> None:
    run = start(client, epochs=3)
    before = client.get(f"/v1/runs/{run}").json
    assert (before["seconds_left"], before["examples_per_second"]) == (None, None)
    train(store)
    after = client.get(f"/v1/runs/{run}").json
    assert (after["state"], after["steps"], after["version"]) == ("finished", 21, 21)
    assert abs(after["examples_per_second"] * after["seconds"] - 150) < 1e-6
    assert after["seconds_left"] is None and after["ahead"] is None


def test_runs_are_listed_by_page_and_by_model(client: DescribedClient, store: ModelStore) -> None:
    made = list[str]()
    for _ in range(3):
        made.append(start(client))
        train(store)
    make_model(client, "other")
    made.append(start(client, "other"))
    first = client.get("/v1/runs?limit=3").json
    assert [run["id"] for run in first["runs"]] == made[:0:-1]
    second = client.get(f"/v1/runs?limit=3&before={first['next']}").json
    assert ([run["id"] for run in second["runs"]], second["next"]) == ([made[0]], None)
    assert [run["id"] for run in client.get("/v1/runs?model=other").json["runs"]] == made[3:]
    assert code(client.get("/v1/runs?model=none")) == "model_not_found"
    assert [run["id"] for run in client.get("/v1/runs?open=true").json["runs"]] == made[3:]
    ended = client.get("/v1/runs?open=false&limit=2").json
    assert [run["id"] for run in ended["runs"]] == [made[2], made[1]]
    assert [run["id"] for run in client.get("/v1/runs?contains=THE").json["runs"]] == made[3:]
    assert code(client.get("/v1/runs?open=1")) == "field_invalid"


def test_metrics_are_read_page_by_page(client: DescribedClient, store: ModelStore) -> None:
    step(client)
    run = start(client, epochs=2, validation={"fraction": 0.2, "every": 3})
    assert client.get(f"/v1/runs/{run}/metrics").json == {"steps": [], "validations": [], "next": 1}
    train(store)
    step(client)  # is none of the run
    pages, since = [], -1
    while True:
        page = client.get(f"/v1/runs/{run}/metrics?since={since}&limit=4").json
        if not page["steps"]:
            break
        pages.append(page)
        since = page["next"]
    steps = [each for page in pages for each in page["steps"]]
    assert [each["version"] for each in steps] == [each["step"] for each in steps] == [*range(2, 12)]
    assert all(each["loss"] > 0 and each["learning_rate"] == 0.01 for each in steps)
    assert [len(page["steps"]) for page in pages] == [4, 4, 2]
    validated = [each["version"] for page in pages for each in page["validations"]]
    assert validated == [4, 7, 10, 11]


def test_a_step_comes_together_with_its_validation(
    client: DescribedClient, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often the metrics are read, nothing is missed, and nothing comes twice."""
    monkeypatch.setattr(trainers, "TURN_SECONDS", 0.0)  # one transaction a turn
    monkeypatch.setattr(training_loop, "GROUP_SECONDS", 0.0)
    run = start(client, epochs=2, validation={"fraction": 0.2, "every": 3})
    steps, validated, since = list[int](), list[int](), -1
    trainer = trainer_of(store)
    while trainer.take_turn():
        page = client.get(f"/v1/runs/{run}/metrics?since={since}").json
        steps += [each["version"] for each in page["steps"]]
        validated += [each["version"] for each in page["validations"]]
        assert not steps or steps[-1] not in (3, 6, 9, 10) or steps[-1] == validated[-1]
        since = page["next"]
    assert (steps, validated) == ([*range(1, 11)], [3, 6, 9, 10])


def test_entries_that_are_no_steps_end_no_page(client: DescribedClient, store: ModelStore) -> None:
    run = start(client, epochs=2)
    train(store)
    with store.database.writing() as transaction:
        transaction.execute("UPDATE entries SET kind = 'rebased' WHERE version = 4")
    page = client.get(f"/v1/runs/{run}/metrics?limit=5").json
    assert ([each["version"] for each in page["steps"]], page["next"]) == ([1, 2, 3, 5, 6], 6)


def test_validations_are_read_page_by_page_where_the_steps_are_gone(
    client: DescribedClient, store: ModelStore
) -> None:
    run = start(client, epochs=2, validation={"fraction": 0.2, "every": 1})
    train(store)
    with store.database.writing() as transaction:
        transaction.execute("DELETE FROM entries WHERE version < 8")
    pages, since = [], -1
    while not pages or pages[-1]["validations"]:
        pages.append(client.get(f"/v1/runs/{run}/metrics?since={since}&limit=4").json)
        since = pages[-1]["next"]
    for kind, expected in (("validations", range(1, 11)), ("steps", range(8, 11))):
        assert [each["version"] for page in pages for each in page[kind]] == [*expected]
        assert all(len(page[kind]) <= 4 for page in pages)


def test_a_run_that_is_not_there_is_not_found(client: DescribedClient) -> None:
    for path in ("", "/metrics"):
        assert code(client.get(f"/v1/runs/none{path}")) == "run_not_found"
    for change in ("pause", "resume", "cancel"):
        assert code(client.post(f"/v1/runs/none/{change}")) == "run_not_found"
