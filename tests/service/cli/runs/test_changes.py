"""deltawire runs pause, resume and cancel."""

from __future__ import annotations

import pytest
from support.commands import document
from support.console import run

from deltawire import Client
from deltawire.runs.run import Run
from deltawire_service.cli.outcome import Exit


@pytest.fixture
def id(adder: Client) -> str:
    """A run that takes longer than any test."""
    started = document("train", "adder", "--data", "sums", "--epochs", "1000000", "--detach")
    return str(started["id"])


def test_a_run_is_paused_resumed_and_cancelled(id: str) -> None:
    assert document("runs", "pause", id)["state"] == "paused"
    assert document("runs", "resume", id, "--detach")["state"] in ("queued", "running")
    assert document("runs", "cancel", id, "--yes")["state"] == "cancelled"
    ended = run("runs", "resume", id)
    assert ended.exit_code == Exit.REFUSED and "run_ended" in ended.stderr


def test_ctrl_c_pauses_and_says_how_to_go_on(id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(run: Run, *, progress: bool) -> None:
        raise KeyboardInterrupt

    document("runs", "pause", id)
    monkeypatch.setattr(Run, "wait", interrupt)
    stopped = run("runs", "resume", id)
    assert stopped.exit_code == Exit.INTERRUPTED
    assert stopped.stderr == f"paused: deltawire runs resume {id} lets it go on\n"
    assert document("runs", "show", id)["state"] == "paused"
