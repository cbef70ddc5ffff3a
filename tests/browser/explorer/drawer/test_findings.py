"""The findings tab."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_the_badges_are_opened_by_what_looks_like_a_link(page: Page) -> None:
    explorer = Explorer(page, "example=circuit")
    explorer.tab("Findings")
    page.locator("[data-check]").click()
    summary = page.locator(".each summary")
    summary.wait_for()
    colour = "one => getComputedStyle(one).color"
    assert summary.evaluate(colour) == page.locator(".batch summary, button.link").first.evaluate(colour)
    assert summary.evaluate("one => getComputedStyle(one).cursor") == "pointer"
