"""deltawire runs list and show."""

from __future__ import annotations

from support.commands import document
from support.console import run

from deltawire import Client
from deltawire_service.cli.outcome import Exit
from deltawire_service.cli.runs.descriptions import state_text


def test_no_run_is_said(adder: Client) -> None:
    assert "deltawire train starts one" in run("runs", "list").stdout


def test_runs_are_listed_and_shown(adder: Client) -> None:
    done = document("train", "adder", "--data", "sums", "--batch-size", "20", "--validation", "0.5")
    assert document("runs", "list") == {"runs": [document("runs", "show", done["id"])]}
    assert document("runs", "list", "--model", "adder")["runs"][0]["id"] == done["id"]
    (row,) = run("runs", "list").stdout.splitlines()[2:]
    assert row.split()[:6] == ["#1", "adder", "finished", "2", "of", "2"]
    shown = run("runs", "show", done["id"]).stdout
    assert shown.startswith(f"run #1   finished   {done['id']}\nadder learns from sums, 1 epoch")
    for name in ("1", "#1", done["id"][:5]):
        assert run("runs", "show", name).stdout == shown
    assert "2 of 2 steps, version 2   finished  loss " in shown and "at version 2" in shown


def test_a_failed_run_says_why(adder: Client) -> None:
    adder.model("adder").change_optimizer(learning_rate=1e300)
    failed = run("train", "adder", "--data", "sums", "--epochs", "50")
    assert failed.exit_code == Exit.FAILED
    (failure,) = document("runs", "list")["runs"]
    assert failure["problem"]["code"] in failed.stderr
    assert f"{failure['problem']['code']}: " in run("runs", "show", failure["id"]).stdout


def test_an_unknown_run_is_refused(adder: Client) -> None:
    for name in ("none", "7", "0" * 32):
        assert run("runs", "show", name).exit_code == Exit.REFUSED


def test_a_run_that_ended_early_says_so() -> None:
    assert state_text({"state": "finished", "steps": 450, "total_steps": 600}) == "finished early"
    assert state_text({"state": "cancelled", "steps": 450, "total_steps": 600}) == "cancelled"
