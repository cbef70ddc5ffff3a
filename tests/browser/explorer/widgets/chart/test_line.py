"""The paths of curves: few points for each column of pixels, and no peak lost."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def in_module(page: Page, script: str) -> Any:
    """Return what a script returns that has the functions of line.js."""
    page.goto("/models")
    functions = "const { pathOf, nearest, smoothed } = await import('/explorer/widgets/chart/line.js')"
    return json.loads(page.evaluate(f"async () => {{ {functions}; return JSON.stringify({script}) }}"))


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](\S+) ([^ML]+)", path)]


def test_twenty_thousand_points_keep_their_peaks(page: Page) -> None:
    """One number in 20,000 is far out: it is drawn, on 600 pixels."""
    path = in_module(
        page,
        """(() => {
          const x = Array.from({ length: 20000 }, (_, i) => i);
          const y = x.map((i) => (i === 12345 ? 90 : 10 + i % 7));
          return pathOf(x, y, (i) => 600 * i / 19999, (number) => 100 - number);
        })()""",
    )
    drawn = points(path)
    assert len(drawn) <= 4 * 601
    assert min(y for _, y in drawn) == 10.0
    assert [x for x, _ in drawn] == sorted(x for x, _ in drawn)
    assert drawn[0] == (0.0, 90.0) and drawn[-1] == (600.0, 100.0 - (10 + 19999 % 7))


def test_a_short_curve_has_all_its_points_but_the_gaps(page: Page) -> None:
    same = "(number) => (number > 0 ? number : NaN)"
    path = in_module(page, f"pathOf([1, 2, 3, 4], [5, null, 0, 6], (x) => x, {same})")
    assert points(path) == [(1, 5), (4, 6)]
    assert in_module(page, f"pathOf([], [], (x) => x, {same})") == ""
    assert in_module(page, f"pathOf([1], [null], (x) => x, {same})") == ""


@pytest.mark.parametrize(("wanted", "index"), [(-9, 0), (1.4, 0), (1.6, 1), (3, 1), (4, 2), (99, 2)])
def test_the_nearest_point(page: Page, wanted: float, index: int) -> None:
    assert in_module(page, f"nearest([1, 2, 5], {wanted})") == index
    assert in_module(page, f"nearest([], {wanted})") == -1


def test_a_smooth_curve_is_the_mean_around_each_point(page: Page) -> None:
    found = in_module(page, "smoothed([1, 2, 3, 4], [1, 3, null, 8], 3)")
    assert found == {"x": [1, 2, 3, 4], "y": [2, 2, 5.5, 8]}
    assert in_module(page, "smoothed([1], [null], 3)") == {"x": [1], "y": [None]}
    long = in_module(page, "smoothed(Array.from({ length: 999 }, (_, i) => i), Array(999).fill(4), 20)")
    assert len(long["x"]) == 200 and set(long["y"]) == {4} and (long["x"][0], long["x"][-1]) == (0, 998)
