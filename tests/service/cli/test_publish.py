"""deltawire publish: what is written can be served, and what cannot be served is not written."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from support.commands import FLOW, REQUEST, SPEC, document, without
from support.console import run

from deltawire import Client
from deltawire_service.app import create_app
from deltawire_service.cli.outcome import Exit
from deltawire_service.settings import Settings


@pytest.fixture
def checkpoint(here: Path) -> Path:
    save_file(Client().init(SPEC, 0, "float32"), here / "checkpoint.safetensors")
    return here / "checkpoint.safetensors"


def test_what_is_published_can_be_served(spec: Path, checkpoint: Path, here: Path) -> None:
    answer = document(
        "publish", spec, checkpoint, "--name", "flow-1", "--value", "probs", "--value", "scores"
    )
    assert (answer["name"], answer["path"]) == ("flow-1", "flow-1.safetensors")
    client = create_app(Settings(log_level="error", networks_dir=str(here))).test_client()
    (shown,) = client.get("/v1/networks").json["networks"]
    assert {key: shown[key] for key in ("network_id", "params_id")} == without(answer, "name", "path")
    assert (shown["values"], shown["dtype"]) == (["probs", "scores"], "float32")
    # The file is whole to the library that the format comes from; its numbers are the checkpoint's.
    read, wrote = load_file(here / "flow-1.safetensors"), load_file(checkpoint)
    assert {name: array.tobytes() for name, array in read.items()} == {
        f"params/{name}": array.tobytes() for name, array in wrote.items()
    }


def test_data_can_be_pinned(spec: Path, checkpoint: Path, batch: Path, here: Path) -> None:
    assert run("publish", spec, checkpoint, "--data", batch).exit_code == 0
    assert (
        run("publish", FLOW, checkpoint, "--name", "flow").exit_code == 0
    )  # whose request has data, and values
    client = create_app(Settings(log_level="error", networks_dir=str(here))).test_client()
    answers = [client.post("/v1/gradients", json={"network": {"name": name}}) for name in ("spec", "flow")]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json == answers[1].json
    assert client.get("/v1/networks/flow").json["values"] == ["probs"]


def test_a_request_may_have_its_parameters_in_itself(spec: Path, here: Path) -> None:
    assert run("publish", FLOW, "--name", "flow").exit_code == 0
    client = create_app(Settings(log_level="error", networks_dir=str(here))).test_client()
    named = client.post("/v1/gradients", json={"network": {"name": "flow"}})
    assert (
        without(named.json, "params_id")
        == client.post(
            "/v1/gradients", json={key: REQUEST[key] for key in ("network", "params", "data")}
        ).json
    )
    assert document("publish", spec, code=Exit.REFUSED)["code"] == "missing_parameter"


def test_what_could_not_be_served_is_not_published(spec: Path, checkpoint: Path, here: Path) -> None:
    before = sorted(here.iterdir())
    save_file({"hidden.weight": np.ones((4, 4))}, here / "half")
    for arguments, code in (
        ((spec, here / "half"), "missing_parameter"),
        ((spec, spec), "tensor_body_invalid"),
        ((checkpoint, checkpoint), "tensor_body_invalid"),
        ((spec, checkpoint, "--value", "score"), "unknown_name"),
        ((spec, checkpoint, "--name", "../flow"), "name_invalid"),
        ((spec, checkpoint, "--name", "flow.loss"), "name_invalid"),
    ):
        assert document("publish", *arguments, code=Exit.REFUSED)["code"] == code
    assert sorted(here.iterdir()) == sorted([*before, here / "half"])


def test_a_published_network_is_replaced_and_never_written_to(
    spec: Path, checkpoint: Path, here: Path
) -> None:
    run("publish", spec, checkpoint, "--name", "flow")
    with (here / "flow.safetensors").open("rb") as served:
        before = served.read()
        save_file(Client().init(SPEC, 1), checkpoint)
        run("publish", spec, checkpoint, "--name", "flow")
        served.seek(0)
        assert served.read() == before != (here / "flow.safetensors").read_bytes()


def test_a_file_that_cannot_be_written_leaves_the_old_one(
    spec: Path, checkpoint: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("publish", spec, checkpoint, "--name", "flow")
    before = {path: path.read_bytes() for path in here.iterdir()}
    save_file(Client().init(SPEC, 1), changed := here.with_name("changed"))

    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = run("publish", spec, changed, "--name", "flow")
    assert (result.exit_code, result.stderr) == (Exit.FAILED, "failed: No space left on device\n")
    assert {path: path.read_bytes() for path in here.iterdir()} == before


def test_a_folder_that_cannot_be_made_is_named(spec: Path, checkpoint: Path, here: Path) -> None:
    result = run("publish", spec, checkpoint, "--into", here / "spec.json" / "networks")
    assert result.exit_code == Exit.FAILED and "spec.json/networks: Not a directory" in result.stderr
