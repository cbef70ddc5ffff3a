"""deltawire check-layer: the contract, held and broken."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.commands import document
from support.console import run

from deltawire_service.cli.outcome import Exit

BROKEN = '''
from deltawire_layers import Activation, Layer

class Right(Layer):
    """y = x², for x (...)."""
    def output_shape(self, x):
        return x
    def forward(self, params, x):
        return Activation(x * x, deltas=(lambda delta: 2 * x * delta,))

class Wrong(Right):
    """y = x², for x (...)."""
    def forward(self, params, x):
        return Activation(x * x, deltas=(lambda delta: -2 * x * delta,))

class Greedy(Right):
    """y = x², for x (...)."""
    def forward(self, params, x):
        slope = 2 * x
        return Activation(x * x, deltas=(lambda delta: slope * delta,))

class Crash(Right):
    def output_shape(self, x):
        return x[9]

class Picky(Right):
    def output_shape(self, a, b, c, d, e):
        raise __import__("deltawire_layers").LayerError("no")
'''


@pytest.fixture
def broken(here: Path) -> Iterator[str]:
    (here / "broken_layers.py").write_text(BROKEN)
    yield "broken_layers"
    sys.modules.pop("broken_layers", None)


def test_check_layer_of_right_layers(broken: str) -> None:
    for arguments, shapes in (
        (["relu", "scalar"], "()"),
        (["softmax_nll", "2,3", "2"], "(2, 3), (2,)"),
        (["linear", "4", "--config", '{"units": 2}'], "(4,)"),
        ([f"{broken}:Right", "3"], "(3,)"),
    ):
        result = run("check-layer", *arguments)
        assert result.exit_code == 0, result.output
        assert "keeps all six rules" in result.stdout
        assert result.stdout.splitlines()[1].split(maxsplit=1) == ["inputs", shapes]
    assert document("check-layer", "softmax_nll") == {
        "layer": "softmax_nll",
        "shapes": [[[4], []], [[1], []], [[1, 1], [1]]],
        "passed": True,
    }


def test_without_shapes_every_usual_one_that_fits_is_checked(broken: str) -> None:
    """Those of size 1 among them, where a layer may squeeze an axis."""
    lines = run("check-layer", "relu").stdout.splitlines()[1:]
    shapes = [line.split(maxsplit=1)[1].strip() for line in lines]
    assert shapes == ["(4,)", "()", "(3, 4)", "(1,)", "(2, 6, 6)", "(1, 1)", "(1, 4, 4)"]
    crash = document("check-layer", f"{broken}:Crash", code=Exit.NO)
    assert (crash["rule"], crash["closure"]) == (5, "output_shape")
    assert crash["problem"] == "raises IndexError: tuple index out of range"
    assert crash["suggestion"] == "refuse inputs that do not fit with LayerError"


def test_check_layer_says_which_rule_is_broken_and_where(broken: str) -> None:
    result = run("check-layer", f"{broken}:Wrong", "3")
    assert result.exit_code == Exit.NO
    assert f"✗ {broken}:Wrong breaks rule 4: analytic" in result.stdout
    for part in ("δ of input 0", "not the derivative", "expected", "got", "scale 0.001", "(3,)"):
        assert part in result.stdout
    greedy = document("check-layer", f"{broken}:Greedy", "3", code=Exit.NO)
    assert greedy["passed"] is False
    assert (greedy["rule"], greedy["closure"]) == (5, "saved") and "3 numbers per example" in greedy[
        "problem"
    ]
    assert "expected" not in run("check-layer", f"{broken}:Greedy", "3").stdout


@pytest.mark.parametrize("columns", [40, 500])
def test_check_layer_prints_the_line_to_paste(broken: str, columns: int) -> None:
    """On one line, however narrow the terminal is."""
    result = run("check-layer", f"{broken}:Greedy", "3", columns=columns)
    line = "paste: def saved(self, x): return prod(x)  # from math import prod"
    assert result.stdout.splitlines()[-1] == f"  {line}"
    assert document("check-layer", f"{broken}:Greedy", "3", code=Exit.NO)["suggestion"] == line
    assert document("check-layer", f"{broken}:Wrong", "3", code=Exit.NO)["suggestion"] is None


@pytest.mark.parametrize(
    "arguments, code, message",
    [
        (["linera"], Exit.REFUSED, "did you mean 'linear'?"),
        (["linear"], Exit.REFUSED, "/config/units"),
        (["linear", "--config", '{"units": 0}'], Exit.REFUSED, "/config/units"),
        (["linear", "--config", '{"units": 1, "bais": true}'], Exit.REFUSED, "did you mean 'bias'?"),
        (["relu", "3", "3"], Exit.REFUSED, "takes 1 input (x), got 2 shapes"),
        (["softmax_nll", "3", "3"], Exit.REFUSED, "/inputs/1"),
        (["relu", "3x"], Exit.USAGE, "'3x' is no shape"),
        (["relu", "4,0"], Exit.USAGE, "'4,0' is no shape"),
        (["linear", "--config", "units"], Exit.USAGE, "no JSON object"),
        (["linear", "--config", "[1]"], Exit.USAGE, "no JSON object"),
        (["nowhere.at.all:Layer"], Exit.USAGE, "no module 'nowhere.at.all'"),
        (["broken_layers:Wrnog"], Exit.USAGE, "did you mean 'Wrong'?"),
        (["broken_layers:BROKEN"], Exit.USAGE, "has no layer 'BROKEN'"),
        (["broken_layers:Picky"], Exit.USAGE, "none of the usual shapes fits (no)"),
        (["bad_import:X"], Exit.FAILED, "No module named 'nowhere'"),
        (["bad_syntax:X"], Exit.FAILED, "SyntaxError"),
    ],
)  # fmt: skip
def test_check_layer_of_what_is_none(
    arguments: list[str], code: Exit, message: str, broken: str, here: Path
) -> None:
    (here / "bad_import.py").write_text("import nowhere")
    (here / "bad_syntax.py").write_text("def (")
    result = run("check-layer", *arguments, columns=500)
    assert result.exit_code == code, result.output
    assert message in result.stderr and not result.stdout
