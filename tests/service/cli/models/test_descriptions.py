"""deltawire models list and show."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.commands import FLOW, document
from support.console import run

from deltawire import Client
from deltawire.errors import Fault, Refused
from deltawire_service.cli.outcome import Exit
from deltawire_service.models.model_store import ModelStore


def test_no_model(data_dir: Path) -> None:
    assert document("models", "list") == {"models": []}
    assert "deltawire models create makes one" in run("models", "list").stdout


def test_models_are_listed(flow: Client) -> None:
    document("models", "create", "other", FLOW, "--optimizer", "lion", "--clip-norm", "2")
    assert document("models", "list") == {"models": flow.models()}
    shown = " ".join(run("models", "list", columns=120).stdout.split())
    for line in ("flow 0 0 adam, learning rate 0.01", "lion, learning rate 0.0001, clipped to norm 2"):
        assert line in shown


def test_a_model_is_shown(flow: Client) -> None:
    assert document("models", "show", "flow") == flow.model("flow").describe()
    shown = " ".join(run("models", "show", "flow").stdout.split())
    for line in ("flow version 0, step 0", "7 nodes, float64", "scores.weight (3, 4) 12", "all 35"):
        assert line in shown
    missing = run("models", "show", "flaw")
    assert missing.exit_code == Exit.REFUSED and "model_not_found" in missing.stderr


def test_without_a_folder_the_command_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DELTAWIRE_DATA_DIR", raising=False)
    result = run("models", "list")
    assert result.exit_code == Exit.FAILED and "DELTAWIRE_DATA_DIR" in result.stderr


def test_a_model_whose_plugin_is_gone_is_shown(flow: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ModelStore, "network_of", _refuse)
    assert run("models", "list").exit_code == 0
    shown = run("models", "show", "flow")
    assert shown.exit_code == 0 and "It cannot be used now: there is no such layer" in shown.stdout


def _refuse(*_: object) -> None:
    raise Refused([Fault("/nodes/0/kind", "unknown_kind", "there is no such layer")])
