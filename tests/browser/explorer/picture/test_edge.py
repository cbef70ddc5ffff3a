"""Edges: where they begin, and how one is highlighted from end to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_a_path_stands_out_from_end_to_end(page: Page) -> None:
    explorer = Explorer(page, "example=flow_graph")
    joined = "all => all.map(one => one.dataset.node)"
    page.locator('[data-edge-gradient="skip→x"]').click()
    assert page.locator(".edge-button .strong").count() == 1
    assert {*page.locator(".card.joined").evaluate_all(joined)} == {"x", "skip"}
    assert page.locator('[data-edge-button^="x→skip"] .touch').get_attribute("aria-pressed") == "true"
    page.locator('[data-edge-gradient="hidden→x"]').click()  # another one instead
    assert {*page.locator(".card.joined").evaluate_all(joined)} == {"x", "hidden"}
    page.keyboard.press("Escape")
    assert page.locator(".edge-button .strong").count() == page.locator(".card.joined").count() == 0
    page.locator('[data-edge-button^="x→skip"] .touch').focus()
    page.keyboard.press("Enter")
    assert {*page.locator(".card.joined").evaluate_all(joined)} == {"x", "skip"}
    page.keyboard.press("Enter")
    assert page.locator(".edge-button .strong").count() == 0
    explorer.at(0)  # without a label, a click on the line itself
    middle = """one => {
      const there = one.getPointAtLength(one.getTotalLength() / 2).matrixTransform(one.getScreenCTM());
      return [there.x, there.y];
    }"""
    page.mouse.click(*page.locator('[data-edge-button^="x→skip"] .touch').evaluate(middle))
    assert {*page.locator(".card.joined").evaluate_all(joined)} == {"x", "skip"}


def test_an_edge_begins_at_its_box(page: Page) -> None:
    """Below an input of integers there is no delta, and no gap either."""
    Explorer(page, "example=window_classifier&down=1")
    page.locator(".zoom button").first.click(click_count=6)
    page.locator('[data-value="window"]').wait_for()
    gap = page.locator('[data-node="window"]').evaluate(
        """one => one.querySelector('.stub').getBoundingClientRect().top
          - one.querySelector('.body').getBoundingClientRect().bottom"""
    )
    assert abs(gap) <= 2
