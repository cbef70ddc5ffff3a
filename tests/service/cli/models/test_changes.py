"""deltawire models change, restore, fork and delete."""

from __future__ import annotations

from typing import Any

from support.commands import BATCH, document
from support.console import run

from deltawire import Client
from deltawire_service.cli.outcome import Exit


def test_hyperparameters_are_changed(flow: Client) -> None:
    changed = document("models", "change", "flow", "--learning-rate", "0.5", "--config", '{"eps": 1e-6}')
    assert (changed["version"], changed["step"]) == (1, 0)
    config = flow.model("flow").describe()["optimizer"]["config"]
    assert (config["learning_rate"], config["eps"]) == (0.5, 1e-6)
    wrong = run("models", "change", "flow")
    assert wrong.exit_code == Exit.USAGE and "pass what changes" in wrong.stderr


def test_a_schedule_and_bounds_are_taken_away(flow: Client) -> None:
    def rule() -> tuple[Any, Any]:
        optimizer = flow.model("flow").describe()["optimizer"]
        return optimizer["schedule"], optimizer["clip"]

    cosine = '{"kind": "cosine", "T_max": 10}'
    document("models", "change", "flow", "--schedule", cosine, "--clip", '{"norm": 1, "value": 2}')
    schedule, clip = rule()
    assert schedule["kind"] == "cosine" and clip == {"norm": 1, "value": 2}
    document("models", "change", "flow", "--schedule", "null")
    assert rule() == (None, clip)
    document("models", "change", "flow", "--clip", "{}")
    assert rule() == (None, {})
    for wrong in ("--schedule", "--clip"):
        result = run("models", "change", "flow", wrong, "3")
        assert result.exit_code == Exit.USAGE and "expected an object" in result.stderr


def test_a_version_comes_back(flow: Client) -> None:
    model = flow.model("flow")
    first = model.checkpoint().params_id
    model.step(BATCH)
    back = document("models", "restore", "flow", "0", "--if-version", "1", "--key", "once")
    assert (back["version"], back["params_id"], back["replayed"]) == (2, first, False)
    assert document("models", "restore", "flow", "0", "--if-version", "1", "--key", "once")["replayed"]
    assert run("models", "restore", "flow", "0").stdout == "restored version 0: version 3, step 0\n"


def test_a_fork(flow: Client) -> None:
    flow.model("flow").step(BATCH)
    made = document("models", "fork", "flow", "fork", "--version", "0")
    assert made == flow.model("fork").describe() and (made["name"], made["step"]) == ("fork", 0)
    assert "fork2   version 0, step 1" in run("models", "fork", "flow", "fork2").stdout


def test_a_model_is_deleted_after_a_question(flow: Client) -> None:
    assert run("models", "delete", "flow", given="n\n").exit_code == 1
    assert len(flow.models()) == 1
    assert run("models", "delete", "flow", "--yes", "--key", "once").stdout == "deleted flow\n"
    again = document("models", "delete", "flow", "--yes", "--key", "once")
    assert again == {"name": "flow", "version": 0, "replayed": True} and flow.models() == []
