"""The lecture's circuits have the numbers that the lecture has."""

from __future__ import annotations

import io

from rich.console import Console

from deltawire import Client
from deltawire_service.cli.demos.circuits import show_circuits


def test_the_numbers_are_those_of_the_lecture() -> None:
    output = io.StringIO()
    show_circuits(Client(), Console(file=output, width=80, highlight=False))
    lines = [" ".join(line.split()) for line in output.getvalue().splitlines() if line]
    assert lines[1:] == [
        "f = (x + y)·z = -12.00 at x = -2, y = 5, z = -4",
        "∂f/∂x -4.00 ∂f/∂y -4.00 ∂f/∂z 3.00",
        "f = σ(w0·x0 + w1·x1 + w2) = 0.73 at w0 = 2, x0 = -1, w1 = -3, x1 = -2, w2 = -3",
        "∂f/∂w0 -0.20 ∂f/∂x0 0.39 ∂f/∂w1 -0.39 ∂f/∂x1 -0.59 ∂f/∂w2 0.20",
    ]
