"""The ticks of an axis: round numbers within it, few enough to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def scaled(page: Page, script: str) -> Any:
    """Return what a script returns that has the functions of scale.js."""
    page.goto("/models")
    functions = (
        "const { extentOf, padded, scaleOf, ticksOf } = await import('/explorer/widgets/chart/scale.js')"
    )
    return page.evaluate(f"async () => {{ {functions}; return {script} }}")


@pytest.mark.parametrize(
    ("arguments", "ticks"),
    [
        ("[0, 1], 5", [0, 0.2, 0.4, 0.6, 0.8, 1]),
        ("[0.03, 0.31], 3", [0.1, 0.2, 0.3]),
        ("[1, 20000], 4", [5000, 10000, 15000, 20000]),
        ("[0, 2], 10, { whole: true }", [0, 1, 2]),
        ("[0.02, 3], 6, { log: true }", [0.03, 0.1, 0.3, 1, 3]),
        ("[0.02, 3], 7, { log: true }", [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]),
        ("[1e-9, 10], 4, { log: true }", [1e-9, 1e-6, 1e-3, 1]),
        ("[0.4, 0.6], 4, { log: true }", [0.4, 0.45, 0.5, 0.55, 0.6]),
        ("[-1, 1], 2", [-1, 0, 1]),
    ],
)
def test_ticks_are_round(page: Page, arguments: str, ticks: list[float]) -> None:
    assert scaled(page, f"ticksOf({arguments})") == pytest.approx(ticks)


def test_an_extent_leaves_out_what_has_no_place(page: Page) -> None:
    assert scaled(page, "extentOf([[3, null, NaN], [-1, Infinity]])") == [-1, 3]
    assert scaled(page, "extentOf([[0, 3], [-1, 2]], true)") == [2, 3]
    assert scaled(page, "extentOf([[], [null]])") is None


@pytest.mark.parametrize("log", ["true", "false"])
def test_one_number_alone_has_a_place_in_the_middle(page: Page, log: str) -> None:
    assert scaled(page, f"scaleOf(padded([4, 4], {log}), [0, 100], {log})(4)") == pytest.approx(50)
    assert scaled(page, "scaleOf(padded([0, 0]), [0, 100])(0)") == pytest.approx(50)
