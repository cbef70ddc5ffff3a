"""Lists, descriptions and ledgers: pages, and queries that do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.engine import LAYERS
from support.http_models import ADAM, SPEC, DescribedClient, code, make_client, make_model, step

from deltawire_layers import Registry
from deltawire_plugins.registry import Registered


def test_models_are_listed_by_name_a_page_at_a_time(client: DescribedClient) -> None:
    for name in ("b", "a", "_", "Z"):
        make_model(client, name)
    names = sorted(["model", "b", "a", "_", "Z"])
    assert [each["name"] for each in client.get("/v1/models").json["models"]] == names
    found, after = list[str](), ""
    while after is not None:
        page = client.get(f"/v1/models?limit=2&after={after}").json
        assert len(page["models"]) <= 2
        found += [each["name"] for each in page["models"]]
        after = page["next"]
    assert found == names
    assert client.get("/v1/models?limit=5").json["next"] is None
    assert client.get("/v1/models?after=zz").json == {"models": [], "next": None}
    assert len(client.get("/v1/models?after=a/../%00%F0%9F").json["models"]) == 2
    found = client.get("/v1/models?contains=OD").json["models"]
    assert [each["name"] for each in found] == ["model"]


def test_a_model_is_described(client: DescribedClient) -> None:
    step(client)
    listed, described = client.get("/v1/models").json["models"][0], client.get("/v1/models/model").json
    assert described.items() >= listed.items()
    assert (described["version"], described["step"], described["dtype"]) == (1, 1, "float64")
    assert described["optimizer"]["config"].items() >= ADAM["config"].items()
    assert {each["name"]: each["shape"] for each in described["parameters"]} == {
        "hidden.weight": [8, 4], "hidden.bias": [8], "scores.weight": [3, 8], "scores.bias": [3],
    }  # fmt: skip
    assert (
        client.post("/v1/plan", json={"network": described["network"]}).json["network_id"]
        == described["network_id"]
    )
    assert [node["name"] for node in described["network"]["nodes"]] == [
        node["name"] for node in SPEC["nodes"]
    ]


def test_a_model_whose_layer_is_gone_is_described_read_and_deleted(
    client: DescribedClient, tmp_path: Path
) -> None:
    step(client)
    before, params = (client.get(f"/v1/models/model{path}").json for path in ("", "/params"))
    kept = {kind: Registered(LAYERS[kind], LAYERS.distribution(kind)) for kind in LAYERS if kind != "tanh"}
    other = make_client(tmp_path, Registry(kept))
    described = other.get("/v1/models/model").json
    assert "no layer of kind 'tanh' is installed" in described["unusable"]
    assert described == before | {"network_id": None, "unusable": described["unusable"]}
    assert other.get("/v1/models").json["models"][0].items() <= described.items()
    assert other.get("/v1/models/model/params").json == params
    assert code(step(other), "/network/nodes/1/kind") == "unknown_kind"
    assert other.delete("/v1/models/model").json["version"] == 1
    assert other.get("/v1/models").json["models"] == []


def test_a_description_has_the_loss_of_the_newest_step(client: DescribedClient) -> None:
    def losses() -> tuple[float | None, float | None]:
        listed = client.get("/v1/models").json["models"][0]
        return client.get("/v1/models/model").json["loss"], listed["loss"]

    assert losses() == (None, None)
    loss = step(client).json["loss"]
    assert losses() == (loss, loss)
    client.patch("/v1/models/model", json={"optimizer": {}})
    assert losses() == (None, None)  # no step has made this version


def test_a_ledger_has_every_change_a_page_at_a_time(client: DescribedClient) -> None:
    loss = step(client).json["loss"]
    client.patch("/v1/models/model", json={"optimizer": {}})
    client.post("/v1/models/model/restore", json={"version": 1})
    entries = client.get("/v1/models/model/ledger").json["entries"]
    assert [(each["version"], each["kind"], each["step"]) for each in entries] == [
        (0, "created", 0), (1, "step", 1), (2, "hyperparameters", 1), (3, "restored", 1),
    ]  # fmt: skip
    assert (entries[1]["loss"], entries[3]["from"]) == (loss, 1)
    found, after = list[object](), -1
    while after is not None:
        page = client.get(f"/v1/models/model/ledger?limit=3&after={after}").json
        found += page["entries"]
        after = page["next"]
    assert found == entries
    assert client.get("/v1/models/model/ledger?after=99").json == {"entries": [], "next": None}


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "x", "", "1.0", "1e2", " 1", "+1", "٣", "9" * 30])
@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/model/ledger"])
def test_a_limit_that_does_not_fit_is_refused(unchanged: DescribedClient, path: str, limit: str) -> None:
    assert code(unchanged.get(path, query_string={"limit": limit}), "/limit") == "field_invalid"


@pytest.mark.parametrize("after", ["-2", "x", "", "a/b", str(2**70), "1.5", "null"])
def test_an_entry_to_follow_is_a_version(unchanged: DescribedClient, after: str) -> None:
    answer = unchanged.get("/v1/models/model/ledger", query_string={"after": after})
    assert code(answer, "/after") == "field_invalid"


@pytest.mark.parametrize("path", ["", "/model", "/model/ledger", "/model/params", "/model/optimizer"])
def test_a_query_has_known_names_each_once(unchanged: DescribedClient, path: str) -> None:
    assert code(unchanged.get(f"/v1/models{path}?limt=1"), "/limt") == "field_unknown"
    assert code(unchanged.get(f"/v1/models{path}?limt=1&limt=1"), "/limt") == "field_invalid"


@pytest.mark.parametrize("name", ["modl", "é", "%00", "..", "model%20", "a" * 300, "%F0%9F", "'"])
def test_a_model_that_there_is_not(unchanged: DescribedClient, name: str) -> None:
    for path in ("", "/ledger", "/params", "/optimizer"):
        answer = unchanged.get(f"/v1/models/{name}{path}")
        assert code(answer, "") == "model_not_found"
    assert ("did you mean 'model'?" in answer.json["detail"]) is (name in ("modl", "model%20"))


def test_a_slash_in_a_name_is_another_route(unchanged: DescribedClient) -> None:
    assert code(unchanged.get("/v1/models/a%2Fb")) == "not_found"


@pytest.mark.parametrize("path", ["", "/model", "/model/ledger", "/model/params", "/model/optimizer"])
def test_head_and_options(unchanged: DescribedClient, path: str) -> None:
    head = unchanged.head(f"/v1/models{path}")
    assert (head.status_code, head.data) == (200, b"")
    assert {"GET", "HEAD"} <= unchanged.options(f"/v1/models{path}").allow
    assert code(unchanged.put(f"/v1/models{path}", json={})) == "method_not_allowed"


def test_options_of_a_change(unchanged: DescribedClient) -> None:
    assert unchanged.options("/v1/models/model/steps").allow == {"POST", "OPTIONS"}
    assert unchanged.options("/v1/models/model").allow == {"GET", "HEAD", "PATCH", "DELETE", "OPTIONS"}
    assert code(unchanged.get("/v1/models/model/steps")) == "method_not_allowed"
