"""The progress of a run in a terminal: a bar, the losses, the speed and the time that is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

SMOOTHING = 0.05
"""How much of a step's loss goes into the one that is shown."""


class Progress(Protocol):
    """Shows how far a run has come."""

    def add(self, loss: float | None, validation_loss: float | None) -> None:
        """Take in the losses of a step or of a validation."""

    def update(self, description: Mapping[str, Any]) -> None:
        """Show a description of the run."""


class Hidden:
    """Shows nothing."""

    def add(self, loss: float | None, validation_loss: float | None) -> None:
        """Do nothing."""

    def update(self, description: Mapping[str, Any]) -> None:
        """Do nothing."""


class Bar:
    """Shows a bar of rich.

    Args:
        screen: A progress display of rich.
        task: Its task.
    """

    def __init__(self, screen: Any, task: Any):
        self._screen = screen
        self._task = task
        self._loss: float | None = None
        self._validation: float | None = None

    def add(self, loss: float | None, validation_loss: float | None) -> None:
        """Take in the losses of a step or of a validation; that of steps is smoothed."""
        if loss is not None:
            self._loss = loss if self._loss is None else self._loss + SMOOTHING * (loss - self._loss)
        if validation_loss is not None:
            self._validation = validation_loss

    def update(self, description: Mapping[str, Any]) -> None:
        """Show a description of the run."""
        self._screen.update(
            self._task, completed=description["steps"], total=description["total_steps"],
            text=progress_text(description, self._loss, self._validation),
        )  # fmt: skip


@contextmanager
def open_progress(description: Mapping[str, Any], progress: bool | Progress) -> Iterator[Progress]:
    """Return what shows the progress of a run, until it is left.

    Args:
        description: The run at the beginning.
        progress: What shows it; or True for a bar, where `rich` is installed, and False for nothing.
    """
    if not isinstance(progress, bool):
        yield progress
        return
    if progress:
        try:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
            from rich.progress import Progress as Screen
        except ModuleNotFoundError:
            progress = False
    if not progress:
        yield Hidden()
        return
    columns = [
        TextColumn("{task.description}", markup=False), BarColumn(bar_width=20), MofNCompleteColumn(),
        TextColumn("{task.fields[text]}", markup=False),
    ]  # fmt: skip
    with Screen(*columns, console=Console(stderr=True)) as screen:
        task = screen.add_task(description["model"], total=description["total_steps"], text="")
        bar = Bar(screen, task)
        bar.update(description)
        yield bar


def progress_text(
    description: Mapping[str, Any], loss: float | None = None, validation: float | None = None
) -> str:
    """Return how a run does in a few words: `loss 0.2134  validation 0.2561  12 s left`.

    Args:
        description: The run.
        loss: Of its steps; None before the first.
        validation: The last validation loss; None before the first.
    """
    words = []
    if description["state"] == "queued" and not description["steps"]:
        ahead = description["ahead"]
        words.append(f"waits for {ahead} more" if ahead else "begins")
    elif description["state"] not in ("running", "queued"):
        words.append(str(description["state"]))
    words += [f"loss {loss:.4g}"] if loss is not None else []
    words += [f"validation {validation:.4g}"] if validation is not None else []
    if description["seconds_left"] is not None and description["steps"] < description["total_steps"]:
        words.append(f"{duration_text(description['seconds_left'])} left")
    elif description["steps"]:
        words.append(duration_text(description["seconds"]))
    return "  ".join(words)


def duration_text(seconds: float) -> str:
    """Return seconds as people say them: `4.2 s`, `38 s`, `12 min 5 s`, `3 h 20 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
