"""The numbers of a version: its parameters and its optimizer state, in JSON and in binary."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from support.http_models import DATA, DescribedClient, code, make_client, make_model, read, step

from deltawire import wire
from deltawire_service.admission import answer_memory
from deltawire_service.networks.published import params_id
from deltawire_service.store.readers import MOST_HELD

BINARY = {"Accept": wire.SAFETENSORS}


def test_numbers_are_equal_in_json_and_in_binary(client: DescribedClient) -> None:
    step(client)
    for path, part in (("params", "params"), ("optimizer", "state")):
        for query in ("", "?version=0", "?version=1"):
            text = client.get(f"/v1/models/model/{path}{query}")
            binary = client.get(f"/v1/models/model/{path}{query}", headers=BINARY)
            document = read(binary)
            assert binary.content_type == wire.SAFETENSORS
            assert binary.headers["ETag"] == text.headers["ETag"]
            assert document["origin"] == text.json["origin"]
            assert document[part].keys() == text.json[part].keys() != set()
            for name, array in document[part].items():
                np.testing.assert_array_equal(array, np.asarray(text.json[part][name]))


def test_an_origin_names_the_version(client: DescribedClient) -> None:
    lineage = client.get("/v1/models/model").json["lineage"]
    first = read(client.get("/v1/models/model/params", headers=BINARY))
    step(client)
    newest, old = (client.get(f"/v1/models/model/params{q}") for q in ("", "?version=0"))
    assert old.json["origin"] == {
        "model": "model", "version": 0, "step": 0, "lineage": lineage,
        "params_id": params_id(first["params"]),
    }  # fmt: skip
    assert newest.json["origin"]["version"] == 1 and newest.headers["ETag"] != old.headers["ETag"]


def test_a_version_is_read_while_others_step(client: DescribedClient) -> None:
    """The numbers stay as they are until the last byte has been sent."""
    before = client.get("/v1/models/model/params").json["params"]
    with client.get("/v1/models/model/params", headers=BINARY, buffered=False) as answer:
        for seed in range(3):
            step(client, seed)
        document = wire.decode(answer.get_data(), wire.SAFETENSORS, part="response")
    assert {name: array.tolist() for name, array in document["params"].items()} == before


def test_slow_readers_are_bounded_and_hold_up_no_step(client: DescribedClient) -> None:
    """A client that does not read its answer holds a version; further readers are refused by name."""
    with ExitStack() as stalled:
        for seed in range(MOST_HELD):
            answer = client.get("/v1/models/model/params", headers=BINARY, buffered=False)
            stalled.enter_context(answer)
            step(client, seed)
        refused = client.get("/v1/models/model/params", headers=BINARY)
        assert code(refused, "") == "model_busy" and "slow readers" in refused.json["detail"]
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        step(client, MOST_HELD)
    assert client.get("/v1/models/model/params", headers=BINARY).status_code == 200


def test_json_takes_memory_and_binary_does_not(tmp_path: Path) -> None:
    client = make_client(tmp_path, planned_bytes=1500)
    make_model(client)
    answer = client.get("/v1/models/model/params")
    assert code(answer, "") == "memory_plan_exceeded" and wire.SAFETENSORS in answer.json["detail"]
    assert client.get("/v1/models/model/params", headers=BINARY).status_code == 200
    assert code(client.post("/v1/models/model/steps", json={"data": DATA})) == "memory_plan_exceeded"


@pytest.mark.parametrize("path", ["params", "optimizer"])
def test_json_is_held_until_it_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Other answers have no room meanwhile; those in binary need none."""
    client = make_client(tmp_path, planned_bytes=4500, admitted_bytes=4500, computations=1)
    make_model(client)
    for bound in ("SMALL_PLAN", "SPARE"):
        monkeypatch.setattr(answer_memory, bound, 0)
    with client.get(f"/v1/models/model/{path}", buffered=False) as first:
        assert first.status_code == 200
        refused = client.get("/v1/models/model/optimizer", buffered=True)
        assert (refused.status_code, code(refused)) == (503, "overloaded")
        binary = client.get(f"/v1/models/model/{path}", headers=BINARY, buffered=True)
        assert binary.status_code == 200
    assert client.get("/v1/models/model/optimizer").status_code == 200
