"""The numbers before a change, faint on the cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

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


def test_an_old_norm_covers_no_new_one(page: Page) -> None:
    Explorer(page, "example=flow_graph")
    page.locator('[data-input="x"]').fill("[9, 9, 9, 9]")
    page.locator("[data-before]").first.wait_for()
    assert before(page, "value")["x"].startswith("‖")
    gaps = page.locator("[data-before]").evaluate_all(
        """all => all.map(one => one.parentElement.querySelector('text').getBoundingClientRect().left
          - one.getBoundingClientRect().right)"""
    )
    assert gaps and min(gaps) > 0
