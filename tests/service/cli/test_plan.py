"""deltawire plan: shapes, parameters, memory and cost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from support.commands import FLOW, document
from support.console import run

from deltawire_service.cli.outcome import Exit


def test_plan_takes_the_batch_from_file_unless_told(spec: Path, here: Path) -> None:
    def given(**arguments: Any) -> int:
        """Bytes of parameters and data, 8 for each number."""
        return int(document("plan", *arguments["arguments"])["given_bytes"])

    one = given(arguments=[spec])
    two = given(arguments=[FLOW])
    assert two - one == given(arguments=[spec, "--batch", "3"]) - two == 8 * (4 + 1)
    shared = {"inputs": {"m": {"shape": [2], "shared": True}, "x": {"shape": [2]}}}
    shared["nodes"] = [{"kind": "multiply", "inputs": ["m", "x"]}, {"kind": "sum"}]
    (here / "shared.json").write_text(
        json.dumps({"network": shared, "data": {"m": [1, 2], "x": [[1, 2]] * 5}})
    )
    assert given(arguments=["shared.json"]) == 8 * (2 + 5 * 2)
    assert given(arguments=["shared.json", "--dtype", "float32"]) == 4 * (2 + 5 * 2)


def test_plan_says_whether_it_fits(spec: Path) -> None:
    fits, does_not = run("plan", spec), run("plan", spec, "--batch", str(10**8))
    assert (fits.exit_code, does_not.exit_code) == (0, Exit.NO)
    assert "✓ it fits" in fits.stdout and "✗ it does not fit" in does_not.stdout
    assert document("plan", spec, "--batch", str(10**8), code=Exit.NO)["fits"] is False


def test_plan_shows_shapes_and_parameters(spec: Path) -> None:
    shown = run("plan", spec).stdout
    for line in ("skip add a, x (4,)", "loss nll log_probs, y ()", "scores.weight (3, 4) 12", "all 35"):
        assert line in " ".join(shown.split()), line
