"""The picture of a curve: its size, its labels, its line and its marks."""

from __future__ import annotations

import numpy as np
import pytest

from deltawire_service.cli.demos.curve import LABEL, MARK, draw_curve


def drawn(
    losses: list[float], validations: list[tuple[int, float]], total: int, width: int = 40
) -> list[str]:
    return draw_curve(losses, validations, total, width=width, height=6).plain.splitlines()


def rows_of(lines: list[str]) -> list[int]:
    """The line of the picture in which each column is drawn, from the left; −1 where nothing is."""
    plots = [line[LABEL + 1 :] for line in lines[:6]]
    columns = range(max(map(len, plots)))
    return [
        next((row for row, plot in enumerate(plots) if plot[column : column + 1].strip()), -1)
        for column in columns
    ]


def test_a_falling_loss_falls_from_the_highest_line_to_the_lowest() -> None:
    lines = drawn(list(np.geomspace(4, 0.01, 1000)), [], 1000)
    rows = rows_of(lines)
    assert rows == sorted(rows) and (rows[0], rows[-1]) == (0, 5)
    assert np.bincount(rows).min() >= 4, "a geometric fall is a straight line on a logarithmic scale"


def test_the_labels_are_the_largest_and_the_smallest_loss() -> None:
    lines = drawn([8.0, 8.0, 2.0, 2.0], [(4, 0.5)], 4)
    assert lines[0].split("┤")[0].strip() == "8" and lines[5].split("┤")[0].strip() == "0.5"
    assert not any(line[:LABEL].strip() for line in lines[1:5])


def test_the_picture_fits_the_width_and_grows_to_the_right() -> None:
    total = 500
    ends = []
    for steps in (1, 100, 250, 500):
        lines = drawn([1.0 / (1 + step) for step in range(steps)], [(steps, 0.5)], total)
        assert len(lines) == 8 and max(map(len, lines)) <= 40
        assert "500 steps" in lines[-1] and "validation" in lines[-1]
        ends.append(max(column for column, row in enumerate(rows_of(lines)) if row >= 0))
    assert ends == sorted(set(ends)) and ends[-1] == 40 - LABEL - 2


def test_validations_are_marked_by_a_letter_at_their_steps() -> None:
    lines = drawn([1.0] * 100, [(0, 10.0), (50, 5.0), (100, 1.0)], 100)
    places = {(row, line.index(MARK)) for row, line in enumerate(lines[:6]) if MARK in line[LABEL + 1 :]}
    columns = 40 - LABEL - 1
    assert {column - LABEL - 1 for _, column in places} == {0, columns // 2, columns - 1}
    assert (0, LABEL + 1) in places


@pytest.mark.parametrize("losses", [[], [0.7], [0.7, 0.7], [0.0, 1e-300]])
@pytest.mark.parametrize("width", [10, 24, 76])
def test_any_losses_and_any_width_are_drawn(losses: list[float], width: int) -> None:
    lines = drawn(losses, [(len(losses), 0.1)] if losses else [], 3, width)
    assert len(lines) == 8 and all(rows_of(lines)[column] >= 0 for column in range(bool(losses)))
