"""deltawire layers: the installed kinds, or one of them."""

from __future__ import annotations

import re

import pytest
from support.console import run
from support.layers import BUILT_IN, failing, registry
from support.simulated import Simulated

from deltawire_layers import load_layers
from deltawire_service.cli.outcome import Exit


def test_layers_are_one_line_each_with_their_distribution(built_in_alone: None) -> None:
    lines = run("layers").stdout.splitlines()
    assert lines[0] == f"{BUILT_IN.distribution('linear')}: {len(BUILT_IN)} layers"
    kinds = [line.split()[0] for line in lines[4 : 4 + len(BUILT_IN)]]
    assert kinds == list(BUILT_IN)


def test_layers_of_other_distributions_have_a_table_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = registry(mine=failing("forward", None))
    monkeypatch.setattr("deltawire_service.app.load_layers", lambda: layers)
    shown = run("layers").stdout
    assert "tests 1.0: 1 layer\n" in shown
    assert shown.count("what it computes") == 2


def test_a_layer_in_full() -> None:
    shown = run("layers", "lstm", columns=200).stdout
    assert "lstm(x, …)" in shown and load_layers().distribution("lstm") in shown
    assert "With a = W_ih xₜ" in shown  # the docstring beyond its first line
    assert "gradient of weight_hh" in shown
    assert re.search(r"integer ≥ 1 +required", shown)
    assert re.search(r"weight_hh at first +uniform within ±1/√units", shown)
    assert "integer ≥ 1 or list of integer ≥ 1" in run("layers", "conv2d", columns=200).stdout
    assert "none: it takes integers" in run("layers", "embedding").stdout
    assert "It takes no config." in run("layers", "relu").stdout
    assert "number ≥ 0, < 1" in run("layers", "dropout_mask").stdout
    assert "list of integer or null   null" in run("layers", "sum", columns=200).stdout


def test_a_layer_of_first_derivatives_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("deltawire_service.app", "deltawire_service.cli.layers"):
        monkeypatch.setattr(f"{module}.load_layers", lambda: registry(simulated=Simulated))
    assert "It has first derivatives only" in run("layers", "simulated").stdout
    assert "first derivatives only" not in run("layers", "relu").stdout


def test_a_mistyped_kind_gets_a_suggestion() -> None:
    result = run("layers", "linera")
    assert result.exit_code == Exit.REFUSED and "did you mean 'linear'?" in result.stderr
