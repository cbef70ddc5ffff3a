"""The catalogue of optimizers has every installed one, and its configs are those that models take."""

from __future__ import annotations

from pathlib import Path

from support.http_models import code, make_client, make_model

from deltawire_optimizers import SCHEDULES, load_optimizers


def test_every_optimizer_and_schedule_is_listed(tmp_path: Path) -> None:
    client = make_client(tmp_path)
    listed = client.get("/v1/optimizers").json
    assert [each["kind"] for each in listed["optimizers"]] == list(load_optimizers())
    assert [each["kind"] for each in listed["schedules"]] == list(SCHEDULES)
    for each in listed["optimizers"]:
        assert client.get(f"/v1/optimizers/{each['kind']}").json == each
        defaults = {name: field["default"] for name, field in each["config"]["properties"].items()}
        make_model(client, each["kind"], optimizer={"kind": each["kind"], "config": defaults})
    missing = client.get("/v1/optimizers/adm")
    assert code(missing, "") == "optimizer_not_found" and "did you mean 'adam'?" in missing.json["detail"]
