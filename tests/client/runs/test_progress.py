"""The progress of a run in words, and in a bar where rich is installed."""

from __future__ import annotations

from typing import Any

import pytest

from deltawire.runs.progress import duration_text, open_progress, progress_text

RUN: dict[str, Any] = {
    "model": "[adder]", "state": "running", "ahead": None, "steps": 10, "total_steps": 40, "seconds": 2.0,
    "seconds_left": 6.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.96, "10.0 s"), (38.4, "38 s"), (725, "12 min 5 s"), (12_000, "3 h 20 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("run", "losses", "text"),
    [
        ({}, (0.21344, None), "loss 0.2134  6.0 s left"),
        ({}, (0.5, 0.25), "loss 0.5  validation 0.25  6.0 s left"),
        ({"state": "queued", "steps": 0, "seconds_left": None, "ahead": 2}, (None, None), "waits for 2 more"),
        ({"state": "queued", "steps": 0, "seconds_left": None, "ahead": 0}, (None, None), "begins"),
        ({"state": "finished", "steps": 40, "seconds_left": None}, (0.1, None), "finished  loss 0.1  2.0 s"),
    ],
)
def test_a_run_in_words(run: dict[str, Any], losses: tuple[Any, Any], text: str) -> None:
    assert progress_text(RUN | run, *losses) == text


def test_a_bar_shows_the_steps_and_the_losses(capsys: pytest.CaptureFixture[str]) -> None:
    with open_progress(RUN, True) as bar:
        bar.add(0.5, None)
        bar.add(None, 0.25)
        bar.update(RUN | {"steps": 40, "state": "finished", "seconds_left": None})
    shown = capsys.readouterr()
    assert shown.out == "" and "[adder]" in shown.err and "40/40" in shown.err
    assert "validation 0.25" in " ".join(shown.err.split())


def test_nothing_is_shown_unless_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with open_progress(RUN, False) as bar:
        bar.add(0.5, None)
        bar.update(RUN)
    assert capsys.readouterr() == ("", "")
