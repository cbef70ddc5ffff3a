"""deltawire check: right gradients pass, and a kink fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.commands import FLOW, document
from support.console import run
from support.layers import registry
from support.simulated import Simulated

from deltawire_service.cli.outcome import Exit


def test_check_passes_and_fails(here: Path) -> None:
    right = run("check", FLOW)
    assert right.exit_code == 0 and "✓ all gradients are right" in right.stdout
    kink = {"inputs": {"x": {"shape": [2]}}, "nodes": [{"kind": "relu"}, {"kind": "sum"}]}
    (here / "kink.json").write_text(json.dumps({"network": kink, "data": {"x": [[0, 1]]}}))
    wrong = run("check", "kink.json")
    assert wrong.exit_code == Exit.NO
    rows = [line.split() for line in wrong.stdout.splitlines()]
    assert ["✗", "x", "2", "of", "2", "0e+00", "5e-01", "0e+00"] in rows
    assert ["x", "(0,", "0)", "0", "0", "0.5"] in rows
    assert "✗ gradients of 1 array are off" in wrong.stdout
    assert document("check", "kink.json", code=Exit.NO)["passed"] is False


def test_first_derivatives_alone_have_no_complex_step(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deltawire_service.app.load_layers", lambda: registry(simulated=Simulated))
    network = {"inputs": {"x": {"shape": [2]}}, "nodes": [{"kind": "simulated"}, {"kind": "sum"}]}
    (here / "simulated.json").write_text(json.dumps({"network": network, "data": {"x": [[0.5, 1]]}}))
    right = run("check", "simulated.json")
    assert right.exit_code == 0 and "✓ all gradients are right" in right.stdout
    assert ["✓", "x", "2", "of", "2", "–"] in [line.split()[:6] for line in right.stdout.splitlines()]
