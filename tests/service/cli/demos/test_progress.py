"""The progress of a run: a curve and a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import io
import re
from typing import Any

from rich.console import Console

from deltawire_service.cli.demos.progress import LINES, open_progress

RUN: dict[str, Any] = {
    "model": "demo", "state": "running", "ahead": None, "steps": 0, "total_steps": 50, "seconds": 2.0,
    "seconds_left": None,
}  # fmt: skip


CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
"""What moves the cursor."""


def follow(terminal: bool) -> str:
    """What is printed about a run of 50 steps with a validation after every tenth."""
    output = io.StringIO()
    screen = Console(file=output, force_terminal=terminal, width=80, color_system=None)
    with open_progress(screen, RUN) as progress:
        for step in range(1, 51):
            progress.add(1 / step, None)
            if step % 10 == 0:
                progress.add(None, 2 / step)
                progress.update(RUN | {"steps": step, "seconds_left": 0.1 * (50 - step)})
        progress.update(RUN | {"steps": 50, "state": "finished"})
    return output.getvalue()


def test_a_terminal_shows_a_curve_and_a_bar() -> None:
    shown = CONTROL.sub("\n", follow(True)).splitlines()
    *curve, bar = [line for line in shown if line.strip()][-11:]
    assert curve[0].split("┤")[0].strip() == "1" and "⠒⠒ loss   o validation" in curve[-1]
    assert "o" in "".join(line[9:] for line in curve[:8])
    assert "50/50 finished" in bar and "validation 0.04" in bar and len(bar.rstrip()) <= 80


def test_anything_else_gets_plain_lines() -> None:
    lines = follow(False).splitlines()
    assert len(lines) == LINES and all(line.isascii() for line in lines)
    assert lines[0].split() == "5 of 50 steps loss 0.4567".split()
    assert (
        lines[-1].split()
        == f"50 of 50 steps loss {sum(1 / k for k in range(46, 51)) / 5:.4f} validation 0.0500".split()
    )
