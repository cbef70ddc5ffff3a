"""The numbers before a change, faint on the cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer, script

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def before(page: Page, part: str) -> dict[str, str]:
    read = "(all, part) => all.map(one => [one.closest('.card').dataset.node, one.textContent])"
    return dict(page.locator(f"[data-{part}] [data-before]").evaluate_all(read, part))


def test_old_numbers_stand_beside_the_new(page: Page) -> None:
    explorer = Explorer(page, "example=circuit")
    page.locator('[data-input="z"]').fill("-3")
    page.locator("[data-before]").first.wait_for()
    assert before(page, "value") == {"z": "−4", "f": "−12"}  # x, y and q are as they were
    assert before(page, "delta") == {"q": "−4", "x": "−4", "y": "−4"}
    assert explorer.values()["f"] == "−9" and explorer.deltas()["q"] == "−3"
    spoken = page.locator('[data-node="q"] .ring').get_attribute("aria-label")
    assert spoken == "q, add, 3, δ −3 (before −4)"
    explorer.at(0)  # f is not computed yet, and nothing has been sent
    assert before(page, "value") == {"z": "−4"} and before(page, "delta") == {}


def test_the_numbers_before_lie_over_no_others(page: Page) -> None:
    """Arrays have theirs above or below the new ones: beside them are the numbers of edges."""
    page.set_viewport_size({"width": 1280, "height": 720})
    Explorer(page, "example=flow_graph")
    page.locator('[data-input="x"]').fill("[1, -2, 0.5, 4]")
    page.locator("[data-before]").nth(5).wait_for()
    assert before(page, "value")["x"].startswith("‖")
    page.wait_for_timeout(200)
    seen = page.evaluate(script(__file__, "legible"))
    assert seen["overlapping"] == seen["outside"] == [] and seen["smallest"] >= 10.99
