"""Curves of losses drawn with text: a line of braille dots for the steps, and a mark for each validation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.text import Text

from deltawire.wire import Array

DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""Bits of the dots in a braille character, four rows of two; the first character is U+2800."""

MARK, MARK_STYLE = "o", "bold magenta"
"""A validation: the letter tells it apart without color, and the color is seen on dark and light."""

LABEL = 8
"""Columns of the labels beside the curve."""

SMALLEST = 1e-12
"""Losses are drawn on a logarithmic scale, from here on."""


def draw_curve(
    losses: Sequence[float], validations: Sequence[tuple[int, float]], total: int, *, width: int, height: int
) -> Text:
    """Return a picture of losses on a logarithmic scale, from the first step to the last.

    Args:
        losses: Of the steps so far.
        validations: After how many steps, and the loss.
        total: Steps in all: the right end of the picture.
        width: Columns of the picture, with its labels.
        height: Lines of the curve; two more have the axis and the legend.
    """
    columns = max(1, width - LABEL - 1)
    drawn = _column_means(losses, total, 2 * columns)
    marked = [(min(2 * columns - 1, steps * 2 * columns // total), _log(loss)) for steps, loss in validations]
    seen = [level for _, level in (*drawn, *marked)]
    low, high = (min(seen), max(seen)) if seen else (0.0, 0.0)
    cells = _line(drawn, low, high, columns, height)
    picture = [[chr(0x2800 + bits) if bits else " " for bits in row] for row in cells]
    marks = {(_row(level, low, high, 4 * height) // 4, place // 2) for place, level in marked}
    lines = Text(no_wrap=True, overflow="crop")
    for row in range(height):
        level = {0: high, height - 1: low}.get(row) if seen else None
        label = "" if level is None else f"{np.exp(level):.3g}"
        lines.append(f"{label:>{LABEL - 1}} {'│' if level is None else '┤'}")
        for column in range(columns):
            is_mark = (row, column) in marks
            lines.append(MARK if is_mark else picture[row][column], MARK_STYLE if is_mark else None)
        lines.append("\n")
    lines.append(f"{'':{LABEL}}└{'─' * columns}\n{'':{LABEL}} {'⠒⠒'} loss   ")
    lines.append(MARK, MARK_STYLE)
    lines.append(f" validation{f'{total:,} steps':>{max(0, columns - 22)}}")
    return lines


def _log(loss: float) -> float:
    return float(np.log(max(loss, SMALLEST)))


def _column_means(losses: Sequence[float], total: int, columns: int) -> list[tuple[int, float]]:
    """Return the columns of dots that have steps, each with the logarithm of their mean loss."""
    places = np.arange(len(losses)) * columns // total
    numbers = np.asarray(losses)
    return [(int(place), _log(float(numbers[places == place].mean()))) for place in np.unique(places)]


def _line(points: Sequence[tuple[int, float]], low: float, high: float, columns: int, height: int) -> Array:
    """Return the bits of each character, (height, columns), for a line through points."""
    cells = np.zeros((height, columns), int)
    if not points:
        return cells
    places, levels = zip(*points, strict=True)
    before: int | None = None
    for place in range(places[0], places[-1] + 1):
        row = _row(float(np.interp(place, places, levels)), low, high, 4 * height)
        for dot in range(min(row, row if before is None else before), max(row, before or row) + 1):
            cells[dot // 4, place // 2] |= DOTS[dot % 4, place % 2]
        before = row
    return cells


def _row(level: float, low: float, high: float, rows: int) -> int:
    """Return the row of dots of a level, counted from the top."""
    share = (level - low) / (high - low) if high > low else 0.0
    return round((1 - share) * (rows - 1))
