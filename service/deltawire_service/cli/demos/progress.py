"""The progress of a run on a terminal as a curve and a bar, and elsewhere as lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Screen

from deltawire.runs.progress import Bar, Progress
from deltawire_service.cli.demos.curve import draw_curve

WIDEST, HEIGHT = 76, 8
"""Columns and lines of a curve."""

LINES = 10
"""Lines that are printed about a run where there is no terminal."""


@contextmanager
def open_progress(screen: Console, description: Mapping[str, Any]) -> Iterator[Progress]:
    """Return what shows the progress of a run, until it is left.

    Args:
        screen: Where it is shown.
        description: The run at the beginning.
    """
    total = description["total_steps"]
    if not screen.is_terminal:
        yield Lines(screen, total)
        return
    text = TextColumn("{task.fields[text]}", markup=False)
    steps = Screen(BarColumn(bar_width=16), MofNCompleteColumn(), text, console=screen)
    bar = Bar(steps, steps.add_task("", total=total, text=""))
    with Live(console=screen) as live:
        curve = Curve(live, steps, bar, total)
        curve.update(description)
        yield curve


class Curve:
    """Shows a curve above a bar.

    Args:
        live: The part of the terminal that is drawn anew.
        steps: The bar's display.
        bar: The bar.
        total: Steps of the run.
    """

    def __init__(self, live: Live, steps: Screen, bar: Bar, total: int):
        self._live = live
        self._steps = steps
        self._bar = bar
        self._total = total
        self._losses: list[float] = []
        self._validations: list[tuple[int, float]] = []

    def add(self, loss: float | None, validation_loss: float | None) -> None:
        """Take in the losses of a step or of a validation."""
        self._bar.add(loss, validation_loss)
        if loss is not None:
            self._losses.append(loss)
        if validation_loss is not None:
            self._validations.append((len(self._losses), validation_loss))

    def update(self, description: Mapping[str, Any]) -> None:
        """Show a description of the run."""
        self._bar.update(description)
        width = min(WIDEST, self._live.console.width)
        curve = draw_curve(self._losses, self._validations, self._total, width=width, height=HEIGHT)
        self._live.update(Group(curve, self._steps), refresh=True)


class Lines:
    """Prints a line every tenth of the run: the mean loss of the steps since the last line.

    Args:
        screen: Where it is printed.
        total: Steps of the run.
    """

    def __init__(self, screen: Console, total: int):
        self._screen = screen
        self._total = total
        self._steps = 0
        self._losses: list[float] = []
        self._validation = ""

    def add(self, loss: float | None, validation_loss: float | None) -> None:
        """Take in the losses of a step or of a validation."""
        if validation_loss is not None:
            self._validation = f"   validation {validation_loss:.4f}"
        if loss is None:
            return
        self._steps += 1
        self._losses.append(loss)
        if self._steps * LINES // self._total > (self._steps - 1) * LINES // self._total:
            mean = sum(self._losses) / len(self._losses)
            self._losses.clear()
            self._screen.print(
                f"{self._steps:>7,} of {self._total:,} steps   loss {mean:.4f}{self._validation}"
            )

    def update(self, description: Mapping[str, Any]) -> None:
        """Do nothing: each line is printed when its steps are there."""
