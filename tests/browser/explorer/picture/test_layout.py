"""The layout: its direction, and the time it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer, script

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_a_residual_network_of_60_nodes_is_laid_out_in_a_second(page: Page) -> None:
    explorer = Explorer(page, "example=residual&step=0")
    assert page.locator(".card").count() == 62
    took = page.evaluate(script(__file__, "layout"))
    assert took < 1000, took
    size = page.locator('[data-node="act7"] .name').evaluate("one => one.getBoundingClientRect().height")
    assert size >= 10  # pixels: readable as a whole
    start = page.evaluate("performance.now()")
    for _ in range(20):
        explorer.press("ArrowRight")
    page.locator('[data-step="20"]').wait_for()
    assert page.evaluate("performance.now()") - start < 4000


def test_another_network_is_drawn_in_its_own_direction(page: Page) -> None:
    Explorer(page, "example=circuit&down=1")
    page.get_by_role("button", name="left to right").wait_for()
    page.locator("select.network").select_option("window_classifier")
    page.locator('[data-node="z1"]').wait_for()
    page.get_by_role("button", name="top to bottom").wait_for()
