"""deltawire models step: the step that the SDK takes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from support.commands import BATCH, document
from support.console import run

from deltawire import Client
from deltawire_service.cli.outcome import Exit


def test_a_step_is_that_of_the_sdk(flow: Client) -> None:
    model = flow.model("flow")
    twin = model.fork("twin")
    by_command = document("models", "step", "flow", "batch.npz", "--reduction", "sum", "--learning-rate", "1")
    result = twin.step(BATCH, reduction="sum", learning_rate=1)
    assert by_command == {name: value for name, value in vars(result).items() if value not in (None, {})}
    assert model.checkpoint().params_id == twin.checkpoint().params_id


def test_a_step_shows_its_loss(flow: Client) -> None:
    loss, _ = flow.model("flow").value_and_grad(BATCH)
    shown = run("models", "step", "flow", "batch.npz", "--key", "once").stdout
    assert shown == f"loss {loss:.6g}: version 1, step 1\n"
    again = run("models", "step", "flow", "batch.npz", "--key", "once").stdout
    assert again == f"{shown.rstrip()}   done by an earlier command with this key\n"


def test_a_batch_may_be_json(flow: Client) -> None:
    flow.model("flow").fork("twin")
    Path("batch.json").write_text(json.dumps({name: array.tolist() for name, array in BATCH.items()}))
    in_json, as_saved = (document("models", "step", name, f"batch.{kind}") for name, kind in
                         (("twin", "json"), ("flow", "npz")))  # fmt: skip
    assert in_json == as_saved
    Path("batch.json").write_text('{"x": [["a"]]}')
    wrong = run("models", "step", "flow", "batch.json")
    assert wrong.exit_code == Exit.REFUSED and "/data/x" in wrong.stderr


def test_a_batch_is_converted_to_the_dtype_of_the_model(flow: Client) -> None:
    flow.create_model(flow.model("flow").spec, name="single", optimizer={"kind": "sgd"}, dtype="float32")
    assert document("models", "step", "single", "batch.npz")["version"] == 1
    np.savez("labels.npz", **{**BATCH, "y": BATCH["y"].astype(np.float32)})
    wrong = run("models", "step", "single", "labels.npz")
    assert wrong.exit_code == Exit.REFUSED and "/data/y" in wrong.stderr


def test_another_version_is_refused(flow: Client) -> None:
    flow.model("flow").step(BATCH)
    wrong = run("models", "step", "flow", "batch.npz", "--if-version", "0")
    assert wrong.exit_code == Exit.REFUSED and "version_changed" in wrong.stderr
    assert document("models", "step", "flow", "batch.npz", "--if-version", "1")["version"] == 2


def test_a_step_need_not_be_durable(flow: Client) -> None:
    assert document("models", "step", "flow", "batch.npz", "--not-durable")["durable"] is False
    assert document("models", "step", "flow", "batch.npz")["durable"] is True
